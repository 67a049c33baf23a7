"""`python -m bench NAME`: measures, prints tables; without a name, everything."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.alarms import alarms
from bench.drift import drift
from bench.everything import everything
from bench.latency import CONFIGURATIONS, latency
from bench.peers.comparison import peers
from bench.peers.contestants import CONTESTANTS
from bench.profile.profiling import JOBS as PROFILED
from bench.profile.profiling import profile
from bench.quarantine import quarantine
from bench.remote.comparison import remote
from bench.remote.contestants import NAMES
from bench.scaling import scaling
from bench.size import JOBS as SIZED
from bench.size import size
from bench.startup import COMMANDS, startup
from bench.throughput import JOBS, throughput
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local import broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.peers.contestants import Form

_PROJECT = Path(__file__).with_name("project")


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all benches with Kafka have."""
    for option in (
        click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file."),
        click.option("--keep", is_flag=True, help="Leave the broker and its topics for the next time."),
        click.option("--project", "root", type=click.Path(path_type=Path), default=_PROJECT, help="The jobs' project."),
    ):
        command = option(command)
    return command


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Without a name: write all figures there.")
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


@main.command("throughput")
@click.option("--records", type=click.IntRange(min=1), default=3_000_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(JOBS), help="Run this job; may be given more than once.")
@_common
def _throughput(
    *, records: int, rounds: int, only: tuple[str, ...], root: Path, keep: bool, json_file: Path | None
) -> None:
    """Measure records per second, from Kafka to nowhere and to Kafka, with models and without."""
    with _broker(root, keep=keep) as bootstrap:
        _write(json_file, throughput(root, bootstrap, records, rounds, only or JOBS))


@main.command("quarantine")
@click.option("--records", type=click.IntRange(min=1000), default=3_000_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@_common
def _quarantine(*, records: int, rounds: int, root: Path, keep: bool, json_file: Path | None) -> None:
    """Measure what quarantine costs a job that scores: off, pointer and full, without bad records and with 1 %."""
    with _broker(root, keep=keep) as bootstrap:
        _write(json_file, quarantine(root, bootstrap, records, rounds))


@main.command("latency")
@click.option("--rate", type=click.IntRange(min=1), default=2000, show_default=True, help="Records a second.")
@click.option("--seconds", type=click.IntRange(min=1), default=30, show_default=True, help="To measure, after warm-up.")
@click.option("--conf", multiple=True, type=click.Choice(CONFIGURATIONS), help="A file of flink-conf/ (default: both).")
@_common
def _latency(*, rate: int, seconds: int, conf: tuple[str, ...], root: Path, keep: bool, json_file: Path | None) -> None:
    """Measure milliseconds from a record's sending to its score's arrival, Kafka to Kafka."""
    with _broker(root, keep=keep) as bootstrap:
        _write(json_file, latency(root, bootstrap, rate, seconds, conf or CONFIGURATIONS))


@main.command("peers")
@click.option("--records", type=click.IntRange(min=1), default=10_000_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(CONTESTANTS)), help="May be given more than once.")
@click.option("--format", "form", type=click.Choice(["json", "avro"]), default="json", show_default=True)
@click.option(
    "--guarantee",
    type=click.Choice(["at-least-once", "exactly-once"]),
    default="at-least-once",
    show_default=True,
)
@_common
def _peers(
    *,
    records: int,
    rounds: int,
    only: tuple[str, ...],
    form: Form,
    guarantee: str,
    root: Path,
    keep: bool,
    json_file: Path | None,
) -> None:
    """Compare with what a user would pick instead: loops in Python, Flink jobs in Java; Kafka to Kafka."""
    with _broker(root, keep=keep) as bootstrap:
        names = only or tuple(CONTESTANTS)
        exactly_once = guarantee == "exactly-once"
        _write(json_file, peers(root, bootstrap, records, rounds, names, form, exactly_once=exactly_once))


