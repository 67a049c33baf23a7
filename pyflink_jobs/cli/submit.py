"""`millstream submit`: send a job to a Flink cluster."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pyflink_jobs.cli.options import JSON, TARGET

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["submit"]

_MOST_FILES = 8  # of a package, shown to people


@click.command()
@click.argument("job")
@TARGET
@click.option("--from", "savepoint", default="", help="Start with the state of this savepoint.")
@click.option("--ship-env", is_flag=True, help="Send this Python environment to the workers.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@click.option("--within", default=300.0, show_default=True, help="Seconds to wait until it runs.")
@JSON
@click.pass_obj
def submit(
    context: Context,
    job: str,
    *,
    target: str,
    savepoint: str,
    ship_env: bool,
    dry_run: bool,
    within: float,
    as_json: bool,
) -> None:
    """Send a job to a cluster, with its models and code, and wait until it runs.

    \b
    Example:
      millstream up --cluster
      millstream submit score --dry-run
      millstream submit score
    """
    from rich.console import Console

    from pyflink_jobs import submit as submit_job
    from pyflink_jobs.cluster.submit_job import describe_submission

    with Console(stderr=True).status(f"{job}: planning") as status:
        if dry_run:
            described = describe_submission(context.project, job, target, ship_env=ship_env)
        else:
            done = submit_job(
                context.project,
                job,
                target=target,
                savepoint=savepoint,
                ship_env=ship_env,
                within=within,
                on_step=lambda step: status.update(f"{job}: {step}"),
            )
    if dry_run:
        click.echo(json.dumps(described, indent=2) if as_json else _text(described))
        return
    for line in done.warnings:
        click.secho(line, fg="yellow", err=True)
    if as_json:
        click.echo(json.dumps(asdict(done)))
    else:
        click.echo(done.output.rstrip() or f"{job} is running at {done.url}: {done.id}")


def _text(described: dict[str, Any] | str) -> str:
    if isinstance(described, str):
        return described.rstrip()
    lines = [f"{described['job']} to target {described['target']} at {described['url']}", "", "packages"]
    for name, package in described["packages"].items():
        lines.append(f"  {name}  {package['bytes']:,} bytes  sha256 {package['sha256']}")
        contents = package["contents"]
        lines += [f"    {file}" for file in contents[:_MOST_FILES]]
        lines += [f"    and {len(contents) - _MOST_FILES:,} more"] if contents[_MOST_FILES:] else []
    if "models" in described:
        lines += ["", f"models, at {described['models']['uri']}"]
        lines += [f"  {file}  sha256 {digest}" for file, digest in described["models"]["sha256"].items()]
    lines += ["", "options", *(f"  {key}: {value}" for key, value in described["options"].items())]
    lines += ["", f"plan: {described['plan']['operators']} operators, sha256 {described['plan']['sha256']}"]
    lines += ["", "statements", *(f"{text};\n" for text in described["statements"])]
    return "\n".join(lines).rstrip()
