"""`millstream demo report`: draw the demo's report from its topics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.demo.outcomes import Outcomes

__all__ = ["print_numbers", "report"]


@click.command(short_help="Draw the report from the topics.")
@click.option("--out", type=click.Path(path_type=Path), help="File of the report (default: out/demo.html).")
@JSON
@click.pass_obj
def report(context: Context, out: Path | None, *, as_json: bool) -> int:
    """Compare the predictions in Kafka with the arrivals, and draw the report.

    Exit code 1 if a flight has no prediction.

    \b
    Example:
      millstream demo report --out out/demo.html
      millstream demo report --json
    """
    from rich.console import Console

    from pyflink_jobs.demo.outcomes import read_outcomes
    from pyflink_jobs.demo.pictures import require_matplotlib
    from pyflink_jobs.demo.report import write
    from pyflink_jobs.local.broker import bootstrap_servers

    require_matplotlib()
    file = (out or context.project.root / "out" / "demo.html").resolve()
    with Console(stderr=True).status("reading topics") as status:
        outcomes = read_outcomes(bootstrap_servers(context.project))
        status.update("drawing")
        write(file, outcomes)
    if as_json:
        click.echo(json.dumps({"report": str(file), **outcomes.as_json()}, indent=2))
    else:
        print_numbers(outcomes, file)
    return int(bool(outcomes.complaints))


def print_numbers(outcomes: Outcomes, file: Path, rate: float | None = None) -> None:
    """Print the summary, what is wrong with it, and where the report is."""
    from pyflink_jobs.demo.report import numbers

    for name, value, note in numbers(outcomes, rate):
        click.echo(f"{name:<12}{value:>9}  {click.style(note, dim=True)}")
    for complaint in outcomes.complaints:
        click.secho(f"wrong: {complaint}", fg="red", bold=True)
    click.echo(f"\nThe report with pictures is in {file}")
