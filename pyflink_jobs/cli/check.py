"""`millstream check`: find mistakes before a job starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pyflink.table import TableEnvironment

    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.project.settings import Project

__all__ = ["check"]


@click.command()
@click.option("--offline", is_flag=True, help="Only what needs no JVM: well under a second.")
@JSON
@click.pass_obj
def check(context: Context, *, offline: bool, as_json: bool) -> int:
    """Load all SQL into a Flink catalog, plan every job, compare every model with its ONNX file.

    Each finding names file, line, what was found, what was expected, and a way out. Exit code 1 if there is one.

    \b
    Example:
      millstream check
      millstream check --offline --json
    """
    from pyflink_jobs.running.fast_start.jvm import early_jvm, start_quickly

    project = context.project
    if offline:
        return _check(context, project, None, as_json=as_json)
    start_quickly()
    from pyflink_jobs.running.environment import import_pyflink

    with early_jvm(project, lambda: _environment(project)) as starting:
        import_pyflink()
        return _check(context, project, starting, as_json=as_json)


def _environment(project: Project) -> TableEnvironment:
    """Return an environment to plan in; what is planned there does not run."""
    from pyflink_jobs.running.environment import table_environment

    # Nobody compiles the code that planning generates. To split its long methods would be a tenth of the time.
    return table_environment(project, {"table.generated-code.max-length": str(2**31 - 1)})


def _check(context: Context, project: Project, starting: Future[TableEnvironment] | None, *, as_json: bool) -> int:
    """Find and print mistakes; `starting` will be where jobs are planned, None if they are not."""
    from pyflink_jobs.errors import MillstreamError
    from pyflink_jobs.planning.declare import declare

    findings = []
    try:
        declarations = declare(project)
        findings += declarations.findings
        if starting:
            from pyflink_jobs.planning.compile.plan import check_plans

            findings += check_plans(declarations, starting.result())
    except MillstreamError as error:
        findings += error.findings
        if context.verbose and error.detail:
            click.echo(error.detail, err=True)
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2))
        return int(bool(findings))
    for finding in findings:
        head, *rest = str(finding).split("\n")
        click.echo("\n".join([click.style(head, bold=True), *rest]) + "\n")
    if findings:
        click.echo(click.style(f"{len(findings)} finding{'s' * (len(findings) > 1)}", fg="red"))
        return 1
    jobs, models = len(declarations.jobs), len(declarations.models)
    done = "planned and checked" if starting else "checked without a JVM"
    click.echo(
        f"{click.style('ok', fg='green')}: {len(declarations.created)} statements, {models} models, {jobs} jobs {done}"
    )
    return 0
