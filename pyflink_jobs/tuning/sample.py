"""Take a sample of a job's source topic: its newest records, by partition and offset. Nothing is copied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflink_jobs.errors import JobError, KafkaError
from pyflink_jobs.local import topics
from pyflink_jobs.local.kafka_client import address
from pyflink_jobs.planning.connectors.connector import connector_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.local.kafka_client import Brokers
    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.planning.connectors.connector import Connector
    from pyflink_jobs.planning.declarations import Job

__all__ = ["Sample", "Span", "newest", "own_rate", "take_sample"]

_NEAR = 20  # offsets at an end to read for a record: the last ones may be marks of transactions


@dataclass(frozen=True)
class Span:
    """The number of a partition's records, and the times of the first and the last in epoch milliseconds."""

    records: int
    first: int
    last: int


@dataclass(frozen=True)
class Sample:
    """The records of a source table's topic that a job is run over.

    `offsets` are by partition, the second one excluded. `rate` is the records per second that the whole topic got, by
    the records' times in Kafka; None if those are all the same.
    """

    source: str
    topic: str
    brokers: Brokers
    offsets: dict[int, tuple[int, int]]
    rate: float | None
    connector: Connector

    @property
    def bootstrap(self) -> str:
        """The address of the brokers."""
        return address(self.brokers)

    @property
    def records(self) -> int:
        """The number of offsets, including marks of transactions."""
        return sum(end - start for start, end in self.offsets.values())

    @property
    def reads(self) -> dict[str, str]:
        """The options for a table that ends after these records: of several topics it reads this one."""
        return {"topic": self.topic} | self.connector.between(self.offsets)

    def as_json(self) -> dict[str, object]:
        """Return what was sampled as plain values."""
        names = ("source", "topic", "bootstrap", "offsets", "rate", "records")
        return {name: getattr(self, name) for name in names}

    def last(self, records: int) -> Sample:
        """Return the newest records of this sample."""
        return replace(self, offsets=newest(self.offsets, records))


def take_sample(job: Job, records: int) -> Sample:
    """Return the newest records of a job's source topic, or of the largest one if it has several.

    Raises JobError if the job reads no topic that can be sampled, KafkaError for one that is missing or empty.
    """
    sources = [table for table in job.sources.values() if _is_log(table, job)]
    if not sources:
        raise JobError(
            f"job `{job.name}` reads no Kafka topic to take a sample of",
            facts=("it must read a table of 'connector' = 'kafka', in sql/sources/",),
        )
    found = [(table, name, topics.bounds(_client(table), name)) for table in sources for name in _topics(table)]
    if not found:
        raise KafkaError(
            f"no topic is there that job `{job.name}` reads by a pattern", fixes=("write records to one first",)
        )
    table, topic, bounds = max(found, key=lambda each: _count(each[2]))
    client, offsets = _client(table), newest(bounds, records)
    if not _count(offsets):
        raise KafkaError(
            f"topic `{topic}`, which job `{job.name}` reads, is empty", fixes=("write records to it first",)
        )
    rate = own_rate(_spans(client, topic, offsets))
    return Sample(table.label, topic, client, offsets, rate, connector_of(table.values))


def _is_log(table: SourceTable, job: Job) -> bool:
    """Return whether a table is a topic that can be read from any offset, and that Millstream does not write."""
    connector, options = connector_of(table.values), table.values
    is_source = table.statement.file.parent.name == "sources" or table.label in job.validated
    positioned = connector.replayable and options.get("connector") not in connector.versioned
    return is_source and positioned and "bootstrap.servers" in _client(table)


def _topics(table: SourceTable) -> list[str]:
    """Return the topics that a table lists, or those there are that match its pattern."""
    connector = connector_of(table.values)
    return connector.names(table.values) or connector.there(table.values)


def _client(table: SourceTable) -> dict[str, str]:
    return connector_of(table.values).client(table.values)


def _count(offsets: Mapping[int, tuple[int, int]]) -> int:
    return sum(end - start for start, end in offsets.values())


def newest(bounds: Mapping[int, tuple[int, int]], records: int) -> dict[int, tuple[int, int]]:
    """Return the offsets of the newest records: the same share of each partition.

    >>> newest({0: (0, 100), 1: (50, 350)}, 40)
    {0: (90, 100), 1: (320, 350)}
    """
    share = min(1.0, records / max(1, _count(bounds)))
    return {part: (end - round(share * (end - start)), end) for part, (start, end) in bounds.items()}


def own_rate(spans: Iterable[Span]) -> float | None:
    """Return the records per second of all partitions; None if the records of one have all the same time.

    >>> own_rate([Span(101, 0, 10_000), Span(201, 0, 10_000)])
    30.0
    """
    known = [span for span in spans if span.records > 1]
    if not known or any(span.last <= span.first for span in known):
        return None
    return sum(1000 * (span.records - 1) / (span.last - span.first) for span in known)


def _spans(brokers: Brokers, topic: str, offsets: Mapping[int, tuple[int, int]]) -> list[Span]:
    """Return the spans of the partitions, from the records at their ends."""
    firsts = {part: (start, min(start + _NEAR, end)) for part, (start, end) in offsets.items()}
    lasts = {part: (max(start, end - _NEAR), end) for part, (start, end) in offsets.items()}
    times: dict[int, list[int]] = {}
    for places in (firsts, lasts):
        for record in topics.read_between(brokers, topic, places):
            times.setdefault(record.partition, []).append(record.timestamp)
    return [Span(offsets[part][1] - offsets[part][0], min(seen), max(seen)) for part, seen in times.items()]
