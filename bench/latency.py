"""Milliseconds from a record's sending to its score's arrival, Kafka to Kafka, at an even rate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition
from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from bench.records import json_records
from pyflink_jobs.errors import JobError
from pyflink_jobs.local import topics
from pyflink_jobs.tuning.cpu_meter import steal_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["CONFIGURATIONS", "Latency", "latency"]

CONFIGURATIONS = ("local", "low-latency")
_FLINK_CONF = Path(__file__).parents[1] / "flink-conf"
_MODELS = ("none", "mlp")
_LINGER_MS = 5  # of the sending producer
_WARM_UP = 40.0  # seconds before the measurement, in which the JVM compiles
_ENDS_WITHIN = 30.0  # seconds from Ctrl-C to the end of the process
_STARTS_WITHIN = 120.0  # seconds until a first score


@dataclass(frozen=True)
class Latency:
    """Milliseconds between a record's sending and its score's arrival, by quantile; `records` of them."""

    model: str
    configuration: str
    records: int
    p50: float
    p95: float
    p99: float
    max: float
    steal: float


def latency(
    root: Path,
    bootstrap: str,
    rate: int,
    seconds: int,
    configurations: tuple[str, ...],
    models: tuple[str, ...] = _MODELS,
) -> dict[str, object]:
    """Run each model under each configuration; print a table, return its figures for JSON."""
    console = console_for_tables()
    machine = describe()
    found: list[Latency] = []
    with console.status("") as status:
        for configuration in configurations:
            for model in models:
                status.update(f"{model}, flink-conf/{configuration}.yaml")
                found.append(_measure(root, bootstrap, model, configuration, rate, seconds))
    table = Table(title=f"milliseconds at {rate:,} records/s for {seconds} s, Kafka to Kafka, parallelism 1")
    for title in ("job", "flink-conf", "p50", "p95", "p99", "max", "steal s"):
        table.add_column(title, justify="left" if title in ("job", "flink-conf") else "right")
    for row in found:
        times = (row.p50, row.p95, row.p99, row.max)
        table.add_row(row.model, row.configuration, *(f"{value:.0f}" for value in times), f"{row.steal:.1f}")
    console.print(table)
    return {"machine": machine, "rate": rate, "runs": [asdict(row) for row in found]}


def _measure(root: Path, bootstrap: str, model: str, configuration: str, rate: int, seconds: int) -> Latency:
    suffix = f"{model}-{configuration}-{time.time_ns()}"  # no earlier run's records
    variables = {
        "BENCH_RECORDS": f"records-{suffix}",
        "BENCH_SCORES": f"scores-{suffix}",
        "BENCH_LINGER_MS": "0" if configuration == "low-latency" else "5",
        "MILLSTREAM_FLINK_CONF": str(_FLINK_CONF / f"{configuration}.yaml"),
    }
    topics.create(bootstrap, {variables["BENCH_RECORDS"]: 1, variables["BENCH_SCORES"]: 1})
    with (
        _job(root, f"{model}_kafka", variables) as job,
        _sending(bootstrap, variables["BENCH_RECORDS"], rate),
    ):
        stolen = steal_seconds()
        times = _receive(bootstrap, variables["BENCH_SCORES"], _WARM_UP, seconds, job)
        stolen = steal_seconds() - stolen
    p50, p95, p99, most = np.quantile(times, [0.5, 0.95, 0.99, 1]).tolist()
    return Latency(model, configuration, len(times), p50, p95, p99, most, stolen)


@contextmanager
def _job(root: Path, name: str, variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a job with the command line, and end it with Ctrl-C."""
    start = "from pyflink_jobs.cli import main; main()"
    command = [sys.executable, "-c", start, "--project", str(root), "run", name, "--parallelism", "1"]
    job = subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.DEVNULL)
    try:
        yield job
    finally:
        job.send_signal(signal.SIGINT)
        try:
            job.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            job.kill()
            job.wait()


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
    bootstrap: str, topic: str, warm_up: float, seconds: float, job: subprocess.Popen[bytes]
) -> NDArray[np.float64]:
    """Return the milliseconds of all scores within `seconds`, starting `warm_up` seconds after the first."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "latency", "fetch.wait.max.ms": 5})
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
    return np.array([1e3 * then - sent / 1e3 for then, sent in arrived])
