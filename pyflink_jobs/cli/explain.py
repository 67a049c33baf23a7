"""`millstream explain`: a job's expanded SQL and Flink's plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["explain"]


@click.command()
@click.argument("job")
@JSON
@click.pass_obj
def explain(context: Context, job: str, *, as_json: bool) -> None:
    """Show how a job is planned: the stages, the SQL that Flink gets, Flink's plan, how many Python operators it has.

    \b
    Example:
      millstream explain score
    """
    from pyflink_jobs import plan
    from pyflink_jobs.running.fast_start.jvm_options import start_quickly
    from pyflink_jobs.running.warm.borrow import borrow_jvm

    borrow_jvm(context.project)
    start_quickly()
    explanation = plan(context.project, job)
    if as_json:
        click.echo(json.dumps(explanation.as_json(), indent=2))
        return
    click.echo(click.style("-- Stages of planning", bold=True))
    for stage in explanation.stages:
        for name, line in zip([stage.name, *[""] * len(stage.lines)], stage.lines, strict=False):
            click.echo(f"{name:<12}{line}")
    click.echo(click.style("\n-- Expanded SQL", bold=True))
    click.echo(explanation.sql)
    click.echo(click.style("\n-- Flink's plan", bold=True))
    click.echo(explanation.plan)
    number = explanation.python_operators
    click.echo(click.style(f"\n{number} Python operator{'s' * (number != 1)}", bold=True))
