"""When a topic's records were appended, from the broker's index of times and offsets."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["appended_before", "create_topic"]

_PATIENCE = 30  # seconds for an answer


def create_topic(bootstrap: str, topic: str, partitions: int) -> None:
    """Create a topic whose records have the time of their appending, not that of their producer."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 4})  # in a variable: its requests end with it
    new = NewTopic(topic, partitions, config={"message.timestamp.type": "LogAppendTime"})
    admin.create_topics([new])[topic].result()


@contextmanager
def appended_before(bootstrap: str, topic: str) -> Iterator[Callable[[int], int]]:
    """Yield a function that returns how many records a topic had before an epoch millisecond.

    Transactions end with a mark, which has an offset too. Times never decrease within a partition of `create_topic`.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "append-times"})
    try:
        partitions = list(consumer.list_topics(topic, _PATIENCE).topics[topic].partitions)
        bounds = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), _PATIENCE) for p in partitions}

        def count(moment: int) -> int:
            asked = [TopicPartition(topic, partition, moment) for partition in partitions]
            total = 0
            for found in consumer.offsets_for_times(asked, _PATIENCE):
                low, high = bounds[found.partition]
                total += (found.offset if found.offset >= 0 else high) - low  # negative: none is that late
            return total

        yield count
    finally:
        consumer.close()
