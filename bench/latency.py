"""Milliseconds from a record's sending to its score's arrival, Kafka to Kafka, at an even rate, by each way."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition
from rich.table import Table

from bench.console import console_for_tables
from bench.latency_ways import BASELINE, WAYS, Scene, prepare
from bench.machine import describe
from bench.peers.one_run import started
from bench.records import delete_topic, json_records
from pyflink_jobs.errors import JobError
from pyflink_jobs.local import topics
from pyflink_jobs.tuning.cpu_meter import steal_seconds

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["RATES", "WARM_UP", "Latency", "latency"]

RATES = (500, 2000, 10_000)
WARM_UP = 40
"""Seconds before the measurement, in which the JVM compiles."""

_LINGER_MS = 5  # of the sending producer
_STARTS_WITHIN = 120.0  # seconds until a first score


@dataclass(frozen=True)
class Latency:
    """Milliseconds between a record's sending and its score's arrival, by quantile; `records` of them."""

    way: str
    rate: int
    records: int
    p50: float
    p95: float
    p99: float
    max: float
    steal: float


def latency(
    root: Path,
    bootstrap: str,
    rates: Sequence[int],
    seconds: int,
    ways: Sequence[str],
    rounds: int = 1,
    warm_up: int = WARM_UP,
    *,
    exactly_once: bool = False,
) -> dict[str, object]:
    """Run each way at each rate, in turn; print a table for each rate, return all figures for JSON."""
    console = console_for_tables()
    machine = describe()
    found: list[Latency] = []
    guarantee = "exactly once" if exactly_once else "at least once"
    with TemporaryDirectory(prefix="millstream-latency-") as name, console.status("") as status:
        scene = prepare(Path(name), root, bootstrap, exactly_once=exactly_once)
        for rate in rates:
            for number in range(1, rounds + 1):
                for way in ways:
                    status.update(f"{rate:,} records/s, round {number} of {rounds}: {way}")
                    row = _measure(scene, way, rate, seconds, warm_up)
                    found.append(row)
                    console.print(f"{rate:,}/s {way}: p50 {row.p50:.1f}, p99 {row.p99:.1f} ms, {row.records:,} records")
            at_rate = [row for row in found if row.rate == rate]
            title = f"milliseconds at {rate:,} records/s for {seconds} s, Kafka to Kafka, parallelism 1, {guarantee}"
            console.print(_table(at_rate, ways, f"{title}; medians of {rounds}" if rounds > 1 else title))
    return {"machine": machine, "guarantee": guarantee, "runs": [asdict(row) for row in found]}


def _table(found: list[Latency], ways: Sequence[str], title: str) -> Table:
    """Return the medians of the rounds; ratios to the job without a model are of these."""
    table = Table(title=title)
    for heading in ("way", "p50", "p95", "p99", "max", "p50 x", "p99 x", "steal s"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    middle = {
        way: {key: median(getattr(row, key) for row in found if row.way == way) for key in _COLUMNS} for way in ways
    }
    for way, values in middle.items():
        base = middle.get(BASELINE)
        times = [f"{values[key] / base[key]:.2f}" if base else "-" for key in ("p50", "p99")]
        shown = [f"{values[key]:.1f}" for key in _COLUMNS[:4]]
        table.add_row(way, *shown, *times, f"{values['steal']:.1f}")
    return table


_COLUMNS = ("p50", "p95", "p99", "max", "steal")


def _measure(scene: Scene, way: str, rate: int, seconds: int, warm_up: int) -> Latency:
    suffix = f"{way}-{rate}-{time.time_ns()}"  # no earlier run's records
    source, sink = f"records-{suffix}", f"scores-{suffix}"
    topics.create(scene.bootstrap, {source: 1, sink: 1})
    log = scene.folder / "log"
    try:
        with started(WAYS[way](scene, source, sink), log) as job, _sending(scene.bootstrap, source, rate):
            stolen = steal_seconds()
            times = _receive(scene, sink, warm_up, seconds, job)
            stolen = steal_seconds() - stolen
    except JobError as error:
        words = log.read_text(errors="replace").splitlines()[-10:]
        raise JobError(f"{way}: {error.findings[0].message}", facts=tuple(words)) from error
    for topic in (source, sink):
        delete_topic(scene.bootstrap, topic)
    p50, p95, p99, most = np.quantile(times, [0.5, 0.95, 0.99, 1]).tolist()
    return Latency(way, rate, len(times), p50, p95, p99, most, stolen)


@contextmanager
def _sending(bootstrap: str, topic: str, rate: int) -> Iterator[None]:
    """Send records from a separate process, so that sending and receiving do not delay each other."""
    sender = get_context("spawn").Process(target=_send, args=(bootstrap, topic, rate), daemon=True)
    sender.start()
    try:
        yield
    finally:
        sender.terminate()
        sender.join()


def _send(bootstrap: str, topic: str, rate: int) -> None:
    """Send `rate` records a second, evenly, each with the microsecond of its sending, until the process ends.

    The producer batches records for some milliseconds: a request for each record would use two cores.
    """
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": _LINGER_MS})
    rows = [record.partition(b'"sent_us":0') for record in json_records(0, 10_000, 0)]
    start, sent = time.monotonic(), 0
    while True:
        for _ in range(int((time.monotonic() - start) * rate) - sent):
            before, field, after = rows[sent % len(rows)]
            now = str(time.time_ns() // 1000).encode()
            producer.produce(topic, before + field[:-1] + now + after)
            sent += 1
        producer.poll(0)
        time.sleep(0.001)


def _receive(
    scene: Scene, topic: str, warm_up: float, seconds: float, job: subprocess.Popen[bytes]
) -> NDArray[np.float64]:
    """Return the milliseconds of all scores within `seconds`, starting `warm_up` seconds after the first."""
    consumer = Consumer(
        {
            "bootstrap.servers": scene.bootstrap,
            "group.id": "latency",
            "fetch.wait.max.ms": 5,
            "isolation.level": "read_committed" if scene.exactly_once else "read_uncommitted",
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    arrived: list[tuple[float, int]] = []
    first = None
    deadline = time.monotonic() + _STARTS_WITHIN
    while first is None or time.monotonic() < first + warm_up + seconds:
        message = consumer.poll(0.5)
        received, now = time.time(), time.monotonic()
        if job.poll() is not None or (first is None and now > deadline):
            raise JobError("the job ended or gave no score", facts=(f"its exit code: {job.returncode}",))
        if message is None or message.error():
            continue
        first = first or now
        if now > first + warm_up:
            arrived.append((received, json.loads(message.value())["sent_us"]))
    consumer.close()
    if not arrived:
        raise JobError("no score arrived in the measured time")
    return np.array([1e3 * then - sent / 1e3 for then, sent in arrived])
