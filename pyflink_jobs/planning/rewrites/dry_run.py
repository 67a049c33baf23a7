"""Run a job apart from its own topics: it reads chosen records of one source, and writes where nobody else reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.connectors.table_options import options_of, send_nowhere, set_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink.table import TableEnvironment

__all__ = ["DryRun", "dry_run_sink"]


@dataclass(frozen=True)
class DryRun:
    """A trial run of a job: `reads` are options that its table `source` gets in place of its own.

    Sinks get a name that begins with `prefix`; those that cannot be named keep nothing.
    """

    source: str
    reads: Mapping[str, str]
    prefix: str


def dry_run_sink(environment: TableEnvironment, table: str, dry_run: DryRun) -> None:
    """Let a table be written where nobody else reads, or nowhere."""
    options = options_of(environment, table)
    private = connector_of(options).dry_run(options, f"{dry_run.prefix}-{table}")
    if private is None:
        send_nowhere(environment, table)
    else:
        set_options(environment, table, private)
