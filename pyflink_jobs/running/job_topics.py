"""The topics that a job's tables name: those of sources must be there, those of sinks are created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.local.kafka_client import is_known
from pyflink_jobs.planning.checks.transactions import refuse_long_transactions
from pyflink_jobs.planning.connectors.connector import connector_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["brokers", "prepare_topics", "refuse_missing_topics"]

_BOOTSTRAP = "bootstrap.servers"


def prepare_topics(sources: Mapping[str, Mapping[str, str]], sinks: Mapping[str, Mapping[str, str]]) -> None:
    """Create the topics of sinks that are not there yet; both are options of tables, by the tables' names.

    Raises KafkaError for a topic of a source that is missing, and for transactions longer than the brokers allow.
    """
    refuse_missing_topics(sources)
    refuse_long_transactions(sinks)
    for options in sinks.values():
        connector_of(options).create([options])


def refuse_missing_topics(sources: Mapping[str, Mapping[str, str]]) -> None:
    """Raise KafkaError for a topic of a source that is missing."""
    for connector in dict.fromkeys(map(connector_of, sources.values())):
        connector.refuse_missing({table: o for table, o in sources.items() if connector_of(o) is connector})


def brokers(tables: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Return how to reach the brokers that tables name, by their addresses."""
    clients = [connector_of(options).client(options) for options in tables.values()]
    return {client[_BOOTSTRAP]: client for client in clients if _BOOTSTRAP in client and is_known(client)}
