"""Create, list and read topics of any Kafka broker, not only the local one."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

import kafka
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, TopicAlreadyExistsError

from pyflink_jobs.errors import Finding, KafkaError, did_you_mean
from pyflink_jobs.local.kafka_client import address, client_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyflink_jobs.local.kafka_client import Brokers

__all__ = [
    "Record",
    "Topic",
    "answers",
    "bounds",
    "committed",
    "create",
    "delete",
    "list_topics",
    "longest_transaction",
    "names",
    "read",
    "read_at",
    "read_between",
    "stream",
]

logging.getLogger("kafka").setLevel(logging.CRITICAL)  # errors are reported as KafkaError

_PATIENCE = 5.0  # seconds for a first answer
_QUICK = 2.0  # seconds for an answer without which a command goes on
_SILENCE = 30.0  # seconds without a record or an answer, after which a read fails
_LONGEST = "transaction.max.timeout.ms"
_INTERNAL = "__"  # Kafka's own topics begin with this
_EXISTS = TopicAlreadyExistsError.errno  # another process has just created it


@dataclass(frozen=True)
class Topic:
    """A topic: its size, and the first and last record's time in epoch milliseconds (None if it is empty).

    `records` counts offsets, including the marks of transactions.
    """

    name: str
    partitions: int
    records: int
    first: int | None
    last: int | None


@dataclass(frozen=True)
class Record:
    """One record in Kafka; `timestamp` in epoch milliseconds. Its `topic` is named where several are read."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    topic: str = ""


def answers(brokers: Brokers, within: float = _PATIENCE) -> bool:
    """Return whether a Kafka cluster answers at `brokers` within so many seconds."""
    try:
        with _admin(brokers, within) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except KafkaError:
        return False


def create(brokers: Brokers, topics: Mapping[str, int], configs: Mapping[str, str] | None = None) -> list[str]:
    """Create the topics (name to number of partitions) that do not exist yet, and return their names.

    `configs` are Kafka's options of a topic; None means the broker's. Existing topics are not changed.
    Raises KafkaError where no broker answers or it refuses.
    """
    with _admin(brokers) as admin:
        there = set(admin.list_topics())
        missing = {
            name: {"num_partitions": count, "configs": dict(configs or {})}
            for name, count in topics.items()
            if name not in there
        }
        if not missing:
            return []
        answer = admin.create_topics(missing, raise_errors=False)["topics"]
        admin.wait_for_topics([topic["name"] for topic in answer if topic["error_code"] in {0, _EXISTS}])
    refused = [topic for topic in answer if topic["error_code"] not in {0, _EXISTS}]
    if refused:
        raise KafkaError(
            [Finding(f"topic `{topic['name']}` cannot be created: {topic['error_message']}") for topic in refused],
        )
    return [topic["name"] for topic in answer if topic["error_code"] == 0]


def delete(brokers: Brokers, topics: Iterable[str]) -> None:
    """Delete the topics that exist; the broker completes this soon after.

    Raises KafkaError where no broker answers or it refuses.
    """
    with _admin(brokers) as admin:
        if there := sorted(set(topics) & set(admin.list_topics())):
            admin.delete_topics(there)


def names(brokers: Brokers) -> list[str]:
    """Return the names of all topics but Kafka's internal ones, sorted. Raises KafkaError where no broker answers."""
    with _admin(brokers) as admin:
        return sorted(name for name in admin.list_topics() if not name.startswith(_INTERNAL))


def list_topics(brokers: Brokers) -> list[Topic]:
    """Return all topics but Kafka's internal ones, by name. Raises KafkaError where no broker answers."""
    with _admin(brokers) as admin:
        found = [topic for topic in admin.describe_topics() if not topic["name"].startswith(_INTERNAL)]
        sizes = {topic["name"]: len(topic["partitions"]) for topic in found}
        every = [kafka.TopicPartition(name, number) for name, count in sizes.items() for number in range(count)]
        if not every:
            return []
        begin, end, first, last = (
            admin.list_partition_offsets(dict.fromkeys(every, which), isolation_level="read_committed")
            for which in (
                kafka.OffsetSpec.EARLIEST,
                kafka.OffsetSpec.LATEST,
                0,  # the first record at or after the epoch
                kafka.OffsetSpec.MAX_TIMESTAMP,
            )
        )
    topics = []
    for name, count in sorted(sizes.items()):
        parts = [part for part in every if part.topic == name]
        records = sum(end[part].offset - begin[part].offset for part in parts)
        firsts = [first[part].timestamp for part in parts if first[part].timestamp >= 0]
        lasts = [last[part].timestamp for part in parts if last[part].timestamp >= 0]
        topics.append(Topic(name, count, records, min(firsts, default=None), max(lasts, default=None)))
    return topics


