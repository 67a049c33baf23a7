"""`millstream demo flights`: send the recorded flights to Kafka."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.demo.flights import Events
    from pyflink_jobs.demo.send_flights import Sent

__all__ = ["flights"]


def _speed(ctx: click.Context, param: click.Parameter, value: str) -> float | None:
    """Read `max`, which becomes None, or a factor such as `3600x`."""
    if value == "max":
        return None
    try:
        factor = float(value.removesuffix("x"))
    except ValueError:
        factor = 0
    if not 0 < factor < float("inf"):
        raise click.BadParameter(f"{value!r} is neither max nor a factor such as 3600x", ctx, param)
    return factor


@click.command(short_help="Send the recorded flights and weather to Kafka.")
@click.option("--from", "start", type=click.DateTime(), metavar="DATE", help="Send flights from this time on, UTC.")
@click.option("--to", "end", type=click.DateTime(), metavar="DATE", help="Send flights before this time, UTC.")
@click.option(
    "--speed",
    callback=_speed,
    default="max",
    show_default=True,
    help="3600x: an hour in a second.",
)
@click.option("--fresh", is_flag=True, help="Delete the three topics first.")
@click.option("--append", is_flag=True, help="Add to the records that are in the topics.")
@JSON
@click.pass_obj
def flights(
    context: Context,
    start: datetime | None,
    end: datetime | None,
    speed: float | None,
    *,
    fresh: bool,
    append: bool,
    as_json: bool,
) -> None:
    """Send the flights that left New York in 2013, and the weather there, to departures, weather and arrivals.

    \b
    Example:
      millstream demo flights --from 2013-04-01 --to 2013-05-01
      millstream demo flights --from 2013-04-01 --speed 3600x --append
    """
    if fresh and append:
        raise click.UsageError("--fresh and --append exclude each other")
    if start and end and start >= end:
        raise click.UsageError(f"--from {start} is not before --to {end}")
    from pyflink_jobs.demo import flights as data
    from pyflink_jobs.demo.ready_topics import make_ready, refuse_records
    from pyflink_jobs.demo.send_flights import send_flights
    from pyflink_jobs.local.broker import bootstrap_servers

    bootstrap = bootstrap_servers(context.project)
    if not (fresh or append):
        refuse_records(bootstrap)
    events = data.events(start, end)
    make_ready(bootstrap, fresh=fresh)
    with _interruptible() as interrupted, _progress(len(events)) as progress:
        sent = send_flights(events, bootstrap, speed, progress, interrupted)
    if as_json:
        click.echo(json.dumps(_summary(events, sent, interrupted=interrupted())))
    else:
        _print(events, sent)
    if interrupted():
        raise click.Abort


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Make Ctrl-C set a flag: an exception in the middle of a record could leave half of it in its batch."""
    signals: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: signals.append(number))
    try:
        yield lambda: bool(signals)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def show(count: int, sent_ms: int) -> None:
            moment = datetime.fromtimestamp(sent_ms / 1000, UTC)
            bar.update(task, completed=count, description=f"{moment:%Y-%m-%d %H:%M} UTC")

        yield show


def _summary(events: Events, sent: Sent, *, interrupted: bool) -> dict[str, object]:
    return {
        "sent": sent.records,
        "left_out": events.left_out,
        "seconds": round(sent.seconds, 3),
        "interrupted": interrupted,
    }


def _print(events: Events, sent: Sent) -> None:
    count = sum(sent.records.values())
    of_all = "" if count == len(events) else f" of {len(events):,}"
    click.echo(f"sent {count:,}{of_all} records in {sent.seconds:.1f} s")
    for topic, number in sent.records.items():
        click.echo(f"  {topic:<11} {number:>8,}")
    click.echo("left out")
    for reason, number in events.left_out.items():
        click.echo(f"  {number:>8,} flights that {reason}")
