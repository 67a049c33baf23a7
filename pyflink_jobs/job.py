"""The entry point of a job where Flink starts Python: `flink run`, application mode, the Kubernetes operator.

    flink run -pym pyflink_jobs.job --project DIR --job score

`--project` comes first: Flink's command line reads a `--job` before it as its own `--jobmanager`.

Flink's configuration and command line set the cluster, its parallelism and the workers' Python. As with
`millstream submit`, the job carries what the workers need: the code of `udfs/`, and the models or their URI.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from pyflink_jobs.cluster.submit import prepare, send
from pyflink_jobs.cluster.targets import Target
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.project.settings import Project

__all__ = ["main"]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--job", required=True, help="The job's file in sql/jobs/, without its ending.")
@click.option("--project", "folder", type=click.Path(path_type=Path), help="Project folder (default: nearest upward).")
@click.option("--models", default="", help="A URI that the workers read models from (default: sent with the job).")
def main(job: str, folder: Path | None, models: str) -> None:
    """Plan a job and submit it to the Flink that started this program.

    \b
    Example:
      flink run -pym pyflink_jobs.job --project /opt/millstream/project --job score
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    target = Target("flink run", kind="given", models=models)
    # Flink reads these files until the job is submitted; in application mode, until it ends.
    packages = Path(tempfile.mkdtemp(prefix="millstream-"))
    try:
        project = Project.find(folder)
        click.echo(send(prepare(project, job, target, packages), packages))
    except MillstreamError as error:
        click.echo("\n".join(f"error: {finding}" for finding in error.findings), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
