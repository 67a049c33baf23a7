"""Seconds from typing a command to its answer; for `run`, to the first prediction in the output topic."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition
from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from bench.records import fill
from pyflink_jobs.demo import flights
from pyflink_jobs.demo.ready_topics import make_ready
from pyflink_jobs.demo.send_flights import send_flights
from pyflink_jobs.errors import JobError
from pyflink_jobs.local import topics
from pyflink_jobs.local.jars import cache_folder
from pyflink_jobs.tuning.cpu_meter import steal_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["COMMANDS", "Start", "startup"]

COMMANDS = ("help", "check", "small", "flights")
"""`--help`; `check` of the flights' project; `run` of one small model, and of the flights' job with its monitor."""

_ROOT = Path(__file__).parents[1]
_RECORDS = 1000  # of the small job
_FLIGHTS = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 4, tzinfo=UTC)
_PARTITIONS = 4
_ANSWERS_WITHIN = 180.0  # seconds
_ENDS_WITHIN = 60.0  # seconds from Ctrl-C to the end of the process


@dataclass(frozen=True)
class Start:
    """Seconds of a command, run after run. `first` is the run before them, with a cache that has only jars."""

    command: str
    first: float
    seconds: list[float]
    steal: float


def startup(root: Path, bootstrap: str, repeats: int, commands: tuple[str, ...]) -> dict[str, object]:
    """Run each command once, with a new cache, and `repeats` times more; print a table, return its figures for JSON."""
    console = console_for_tables()
    machine = describe()
    found = []
    with console.status("") as status:
        for command in commands:
            status.update(command)
            with _new_cache() as cache:
                measure = _measure(command, root, bootstrap, {"MILLSTREAM_CACHE": str(cache)})
                first, stolen = next(measure), steal_seconds()
                found.append(Start(command, first, [next(measure) for _ in range(repeats)], steal_seconds() - stolen))
    table = Table(title=f"seconds from typing a command to its answer, or to the first prediction; {repeats} times")
    for title in ("command", "first of all", "median", "least", "most", "steal s"):
        table.add_column(title, justify="left" if title == "command" else "right")
    for row in found:
        times = (row.first, median(row.seconds), min(row.seconds), max(row.seconds))
        table.add_row(row.command, *(f"{seconds:.2f}" for seconds in times), f"{row.steal:.1f}")
    console.print(table)
    return {"machine": machine, "repeats": repeats, "runs": [asdict(row) for row in found]}


@contextmanager
def _new_cache() -> Iterator[Path]:
    """Yield a cache that has only the jars, so that nothing is fetched."""
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as folder:
        (Path(folder) / "jars").symlink_to(cache_folder() / "jars")
        yield Path(folder)


def _measure(command: str, root: Path, bootstrap: str, variables: Mapping[str, str]) -> Iterator[float]:
    """Yield the seconds of a command, again and again."""
    variables = {**variables, "KAFKA_BOOTSTRAP_SERVERS": bootstrap}
    if command == "help":
        while True:
            yield _answer(["--help"], variables)
    if command == "check":
        while True:
            yield _answer(["--project", str(_ROOT), "check"], variables)
    topic = _fill_flights(bootstrap) if command == "flights" else f"scores-{time.time_ns()}"
    if command == "small":
        conf = str(_ROOT / "flink-conf" / "local.yaml")
        variables |= {"BENCH_RECORDS": fill(bootstrap, _RECORDS), "BENCH_SCORES": topic, "MILLSTREAM_FLINK_CONF": conf}
    topics.create(bootstrap, {topic: _PARTITIONS})
    job = (
        ["--project", str(_ROOT), "run", "score"]
        if command == "flights"
        else ["--project", str(root), "run", "mlp_kafka"]
    )
    while True:
        yield _first_prediction(job, variables, bootstrap, topic)


def _fill_flights(bootstrap: str) -> str:
    """Send some days of flights; return the topic that their predictions go to."""
    make_ready(bootstrap, fresh=True)
    send_flights(flights.events(*_FLIGHTS), bootstrap)
    return "predictions"


def _start(arguments: list[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    start = "from pyflink_jobs.cli import main; main()"
    command = [sys.executable, "-c", start, *arguments]
    return subprocess.Popen(command, cwd=_ROOT, env={**os.environ, **variables}, stdout=subprocess.DEVNULL)


def _answer(arguments: list[str], variables: Mapping[str, str]) -> float:
    started = time.monotonic()
    with _start(arguments, variables) as process:
        code = process.wait(_ANSWERS_WITHIN)
    if code:
        raise JobError(f"millstream {' '.join(arguments)} ended with exit code {code}")
    return time.monotonic() - started


def _end(consumer: Consumer, topic: str, number: int) -> int:
    """Return the offset after a partition's last record; a new one has no leader yet."""
    deadline = time.monotonic() + _ENDS_WITHIN
    while True:
        try:
            return int(consumer.get_watermark_offsets(TopicPartition(topic, number))[1])
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _first_prediction(arguments: list[str], variables: Mapping[str, str], bootstrap: str, topic: str) -> float:
    """Return the seconds from the start of a job's process until a record comes into the topic; then end it."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "startup", "fetch.wait.max.ms": 5})
    consumer.assign([TopicPartition(topic, number, _end(consumer, topic, number)) for number in range(_PARTITIONS)])
    consumer.poll(0)
    started = time.monotonic()
    with _start(arguments, variables) as process:
        try:
            while (message := consumer.poll(0.5)) is None or message.error():
                if process.poll() is not None or time.monotonic() > started + _ANSWERS_WITHIN:
                    raise JobError(
                        "the job ended or gave no prediction", facts=(f"its exit code: {process.returncode}",)
                    )
            return time.monotonic() - started
        finally:
            consumer.close()
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
