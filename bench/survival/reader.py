"""Reads committed records: continuously, with the time of reading, and at the end all of them."""

from __future__ import annotations

import json
import time
from array import array
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from threading import Event, Thread
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reader", "committed"]

_CONSUMER = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "group.id": "survival",
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 100,
    "reconnect.backoff.max.ms": 500,
    "log_level": 2,
}


def committed(bootstrap: str, topic: str) -> Counter[bytes]:
    """Return the values that are committed in a topic, each with its number of occurrences."""
    consumer = _consumer(bootstrap, topic)
    values: Counter[bytes] = Counter()
    ended: set[int] = set()
    partitions = len(consumer.assignment())
    while len(ended) < partitions:
        for message in consumer.consume(10_000, 1.0):
            error = message.error()
            if error is None:
                values[message.value()] += 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - so it is named
                ended.add(message.partition())
    consumer.close()
    return values


class Reader:
    """Follows the topic of predictions: which records of departures they are of, and when each was read.

    `times` (seconds of the Unix epoch), `partitions` and `offsets` grow together, in the order of reading.
    """

    def __init__(
        self, bootstrap: str, topic: str, inside: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self.times, self.partitions, self.offsets = array("d"), array("i"), array("q")
        self._bootstrap, self._topic, self._inside = bootstrap, topic, inside
        self._stopped = Event()
        self._thread = Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopped.set()
        self._thread.join()

    def _follow(self) -> None:
        with self._inside():
            consumer = _consumer(self._bootstrap, self._topic)
            while not self._stopped.is_set():
                for message in consumer.consume(5_000, 0.1):
                    if message.error() is None:
                        row = json.loads(message.value())
                        self.partitions.append(row["departure_partition"])
                        self.offsets.append(row["departure_offset"])
                        self.times.append(time.time())  # last: whoever reads a time finds the other two
            consumer.close()


def _consumer(bootstrap: str, topic: str) -> Consumer:
    consumer = Consumer({"bootstrap.servers": bootstrap, **_CONSUMER})
    found = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in found])
    return consumer