def read(brokers: Brokers, topic: str, limit: int | None = None, *, from_end: bool = False) -> list[Record]:
    """Return the first `limit` records (or the last, or all) that are in a topic now, ordered by their time.

    Within a partition, the first or last are those by offset. Records of open and of aborted transactions are left out.
    Raises KafkaError where no broker answers or the topic does not exist.
    """
    with _consumer(brokers) as consumer:
        parts = _assign(consumer, brokers, topic)
        begin, end = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        start = begin
        width = limit or 0
        while True:
            if limit is not None and from_end:
                start = {part: max(begin[part], end[part] - width) for part in parts}
            records = _between(consumer, start, end, None if from_end else limit)
            if start == begin or limit is None or len(records) >= limit:
                break
            width *= 4  # the last offsets were transaction marks, not records: read from further back
    records.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
    if limit is None:
        return records
    return records[max(0, len(records) - limit) :] if from_end else records[:limit]


def bounds(brokers: Brokers, topic: str) -> dict[int, tuple[int, int]]:
    """Return for each partition of a topic the offset of its first record and the one after its last record.

    Raises what `read` raises.
    """
    with _consumer(brokers) as consumer:
        parts = _assign(consumer, brokers, topic)
        begin, end = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
    return {part.partition: (begin[part], end[part]) for part in parts}


def read_between(brokers: Brokers, topic: str, offsets: Mapping[int, tuple[int, int]]) -> list[Record]:
    """Return the records of each partition between two offsets, the second one excluded, ordered by their time.

    Raises what `read` raises.
    """
    with _consumer(brokers) as consumer:
        parts = [part for part in _assign(consumer, brokers, topic) if part.partition in offsets]
        consumer.assign(parts)
        start = {part: offsets[part.partition][0] for part in parts}
        end = {part: offsets[part.partition][1] for part in parts}
        records = _between(consumer, start, end, None)
    return sorted(records, key=lambda record: (record.timestamp, record.partition, record.offset))


def read_at(brokers: Brokers, places: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], bytes | None]:
    """Return the values of single records by topic, partition and offset; deleted records are left out."""
    found: dict[tuple[str, int, int], bytes | None] = {}
    with _consumer(brokers) as consumer:
        there = consumer.topics()
        for topic, number, offset in places:
            part = kafka.TopicPartition(topic, number)
            if topic not in there or number not in consumer.partitions_for_topic(topic):
                continue
            consumer.assign([part])
            if not consumer.beginning_offsets([part])[part] <= offset < consumer.end_offsets([part])[part]:
                continue
            for record in _between(consumer, {part: offset}, {part: offset + 1}, 1):
                found[topic, number, offset] = record.value
    return found


def stream(brokers: Brokers, topic: str) -> Iterator[list[Any]]:
    """Yield the records that are in a topic now, in batches of one partition each, as the client returns them.

    Within a partition they are in order of offset. Raises what `read` raises.
    """
    # Checksums in Python would take most of the time, and the broker has checked them.
    with _consumer(brokers, check_crcs=False) as consumer:
        parts = _assign(consumer, brokers, topic)
        end = consumer.end_offsets(parts)
        for polled in _polls(consumer, consumer.beginning_offsets(parts), end):
            for part, records in polled.items():
                yield [record for record in records if record.offset < end[part]]


def longest_transaction(brokers: Brokers) -> int | None:
    """Return how many milliseconds the brokers allow a transaction to take; None where they do not say.

    Raises KafkaError where no broker answers within a second or two.
    """
    with _admin(brokers, _QUICK) as admin:
        name = str(admin.describe_cluster()["brokers"][0]["broker_id"])
        asked = kafka.admin.ConfigResource("BROKER", name, {_LONGEST: None})
        found = admin.describe_configs([asked], config_filter="all")
    value = next((c.get(_LONGEST) for by_name in found.values() for c in by_name.values()), None)
    return int(value["value"]) if value else None


def committed(brokers: Brokers, group: str, topic: str) -> dict[int, int]:
    """Return the offsets that a consumer group has committed, by partition: those of the next record to read."""
    with _consumer(brokers, group) as consumer:
        found = {
            part.partition: consumer.committed(part, timeout_ms=int(1000 * _SILENCE))
            for part in _assign(consumer, brokers, topic)
        }
    return {number: offset for number, offset in found.items() if offset is not None and offset >= 0}