@main.command("size")
@click.option("--records", type=click.IntRange(min=1), default=3_000_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(SIZED), help="Run this job; may be given more than once.")
@_common
def _size(*, records: int, rounds: int, only: tuple[str, ...], root: Path, keep: bool, json_file: Path | None) -> None:
    """Predict records per second at parallelism 2 from parallelism 1, as `millstream size` does, and measure them."""
    with _broker(root, keep=keep):
        _write(json_file, size(root, broker.start(root / ".millstream"), records, rounds, only or SIZED))


@main.command("remote")
@click.option("--records", type=click.IntRange(min=1), default=3_000_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="May be given more than once.")
@_common
def _remote(
    *, records: int, rounds: int, only: tuple[str, ...], root: Path, keep: bool, json_file: Path | None
) -> None:
    """Compare with a model server on this machine, asked once a batch and once a row; Kafka to Kafka."""
    with _broker(root, keep=keep) as bootstrap:
        _write(json_file, remote(root, bootstrap, records, rounds, only or NAMES))


@main.command("scaling")
@click.option("--records", type=click.IntRange(min=1), default=3_000_000, show_default=True, help="Of 16 floats.")
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the figures into this file: .png, .svg, .pdf.")
@_common
def _scaling(*, records: int, rounds: int, plot: Path | None, root: Path, keep: bool, json_file: Path | None) -> None:
    """Measure CPU time per record at 1, 2 and 4 slots, and per value at 16, 64 and 256 floats; Kafka to Kafka."""
    with _broker(root, keep=keep) as bootstrap:
        _write(json_file, scaling(root, bootstrap, records, rounds, plot))


@main.command("startup")
@click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(COMMANDS), help="Run this; may be given more than once.")
@_common
def _startup(*, repeats: int, only: tuple[str, ...], root: Path, keep: bool, json_file: Path | None) -> None:
    """Measure seconds from typing a command to its answer, or to a job's first prediction."""
    with _broker(root, keep=keep) as bootstrap:
        _write(json_file, startup(root, bootstrap, repeats, only or COMMANDS))


@main.command("profile")
@click.option("--records", type=click.IntRange(min=1), default=3_000_000, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(PROFILED), help="Run this job; may be given more than once.")
@click.option("--format", "form", type=click.Choice(["json", "avro"]), default="json", show_default=True)
@_common
def _profile(
    *, records: int, only: tuple[str, ...], form: Form, root: Path, keep: bool, json_file: Path | None
) -> None:
    """Share out a record's CPU time among the stages of its way: Flight Recorder in the JVM, py-spy in Python."""
    with _broker(root, keep=keep) as bootstrap:
        _write(json_file, profile(root, bootstrap, records, only or PROFILED, form))


@main.command("drift")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
def _drift(*, json_file: Path | None) -> None:
    """Measure what the statistics of drift cost on one core, beside scipy's exact test."""
    _write(json_file, drift())


@main.command("alarms")
@click.option("--references", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--windows", type=click.IntRange(min=10), default=10_000, show_default=True, help="For each reference.")
@click.option("--runs", type=click.IntRange(min=1), default=200, show_default=True, help="For each drift.")
@click.option("--values", type=click.IntRange(min=1), default=300_000_000, show_default=True, help="Without drift.")
@click.option("--bins", type=click.IntRange(min=2), default=256, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
def _alarms(*, references: int, windows: int, runs: int, values: int, bins: int, json_file: Path | None) -> None:
    """Simulate how often alarms are false, and how often and how soon a drift is found, beside ADWIN."""
    _write(json_file, alarms(references, windows, runs, values, bins))


@contextmanager
def _broker(root: Path, *, keep: bool) -> Iterator[str]:
    """Give the address of the bench's own broker; unless it is to be kept, it is stopped and its data deleted."""
    state = root / ".millstream"
    try:
        yield broker.start(state, port=0).bootstrap_servers
    finally:
        if not keep:
            broker.stop(state, purge=True)


def _write(file: Path | None, figures: dict[str, object]) -> None:
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except MillstreamError as error:
        sys.exit(f"error: {error}")
