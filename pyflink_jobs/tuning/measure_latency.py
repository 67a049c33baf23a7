"""Measure the milliseconds from a record to its score, from Kafka to Kafka, at the records' own rate.

The sample's records are sent evenly to a topic of their own, which the job reads instead of its source. Both that
topic and the job's own have the broker's time of arrival for each record: one clock for both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from multiprocessing import get_context
from threading import Event, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import kafka
import numpy as np

from pyflink_jobs.local import topics
from pyflink_jobs.local.kafka_client import client_arguments
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.running.job import execute

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.context import SpawnProcess

    from numpy.typing import NDArray

    from pyflink_jobs.local.kafka_client import Brokers
    from pyflink_jobs.planning.compile.plan import PlannedJob
    from pyflink_jobs.tuning.trial_runs import TrialRuns

__all__ = ["Latency", "latencies", "measure"]

_FASTEST = 10_000
"""Records per second that one sender, written in Python, can send evenly."""

_SECONDS = 20.0  # of records; the first half is not counted, because the JVM still compiles
_SLOWEST = 50  # records per second: fewer are not enough for a percentile
_STRAGGLERS = 15.0  # seconds to wait for the last scores
_BROKERS_TIME = {"message.timestamp.type": "LogAppendTime"}


@dataclass(frozen=True)
class Latency:
    """Percentiles in milliseconds over so many records, which were sent at `rate` a second."""

    p50: float
    p99: float
    records: int
    rate: float


def measure(trial_runs: TrialRuns, options: Mapping[str, str], rate: float) -> Latency | None:
    """Run the job with some options for 20 seconds, while records are sent at `rate` a second.

    Returns None if the delay cannot be measured: the job writes no topic, or another number of rows than it reads, as
    with windows and joins that wait for event time.
    """
    sample = trial_runs.sample
    rate = max(rate, _SLOWEST)
    count = round(rate * _SECONDS)
    taken = sample.last(count)
    records = topics.read_between(sample.brokers, sample.topic, taken.offsets)
    if not records or rate > _FASTEST:
        return None
    rows = [(record.partition, record.key, record.value) for record in records]
    source = f"millstream-tune-{uuid4().hex[:8]}-{sample.source}"
    topics.create(sample.brokers, {source: max(sample.offsets) + 1}, _BROKERS_TIME)
    try:
        reads = {"topic": source, "scan.startup.mode": "earliest-offset"}
        with trial_runs.planned(options, reads, bounded=False) as planned:
            if (sink := _sink(planned)) is None:
                return None
            brokers, scores = sink
            topics.create(brokers, {scores: 1}, _BROKERS_TIME)
            sender = get_context("spawn").Process(
                target=_send, args=(sample.brokers, source, rows, rate, count), daemon=True
            )
            done, stop = Event(), Event()
            thread = Thread(target=_wait, args=(sender, brokers, scores, count, done, stop), daemon=True)
            sender.start()
            thread.start()
            try:
                execute(trial_runs.project, planned, trial_runs.cluster, stop=stop)
            finally:
                stop.set()
                thread.join()
                sender.terminate()
                sender.join()
            if not done.is_set():
                raise KeyboardInterrupt
            return latencies(_times(sample.brokers, source), _times(brokers, scores), rate)
    finally:
        topics.delete(sample.brokers, [source])


def latencies(came: NDArray[np.int64], scored: NDArray[np.int64], rate: float) -> Latency | None:
    """Return the percentiles from the arrival times of records and scores, in milliseconds.

    The first score is of the first record, and so on. The first half does not count. None if the numbers of records and
    scores differ.
    """
    if len(came) != len(scored) or not len(came):
        return None
    delays = (np.sort(scored) - np.sort(came))[len(came) // 2 :]
    p50, p99 = np.quantile(delays, [0.5, 0.99]).tolist()
    return Latency(p50, p99, len(delays), rate)


def _sink(planned: PlannedJob) -> tuple[Brokers, str] | None:
    """Return the brokers and the topic of the first Kafka table that the job's own INSERTs write."""
    for insert in planned.job.inserts:
        options = planned.sinks.get(insert.name or "", {})
        connector = connector_of(options)
        if names := connector.names(options):
            return connector.client(options), names[0]
    return None


def _send(
    brokers: Brokers, topic: str, rows: list[tuple[int, bytes | None, bytes | None]], rate: float, count: int
) -> None:
    """Send `count` records evenly, repeating the sample when it ends; runs in a process of its own."""
    with kafka.KafkaProducer(**client_arguments(brokers), linger_ms=1) as producer:
        started, sent = time.monotonic(), 0
        while sent < count:
            due = min(count, int((time.monotonic() - started) * rate))
            for number in range(sent, due):
                partition, key, value = rows[number % len(rows)]
                producer.send(topic, value, key, partition=partition)
            sent = max(sent, due)
            time.sleep(0.001)
        producer.flush()


def _wait(sender: SpawnProcess, brokers: Brokers, topic: str, count: int, done: Event, stop: Event) -> None:
    """Set `stop` when all records are scored, or some time after the last was sent; set `done` in the first case."""
    try:
        while not stop.wait(0.2):
            if not sender.is_alive():
                break
        sent = time.monotonic()
        while not stop.wait(0.5):  # each check takes CPU time from scoring
            scored = sum(end - start for start, end in topics.bounds(brokers, topic).values())
            if scored >= count or time.monotonic() > sent + _STRAGGLERS:
                done.set()
                break
    finally:
        stop.set()


def _times(brokers: Brokers, topic: str) -> NDArray[np.int64]:
    return np.array([r.timestamp for records in topics.stream(brokers, topic) for r in records], np.int64)
