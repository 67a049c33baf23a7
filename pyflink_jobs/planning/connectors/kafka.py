"""Tables in Kafka: topics whose records have a partition, an offset and a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from pyflink_jobs.errors import KafkaError, did_you_mean
from pyflink_jobs.local.kafka_client import is_known, listens
from pyflink_jobs.planning.connectors.connector import Connector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.local.topics import Record

__all__ = ["Kafka"]

_BROKERS = "properties.bootstrap.servers"
_PATTERN = "topic-pattern"
_SECURITY = ("properties.security.", "properties.sasl.", "properties.ssl.")
_LOGIN = "properties.sasl.jaas.config"
_CLIENTS = re.compile(r"(?<![\w.])org\.apache\.kafka\.")
_SHADED = "org.apache.flink.kafka.shaded.org.apache.kafka."  # where Flink's connector has Kafka's client
_TRANSACTIONS = "sink.transactional-id-prefix"
_SAMPLED = 10  # topics of a pattern
_SINK_PARTITIONS = 4  # of a topic that a job's first run creates

# Kafka's own values are for many small clients. These are larger requests, so fewer of them, and wait for nothing: a
# record that is alone is fetched and sent at once as before. What they gain is in docs/performance.md.
_SOURCE = {
    "properties.max.partition.fetch.bytes": "4194304",  # of one partition, in one answer; 1 MiB is Kafka's
    "properties.max.poll.records": "5000",  # handed from the fetching thread to the task at once; 500
    "properties.receive.buffer.bytes": "1048576",  # of the socket; 64 KiB
}
_SINK = {"properties.batch.size": "262144"}  # bytes for one partition in one request, at most; 16 KiB
_RESUMING = "resuming-kafka"  # in pyflink_jobs/java; of upsert-kafka, all sources start and go on at the oldest record
_UNREMEMBERED = {"properties.commit.offsets.on.checkpoint": "false", "properties.enable.auto.commit": "false"}


class Kafka(Connector):
    """`kafka` and `upsert-kafka`."""

    kinds = ("kafka", "upsert-kafka")
    versioned = ("upsert-kafka",)
    position: ClassVar = {
        "topic": ("topic", "STRING"),
        "partition": ("partition", "INT"),
        "offset": ("offset", "BIGINT"),
        "ingested_at": ("timestamp", "TIMESTAMP_LTZ(3)"),
    }
    replayable = True
    messages = True
    alternatives = ("topic", _PATTERN)
    committed: ClassVar = {"properties.isolation.level": "read_committed"}

    def names(self, options: Mapping[str, str]) -> list[str]:
        """Return the topics that a table lists."""
        return [name for name in options.get("topic", "").split(";") if name]

    def reads(self, options: Mapping[str, str], name: str) -> bool:
        """Return whether a topic is in a table's list, or matches its pattern."""
        pattern = options.get(_PATTERN)
        return name in self.names(options) or (pattern is not None and _matches(pattern, name))

    def there(self, options: Mapping[str, str]) -> list[str]:
        """Return the topics that a table reads, as far as there are such, by a list or by a pattern."""
        from pyflink_jobs.local import topics

        return [name for name in topics.names(self.client(options)) if self.reads(options, name)]

    def records(self, options: Mapping[str, str]) -> list[Record] | None:
        """Return all records of a table's topics, ordered by their time; None if there is no such topic."""
        from pyflink_jobs.local import topics

        client, there = self.client(options), self.there(options)
        if not there:
            return None
        found = [record for name in there for record in topics.read(client, name)]
        return sorted(found, key=lambda r: (r.timestamp, r.topic, r.partition, r.offset)) if len(there) > 1 else found

    def sample(self, options: Mapping[str, str], count: int) -> list[Record] | None:
        """Return the newest records of a table's topics, of a pattern's those of the first ones."""
        from pyflink_jobs.local import topics

        client = self.client(options)
        if not is_known(client) or not listens(client):
            return None
        found = [
            record
            for name in self.there(options)[:_SAMPLED]
            for record in topics.read(client, name, count, from_end=True)
        ]
        return sorted(found, key=lambda record: record.timestamp)[-count:]

    def client(self, options: Mapping[str, str]) -> dict[str, str]:
        """Return the properties of Kafka's clients, without "properties."."""
        found = {key: value for key, value in options.items() if key.startswith("properties.")}
        return {key.removeprefix("properties."): value for key, value in found.items()}

    def connected(self, options: Mapping[str, str], address: str, client: Mapping[str, str]) -> dict[str, str]:
        """Return the client's properties for a table of the project's Kafka that says nothing of security itself."""
        own = any(key.startswith(_SECURITY) for key in options)
        if own or options.get(_BROKERS, address) != address:
            return {}
        found = {_BROKERS: address, **{f"properties.{key}": value for key, value in client.items()}}
        return _missing(found, options)

    def address(self, options: Mapping[str, str]) -> str:
        """Return brokers and topics."""
        return " ".join(options[key] for key in ("connector", _BROKERS, "topic", _PATTERN) if key in options)

    def reading(self, options: Mapping[str, str], *, bounded: bool, remembered: bool) -> dict[str, str]:
        """Return options for larger requests, for an end at the newest offsets, for no commits of the group's.

        A source that is remembered goes on at the oldest record where its next one is gone.
        """
        asked = (
            _missing(_SOURCE, options) | _shaded(options) | ({"scan.bounded.mode": "latest-offset"} if bounded else {})
        )
        if not remembered:
            return asked | _UNREMEMBERED
        return asked | ({"connector": _RESUMING} if options.get("connector") == "kafka" else {})

    def writing(self, options: Mapping[str, str], *, replays: bool) -> dict[str, str]:
        """Return options for larger requests, and for transactions that are not those of the running job."""
        asked = _missing(_SINK, options) | _shaded(options)
        if replays and _TRANSACTIONS in options:
            asked[_TRANSACTIONS] = f"{options[_TRANSACTIONS]}-replay"
        return asked

    def between(self, positions: Mapping[int, tuple[int, int]]) -> dict[str, str]:
        """Return options to read between offsets."""
        return {
            "scan.startup.mode": "specific-offsets",
            "scan.startup.specific-offsets": _listed({part: start for part, (start, _) in positions.items()}),
            "scan.bounded.mode": "specific-offsets",
            "scan.bounded.specific-offsets": _listed({part: end for part, (_, end) in positions.items()}),
        }

    def dry_run(self, options: Mapping[str, str], name: str) -> dict[str, str]:
        """Return options for a topic of that name."""
        return {"topic": name} | ({_TRANSACTIONS: name} if _TRANSACTIONS in options else {})

    def longest_transaction(self, options: Mapping[str, str]) -> int | None:
        """Return what the brokers allow."""
        from pyflink_jobs.local import topics

        client = self.client(options)
        return topics.longest_transaction(client) if is_known(client) else None

    def refuse_missing(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        """Raise KafkaError for a topic of a source that is missing, which Flink would wait for without end."""
        from pyflink_jobs.local import topics

        known: dict[str, list[str]] = {}
        for table, options in tables.items():
            brokers = options.get(_BROKERS, "")
            for name in self.names(options) if brokers and is_known(self.client(options)) else ():
                there = known[brokers] = known.get(brokers) or topics.names(self.client(options))
                if name not in there:
                    raise KafkaError(
                        f"topic `{name}`, which table `{table}` reads, is not there",
                        facts=(f"{brokers} has: {', '.join(there) or 'no topics'}",),
                        fixes=(
                            *did_you_mean(name, there, fix="write 'topic' = '{}'"),
                            "write records to it first; the demo's: millstream demo flights",
                        ),
                    )

    def create(self, tables: Iterable[Mapping[str, str]]) -> None:
        """Create the topics of sinks that are not there yet."""
        from pyflink_jobs.local import topics

        for options in tables:
            client = self.client(options)
            if _BROKERS in options and is_known(client) and (names := self.names(options)):
                topics.create(client, dict.fromkeys(names, _SINK_PARTITIONS))

    def delete(self, tables: Iterable[Mapping[str, str]]) -> None:
        """Delete the topics of sinks."""
        from pyflink_jobs.local import topics

        written: dict[str, tuple[dict[str, str], list[str]]] = {}
        for options in tables:
            written.setdefault(options[_BROKERS], (self.client(options), []))[1].extend(self.names(options))
        for client, names in written.values():
            topics.delete(client, names)


def _shaded(options: Mapping[str, str]) -> dict[str, str]:
    """Return the login with the names that Kafka's classes have in Flink's connector, where it has others."""
    login = options.get(_LOGIN, "")
    shaded = _CLIENTS.sub(_SHADED, login)
    return {_LOGIN: shaded} if shaded != login else {}


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:  # Java's expressions have a few forms that Python's lack
        return False


def _missing(wanted: Mapping[str, str], options: Mapping[str, str]) -> dict[str, str]:
    """Return those that a table's own options do not name."""
    return {key: value for key, value in wanted.items() if key not in options}


def _listed(offsets: Mapping[int, int]) -> str:
    return ";".join(f"partition:{part},offset:{offset}" for part, offset in offsets.items())
