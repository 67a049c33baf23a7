"""Send the flights' events to Kafka in the order of their time, as fast as Kafka accepts them or at a pace."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from confluent_kafka import Producer

from pyflink_jobs.demo.flights import TOPICS
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local.topics import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from confluent_kafka import KafkaError as ClientError

    from pyflink_jobs.demo.flights import Events

__all__ = ["Record", "Sent", "records", "send_flights"]

ENCODE_AT_ONCE = 10_000  # records
LONGEST_SLEEP = 0.1  # seconds: how soon Ctrl-C is noticed between two events
PATIENCE = 20  # seconds without an answer after which the broker is taken to be gone
AT_ONCE = 10_000  # records that wait to be sent
PRODUCER = {
    "enable.idempotence": True,  # each record once and in order
    "partitioner": "murmur2_random",  # as Java's: a key is in the same partition, whoever sent it
    # Larger batches fit much of a partition into one fetch: a reader is then months ahead in one partition, and all
    # rows wait in windows for the watermark of the others.
    "batch.size": 32_768,
    "linger.ms": 50,
    "log_level": 2,
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
    if not answers(bootstrap):
        raise _refused(bootstrap, "it does not answer")
    began = time.monotonic()
    producer = Producer({"bootstrap.servers": bootstrap, "message.timeout.ms": 1000 * PATIENCE, **PRODUCER})
    try:
        counts = _send(producer, events, bootstrap, speed, progress, stopped)
        waiting = producer.flush(2 * PATIENCE)
    except BaseException:
        producer.purge()
        raise
    if waiting:
        raise _refused(bootstrap, "it does not answer")
    return Sent(counts, time.monotonic() - began)


def _send(
    producer: Producer,
    events: Events,
    bootstrap: str,
    speed: float | None,
    progress: Callable[[int, int], None] | None,
    stopped: Callable[[], bool],
) -> dict[str, int]:
    """Hand the records to the producer; return their number by topic."""
    counts = dict.fromkeys(events.topics, 0)

    def delivered(error: ClientError | None, _: object) -> None:
        if error is not None:
            raise _refused(bootstrap, f"it says: {error}")  # out of `poll` or `flush`

    for number, record in enumerate(_paced(records(events), speed, stopped), start=1):
        producer.produce(record.topic, record.value, record.key, timestamp=record.event_ms, on_delivery=delivered)
        counts[record.topic] += 1
        while len(producer) > AT_ONCE:
            producer.poll(LONGEST_SLEEP)
        if progress and (speed is not None or number % 500 == 0):
            producer.poll(0)
            progress(number, record.sent_ms)
    return counts


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


def _refused(bootstrap: str, why: str) -> KafkaError:
    return KafkaError(
        f"the Kafka at {bootstrap} does not accept the records",
        facts=(why,),
        fixes=(
            "check that it is running: millstream status",
            "start it and send the flights again: millstream up, then --fresh",
        ),
    )
