"""`python -m bench NAME`: measures, prints tables; without a name, everything."""

from __future__ import annotations

import functools
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.alarms import alarms
from bench.everything import everything
from bench.flights import ways as flight_ways
from bench.flights.table import flights
from bench.latency import RATES, WARM_UP, latency
from bench.latency_ways import WAYS
from bench.peers.comparison import peers
from bench.peers.contestants import CONTESTANTS
from bench.quarantine import quarantine
from bench.scaling import scaling
from bench.startup import COMMANDS, startup
from bench.throughput import JOBS, throughput
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local import broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.peers.contestants import Form

    Figures = dict[str, object]
    Bench = Callable[..., Figures]

_PROJECT = Path(__file__).with_name("project")
_json = click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")


def _count(name: str, default: int, least: int = 1, help_text: str | None = None) -> Callable[[Bench], Bench]:
    return click.option(name, type=click.IntRange(min=least), default=default, show_default=True, help=help_text)


def _only(names: Sequence[str]) -> Callable[[Bench], Bench]:
    return click.option("--only", multiple=True, type=click.Choice(names), help="May be given more than once.")


_form = click.option("--format", "form", type=click.Choice(["json", "avro"]), default="json", show_default=True)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@_json
@click.pass_context
def main(context: click.Context, json_file: Path | None) -> None:
    """Measure Millstream on this machine; without a name, everything, in about half an hour.

    \b
    Example:
      python -m bench throughput --records 300000 --rounds 1
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    if context.invoked_subcommand is None:
        with _broker(_PROJECT, keep=False) as bootstrap:
            for figures in everything(_PROJECT, bootstrap):
                _write(json_file, figures)


def _with_json(bench: Bench) -> click.Command:
    """Make a command of a function that returns figures: `--json FILE` writes them."""

    @functools.wraps(bench)
    def command(json_file: Path | None, **options: Any) -> None:  # noqa: ANN401 - the bench's own options
        _write(json_file, bench(**options))

    return main.command(bench.__name__.strip("_"))(_json(command))


def _with_kafka(bench: Bench) -> click.Command:
    """Make a command of a function that also expects a project and a broker's address."""

    @click.option("--keep", is_flag=True, help="Leave the broker and its topics for the next time.")
    @click.option("--project", "root", type=click.Path(path_type=Path), default=_PROJECT, help="The jobs' project.")
    @functools.wraps(bench)
    def command(root: Path, *, keep: bool, **options: Any) -> Figures:  # noqa: ANN401 - the bench's own options
        with _broker(root, keep=keep) as bootstrap:
            return bench(root, bootstrap, **options)

    return _with_json(command)


@_with_kafka
@_count("--records", 3_000_000)
@_count("--rounds", 2)
@_only(JOBS)
def _throughput(root: Path, bootstrap: str, records: int, rounds: int, only: tuple[str, ...]) -> Figures:
    """Measure records per second, from Kafka to nowhere and to Kafka, with models and without."""
    return throughput(root, bootstrap, records, rounds, only or JOBS)


@_with_kafka
@_count("--records", 3_000_000, least=1000)
@_count("--rounds", 3)
def _quarantine(root: Path, bootstrap: str, records: int, rounds: int) -> Figures:
    """Measure what quarantine costs a job that scores: off, pointer and full, without bad records and with 1 %."""
    return quarantine(root, bootstrap, records, rounds)


@_with_kafka
@click.option("--rate", "rates", multiple=True, type=click.IntRange(min=1), help="Records a second; repeatable.")
@_count("--seconds", 30, help_text="To measure, after warm-up.")
@_count("--warm-up", WARM_UP, help_text="Seconds before that.")
@_count("--rounds", 1)
@_only(list(WAYS))
@click.option("--exactly-once", is_flag=True, help="Commit every second (default: at least once).")
def _latency(
    root: Path,
    bootstrap: str,
    rates: tuple[int, ...],
    seconds: int,
    warm_up: int,
    rounds: int,
    only: tuple[str, ...],
    *,
    exactly_once: bool,
) -> Figures:
    """Measure milliseconds from a record's sending to its score's arrival, Kafka to Kafka, by several ways.

    \b
    Example:
      python -m bench latency --rate 2000 --only none --only rows
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    ways = only or list(WAYS)
    return latency(root, bootstrap, rates or RATES, seconds, ways, rounds, warm_up, exactly_once=exactly_once)


@_with_kafka
@_count("--records", 10_000_000)
@_count("--rounds", 3)
@_only(list(CONTESTANTS))
@_form
@click.option("--exactly-once", is_flag=True, help="Commit in transactions (default: at least once).")
def _peers(
    root: Path, bootstrap: str, records: int, rounds: int, only: tuple[str, ...], form: Form, *, exactly_once: bool
) -> Figures:
    """Compare with what a user would pick instead: a loop in Python, Java with Flink and Kafka Streams."""
    return peers(root, bootstrap, records, rounds, only or tuple(CONTESTANTS), form, exactly_once=exactly_once)


@_with_kafka
@_count("--records", 3_000_000, help_text="Of 16 floats.")
@_count("--rounds", 1)
def _scaling(root: Path, bootstrap: str, records: int, rounds: int) -> Figures:
    """Measure CPU time per record at 1, 2 and 4 slots, and per value at 16, 64 and 256 floats; Kafka to Kafka."""
    return scaling(root, bootstrap, records, rounds)


@_with_kafka
@_count("--days", 45, help_text="Of flights, from April on: 41,452 are the default.")
@_count("--rounds", 3)
@_only(flight_ways.WAYS)
def _flights(root: Path, bootstrap: str, days: int, rounds: int, only: tuple[str, ...]) -> Figures:
    """Measure the flights' job at one and two slots: as it is, without its monitor, and its SQL without a model."""
    return flights(root, bootstrap, days, rounds, only or flight_ways.WAYS)


@_with_kafka
@_count("--repeats", 5)
@_only(COMMANDS)
def _startup(root: Path, bootstrap: str, repeats: int, only: tuple[str, ...]) -> Figures:
    """Measure seconds from typing a command to its answer, or to a job's first prediction."""
    return startup(root, bootstrap, repeats, only or COMMANDS)


@_with_json
@_count("--references", 50)
@_count("--windows", 10_000, least=10, help_text="For each reference.")
@_count("--runs", 200, help_text="For each drift.")
@_count("--bins", 256, least=2)
def _alarms(references: int, windows: int, runs: int, bins: int) -> Figures:
    """Simulate how often alarms are false, and how often and how soon a drift is found."""
    return alarms(references, windows, runs, bins)


@contextmanager
def _broker(root: Path, *, keep: bool) -> Iterator[str]:
    """Yield the address of the bench's own broker; unless it is kept, stop it afterwards and delete its data."""
    state = root / ".millstream"
    try:
        yield broker.start(state, port=0).bootstrap_servers
    finally:
        if not keep:
            broker.stop(state, purge=True)


def _write(file: Path | None, figures: Figures) -> None:
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except MillstreamError as error:
        sys.exit(f"error: {error}")
