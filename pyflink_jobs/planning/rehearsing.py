"""Run a job apart from its own topics: it reads what it is told of one source, and writes where nobody else reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflink_jobs.planning.loading import KAFKA, TRANSACTIONS, set_options
from pyflink_jobs.project.tokens import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.loading import LoadedJob

__all__ = ["Rehearsal", "private_topic", "rehearse"]


@dataclass(frozen=True)
class Rehearsal:
    """A run of a job for trial: `reads` are options that its table `source` gets in place of its own.

    Tables in Kafka are written to topics of its own, named after `prefix`; all others to nowhere.
    """

    source: str
    reads: Mapping[str, str]
    prefix: str


def private_topic(prefix: str, table: str) -> str:
    """Return the name of the topic that a rehearsal writes a table to."""
    return f"{prefix}-{table}"


def rehearse(loaded: LoadedJob, environment: TableEnvironment, rehearsal: Rehearsal) -> LoadedJob:
    """Alter the tables of a loaded job; return it with the options of the sinks that it now has."""
    for source, options in loaded.sources.items():
        if options.get("connector") in KAFKA:
            apart = {"properties.commit.offsets.on.checkpoint": "false", "properties.enable.auto.commit": "false"}
            reads = rehearsal.reads if source == rehearsal.source else {}
            set_options(environment, loaded.names[source], {**apart, **reads})
    sinks = {}
    for sink, options in loaded.sinks.items():
        table = loaded.names[sink]
        if options.get("connector") in KAFKA:
            own = {"topic": private_topic(rehearsal.prefix, sink)}
            if TRANSACTIONS in options:
                own[TRANSACTIONS] = private_topic(rehearsal.prefix, sink)
            set_options(environment, table, own)
            sinks[sink] = options | own
        else:
            set_options(environment, table, {"connector": "blackhole"})
            if others := ", ".join(literal(key) for key in options if key != "connector"):
                environment.execute_sql(f"ALTER TABLE {quoted(table)} RESET ({others})")
            sinks[sink] = {"connector": "blackhole"}
    return replace(loaded, sinks=sinks)
