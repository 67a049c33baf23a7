"""`millstream check`: find mistakes before a job starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from pyflink_jobs import Checked
    from pyflink_jobs.cli.main import Context

__all__ = ["check"]


@click.command()
@click.option("--offline", is_flag=True, help="Only what needs no JVM and no Kafka: well under a second.")
@JSON
@click.pass_obj
def check(context: Context, *, offline: bool, as_json: bool) -> int:
    """Load all SQL into a Flink catalog, plan every job, compare every model with its ONNX file.

    Each finding names file and line, what was found, what was expected, and fixes. Exit code 1 if there is one. Where
    sources have topics already, their newest records are read as well; columns that none of them has are remarks.

    \b
    Example:
      millstream check
      millstream check --offline --json
    """
    from pyflink_jobs import check as check_project
    from pyflink_jobs.running.fast_start.jvm_options import start_quickly
    from pyflink_jobs.running.jvm import early_jvm
    from pyflink_jobs.running.warm.borrow import borrow_jvm

    project = context.project
    if offline:
        return _print(
            check_project(project, offline=True),
            "checked without a JVM; without --offline, Flink plans them",
            context,
            as_json=as_json,
        )
    from pyflink_jobs.api import planning_environment
    from pyflink_jobs.running.environment import import_pyflink

    if borrow_jvm(project):
        import_pyflink()  # there is no start to wait for meanwhile, and two threads must not import the same at once
    start_quickly()
    with early_jvm(project, lambda: planning_environment(project)) as starting:
        import_pyflink()
        checked = check_project(project, environment=starting.result)
        return _print(checked, "planned and checked", context, as_json=as_json)


def _print(checked: Checked, done: str, context: Context, *, as_json: bool) -> int:
    """Print the findings, or what was `done`; return the exit code."""
    findings = checked.findings
    if context.verbose and checked.detail:
        click.echo(checked.detail, err=True)
    if as_json:
        warnings = [{**warning.as_json(), "warning": True} for warning in checked.warnings]
        click.echo(json.dumps([*(finding.as_json() for finding in findings), *warnings], indent=2))
        return int(bool(findings))
    for warning in checked.warnings:
        click.echo(f"{click.style('warning', fg='yellow')}: {warning}\n")
    for finding in findings:
        head, *rest = str(finding).split("\n")
        click.echo("\n".join([click.style(head, bold=True), *rest]) + "\n")
    if findings:
        click.echo(click.style(f"{len(findings)} finding{'s' * (len(findings) > 1)}", fg="red"))
        return 1
    counts = f"{checked.statements} statements, {checked.models} models, {checked.jobs} jobs"
    click.echo(f"{click.style('ok', fg='green')}: {counts} {done}")
    return 0
