"""`millstream demo`: five months of real flights, end to end, and its parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.demo_flights import flights
from pyflink_jobs.cli.demo_report import print_numbers, report
from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["demo"]


@click.group(invoke_without_command=True)
@click.option("--out", type=click.Path(path_type=Path), help="File of the report (default: out/demo.html).")
@JSON
@click.pass_context
def demo(ctx: click.Context, out: Path | None, *, as_json: bool) -> int:
    """Send five months of real flights to Kafka, score them with Flink, compare with the arrivals, draw a report.

    Without a subcommand, the whole demo runs. It empties its topics first. A broker that is already running keeps
    running; one that the demo starts is stopped. Exit code 1 if a flight has no prediction.

    \b
    Example:
      millstream demo
      millstream demo flights --from 2013-04-01 --to 2013-04-08
      millstream demo report --out out/week.html
    """
    if ctx.invoked_subcommand:
        if out or as_json:
            raise click.UsageError(f"write these options after `{ctx.invoked_subcommand}`")
        return 0
    context: Context = ctx.obj
    from rich.console import Console

    from pyflink_jobs.demo.demo import SPAN, run_demo
    from pyflink_jobs.demo.steps import steps
    from pyflink_jobs.running.fast_start.jvm_options import start_quickly

    start_quickly()

    file = (out or context.project.root / "out" / "demo.html").resolve()
    console = Console(stderr=True, highlight=False)
    console.print(
        f"Real flights from New York, {SPAN}: Kafka, SQL features, an ONNX model, predictions, drift.\n",
        soft_wrap=True,
    )
    with steps(console) as shown:
        done = run_demo(context.project, file, shown)
    if as_json:
        click.echo(json.dumps({"report": str(file), "rate": done.rate, **done.outcomes.as_json()}, indent=2))
    else:
        click.echo()
        print_numbers(done.outcomes, file, done.rate)
        click.echo("\nThe topics are kept. What to try next:")
        if not done.kafka_runs:
            click.echo("  millstream up                 start Kafka again")
        click.echo("  millstream peek predictions   show the newest predictions")
        click.echo("  millstream audit              check that each record was scored or quarantined")
        click.echo("  millstream drift show         show where the data has drifted")
        click.echo("  millstream explain score      show the SQL and the plan that Flink ran")
        click.echo("  sql/                          change a feature, then: millstream check; millstream demo")
    return int(bool(done.outcomes.complaints))


demo.add_command(flights)
demo.add_command(report)
