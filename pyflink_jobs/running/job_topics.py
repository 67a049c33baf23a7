"""The topics that a job's tables name: those of sources must be there, those of sinks are created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import KafkaError, did_you_mean
from pyflink_jobs.local import topics

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["brokers", "create_sink_topics", "refuse_missing_topics"]

_SINK_PARTITIONS = 4  # of a topic that a job's first run creates


def refuse_missing_topics(tables: Mapping[str, Mapping[str, str]]) -> None:
    """Raise KafkaError for a topic of a source that is missing, which Flink would wait for in vain."""
    sources = _topics(tables)
    known = {bootstrap: topics.names(bootstrap) for bootstrap, _ in sources.values()}
    for table, (bootstrap, names) in sources.items():
        there = known[bootstrap]
        for name in names:
            if name not in there:
                raise KafkaError(
                    f"topic `{name}`, which table `{table}` reads, is not there",
                    facts=(f"{bootstrap} has: {', '.join(there) or 'no topics'}",),
                    fixes=(
                        *did_you_mean(name, there, fix="write 'topic' = '{}'"),
                        "write records to it first; the demo's: millstream demo flights",
                    ),
                )


def create_sink_topics(tables: Mapping[str, Mapping[str, str]]) -> None:
    """Create the topics of sinks that are not there yet."""
    for bootstrap, names in _topics(tables).values():
        topics.create(bootstrap, dict.fromkeys(names, _SINK_PARTITIONS))


def brokers(tables: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return the addresses of the brokers that tables name."""
    return {bootstrap for bootstrap, _ in _topics(tables).values()}


def _topics(tables: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, list[str]]]:
    """Return the broker and the topics of each table that names them."""
    return {
        table: (options["properties.bootstrap.servers"], options["topic"].split(";"))
        for table, options in tables.items()
        if "kafka" in options.get("connector", "") and "topic" in options and "properties.bootstrap.servers" in options
    }