def _between(
    consumer: kafka.KafkaConsumer,
    start: dict[kafka.TopicPartition, int],
    end: dict[kafka.TopicPartition, int],
    limit: int | None,
) -> list[Record]:
    """Read each partition from its start offset up to its end offset, or `limit` records of it."""
    found: dict[kafka.TopicPartition, list[Record]] = {part: [] for part in start}
    for polled in _polls(consumer, start, end):
        for part, records in polled.items():
            found[part] += [
                Record(record.partition, record.offset, record.timestamp, record.key, record.value, part.topic)
                for record in records
                if record.offset < end[part]
            ]
        open_parts = [part for part in start if consumer.position(part) < end[part]]
        if limit is not None and all(len(found[part]) >= limit for part in open_parts):
            break
    return [record for records in found.values() for record in records]


def _polls(
    consumer: kafka.KafkaConsumer, start: dict[kafka.TopicPartition, int], end: dict[kafka.TopicPartition, int]
) -> Iterator[dict[kafka.TopicPartition, list[Any]]]:
    """Poll until each partition is read from its start offset up to its end offset; the last poll may go beyond."""
    for part, offset in start.items():
        consumer.seek(part, offset)
    open_parts = [part for part in start if start[part] < end[part]]
    last = monotonic()
    while open_parts:
        polled = consumer.poll(200)
        yield polled
        open_parts = [part for part in open_parts if consumer.position(part) < end[part]]
        last = monotonic() if polled else last
        if monotonic() - last > _SILENCE:
            raise KafkaTimeoutError(f"no record for {_SILENCE:.0f} seconds")


def _assign(consumer: kafka.KafkaConsumer, brokers: Brokers, topic: str) -> list[kafka.TopicPartition]:
    """Assign all partitions of a topic to a consumer, and return them."""
    numbers = consumer.partitions_for_topic(topic) if topic in consumer.topics() else None
    if not numbers:
        raise _no_such_topic(brokers, topic, consumer.topics())
    parts = [kafka.TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(parts)
    return parts


@contextmanager
def _admin(brokers: Brokers, patience: float = _PATIENCE) -> Iterator[kafka.KafkaAdminClient]:
    with (
        _kafka_errors(brokers),
        kafka.KafkaAdminClient(
            **client_arguments(brokers),
            bootstrap_timeout_ms=int(1000 * patience),
            reconnect_backoff_max_ms=200,
        ) as admin,
    ):
        yield admin


@contextmanager
def _consumer(brokers: Brokers, group: str | None = None, *, check_crcs: bool = True) -> Iterator[kafka.KafkaConsumer]:
    with (
        _kafka_errors(brokers),
        kafka.KafkaConsumer(
            **client_arguments(brokers),
            bootstrap_timeout_ms=int(1000 * _PATIENCE),
            reconnect_backoff_max_ms=200,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            isolation_level="read_committed",
            max_poll_records=10_000,
            fetch_max_wait_ms=100,
            group_id=group,
            check_crcs=check_crcs,
        ) as consumer,
    ):
        yield consumer


@contextmanager
def _kafka_errors(brokers: Brokers) -> Iterator[None]:
    try:
        yield
    except (KafkaTimeoutError, KafkaConnectionError, NodeNotReadyError) as error:
        raise KafkaError(
            f"no Kafka broker answers at {address(brokers)}",
            fixes=(
                "start the local broker: millstream up",
                "name another: MILLSTREAM_KAFKA=HOST:PORT, or `kafka` under [tool.millstream] in pyproject.toml",
            ),
            detail=repr(error),
        ) from error
    except (kafka.errors.KafkaError, ValueError) as error:
        raise KafkaError(f"Kafka at {address(brokers)}: {error}", detail=repr(error)) from error


def _no_such_topic(brokers: Brokers, topic: str, there: set[str]) -> KafkaError:
    names = sorted(name for name in there if not name.startswith(_INTERNAL))
    return KafkaError(
        f"no topic `{topic}` in Kafka at {address(brokers)}",
        facts=(f"topics there: {', '.join(names) or 'none'}",),
        fixes=did_you_mean(
            topic,
            names,
            "list the topics: millstream topics",
            "send the demo's flights: millstream demo flights",
            fix="did you mean {}?",
        ),
    )
