"""Send the flights' events to Kafka in the order of their time, as fast as Kafka accepts them or at a pace."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from kafka import KafkaProducer
from kafka.errors import KafkaError as KafkaPythonError
from kafka.errors import KafkaTimeoutError

from pyflink_jobs.demo.flights import TOPICS
from pyflink_jobs.errors import KafkaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from pyflink_jobs.demo.flights import Events

__all__ = ["Record", "Sent", "records", "send_flights"]

ENCODE_AT_ONCE = 10_000  # records
LONGEST_SLEEP = 0.1  # seconds: how soon Ctrl-C is noticed between two events
PATIENCE = 20  # seconds without an answer after which the broker is taken to be gone
PRODUCER = {  # idempotent, as kafka-python is by default: each record once and in order
    # Checksums are computed in Python, over what is sent: compressing to a tenth saves more than it costs.
    "compression_type": "gzip",
    # Compressed, larger batches fit a whole partition into one fetch: a reader is then months ahead in one
    # partition, and all rows wait in windows for the watermark of the others.
    "batch_size": 32_768,
    "linger_ms": 50,
    "metrics_enabled": False,
    "bootstrap_timeout_ms": 5_000,
    "request_timeout_ms": 10_000,
    "max_block_ms": 1_000 * PATIENCE,
    "delivery_timeout_ms": 1_000 * PATIENCE,
}


class Record(NamedTuple):
    """One Kafka record; `event_ms` is its timestamp, `sent_ms` its time in the order, both UTC epoch milliseconds."""

    topic: str
    key: bytes
    value: bytes
    event_ms: int
    sent_ms: int


@dataclass(frozen=True)
class Sent:
    """What was sent: records by topic, and the seconds it took."""

    records: dict[str, int]
    seconds: float


def records(events: Events) -> Iterator[Record]:
    """Yield the records of all topics in the order of their `sent_ms`, encoded ten thousand at a time.

    Where several are sent in the same millisecond, topics follow in the order of TOPICS.
    """
    frames = events.topics
    topic_of = np.repeat(list(frames), [len(frame) for frame in frames.values()])
    topic_of = topic_of[np.argsort(np.concatenate([frame.index for frame in frames.values()]), kind="stable")]
    done = dict.fromkeys(frames, 0)
    for first in range(0, len(topic_of), ENCODE_AT_ONCE):
        turns = topic_of[first : first + ENCODE_AT_ONCE].tolist()
        encoded = {}
        for name, count in Counter(turns).items():
            encoded[name] = iter(_encode(name, frames[name].iloc[done[name] : done[name] + count]))
            done[name] += count
        yield from (next(encoded[name]) for name in turns)


def send_flights(
    events: Events,
    bootstrap: str,
    speed: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Sent:
    """Send `events` to the Kafka at `bootstrap`, into topics that exist, and return when Kafka has them all.

    With a `speed`, an hour of events takes 1/`speed` hours; each record's due time is computed from the start, so
    delays do not add up. `progress` gets the number of records sent and the time reached (UTC epoch milliseconds).
    Nothing more is sent once `stopped` returns True.
    Raises KafkaError where the broker does not answer or refuses a record.
    """
    began = time.monotonic()
    counts = dict.fromkeys(events.topics, 0)
    failures: list[Exception] = []
    with _producer(bootstrap) as producer:
        for number, record in enumerate(_paced(records(events), speed, stopped), start=1):
            sending = producer.send(record.topic, record.value, record.key, timestamp_ms=record.event_ms)
            sending.add_errback(failures.append)
            if failures:
                break
            counts[record.topic] += 1
            if progress and (speed is not None or number % 500 == 0):
                progress(number, record.sent_ms)
        if not failures:
            producer.flush(timeout=PATIENCE)
        if failures:
            raise failures[0]
    return Sent(counts, time.monotonic() - began)


def _encode(name: str, frame: pd.DataFrame) -> list[Record]:
    topic = TOPICS[name]
    lines = frame.to_json(orient="records", lines=True).encode().splitlines()
    keys = frame[topic.key].str.encode("ascii")
    return [Record(name, *fields) for fields in zip(keys, lines, frame[topic.time], frame.index, strict=True)]


def _paced(sequence: Iterator[Record], speed: float | None, stopped: Callable[[], bool]) -> Iterator[Record]:
    """Yield each record when it is due; the first one is due now."""
    start, first_ms = time.monotonic(), None
    for record in sequence:
        if speed is not None:
            first_ms = record.sent_ms if first_ms is None else first_ms
            due = start + (record.sent_ms - first_ms) / 1000 / speed
            while (left := due - time.monotonic()) > 0 and not stopped():
                time.sleep(min(left, LONGEST_SLEEP))
        if stopped():
            return
        yield record


@contextmanager
def _producer(bootstrap: str) -> Iterator[KafkaProducer]:
    """Open a producer; errors of kafka-python are raised as KafkaError."""
    try:
        producer = KafkaProducer(bootstrap_servers=bootstrap, **PRODUCER)
        try:
            yield producer
        except BaseException:
            producer._sender.force_close()  # noqa: SLF001 - close() alone would wait for a broker that is gone
            raise
        finally:
            producer.close()
    except KafkaPythonError as error:
        late = isinstance(error, KafkaTimeoutError)
        raise KafkaError(
            f"the Kafka at {bootstrap} does not accept the records",
            facts=("it does not answer" if late else f"it says: {error}",),
            fixes=(
                "check that it is running: millstream status",
                "start it and send the flights again: millstream up, then --fresh",
            ),
            detail=repr(error),
        ) from error
