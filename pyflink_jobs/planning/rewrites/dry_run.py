"""Run a job apart from its own topics: it reads what it is told of one source, and writes where nobody else reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.connectors.table_options import (
    KAFKA,
    TRANSACTIONS,
    UNREMEMBERED,
    options_of,
    send_nowhere,
    set_options,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink.table import TableEnvironment

__all__ = ["DryRun", "dry_run_sink", "dry_run_source"]


@dataclass(frozen=True)
class DryRun:
    """A run of a job for trial: `reads` are options that its table `source` gets in place of its own.

    Tables in Kafka are written to topics of its own, named after `prefix`; all others to nowhere.
    """

    source: str
    reads: Mapping[str, str]
    prefix: str


def dry_run_source(environment: TableEnvironment, known: str, table: str, dry_run: DryRun) -> None:
    """Let a table, `known` to Flink by another name, be read as the dry_run says, and leave no trace in Kafka."""
    if options_of(environment, known).get("connector") in KAFKA:
        reads = dry_run.reads if table == dry_run.source else {}
        set_options(environment, known, {**UNREMEMBERED, **reads})


def dry_run_sink(environment: TableEnvironment, known: str, table: str, dry_run: DryRun) -> dict[str, str]:
    """Let a table be written to a topic of its own, or to nowhere; return its options."""
    options = options_of(environment, known)
    if options.get("connector") in KAFKA:
        topic = f"{dry_run.prefix}-{table}"
        set_options(environment, known, {"topic": topic} | ({TRANSACTIONS: topic} if TRANSACTIONS in options else {}))
    else:
        send_nowhere(environment, known)
    return options_of(environment, known)
