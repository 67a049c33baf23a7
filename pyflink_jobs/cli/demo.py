"""`millstream demo`: five months of real flights, end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["demo"]


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Where the report goes (default: out/demo.html).")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
@click.pass_obj
def demo(context: Context, out: Path | None, *, as_json: bool) -> int:
    """Replay five months of real flights into Kafka, score them with Flink, compare with the arrivals, draw a report.

    The demo's topics are emptied first. A broker that runs already stays; one that the demo starts is stopped.

    \b
    Example:
      millstream demo
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    from rich.console import Console

    from pyflink_jobs.cli.report import print_numbers
    from pyflink_jobs.demo.demo import SPAN, run_demo
    from pyflink_jobs.demo.steps import steps
    from pyflink_jobs.running.fast_start.jvm import start_quickly

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
        click.echo("  millstream peek predictions   see what the model said")
        click.echo("  millstream audit              see that each record was scored or quarantined")
        click.echo("  millstream drift show         see where the data has drifted")
        click.echo("  millstream explain score      see what Flink ran")
        click.echo("  sql/                          change a feature, then: millstream check; millstream demo")
    return int(bool(done.outcomes.complaints))
