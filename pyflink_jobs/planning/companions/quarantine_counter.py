"""Count the records that go to quarantine, in Flink's metrics: the INSERT's reason passes through a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.flink.java_functions import create_function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink.table import TableEnvironment

__all__ = ["counted", "create_counter"]


def counted(table: str, reason: str) -> str:
    """Return SQL for a reason, `reason`, of the rows of `table`, each counted as it is written."""
    return f"{quoted(_name(table))}({reason})"


def create_counter(environment: TableEnvironment, table: str, source: str, reasons: Iterable[str]) -> None:
    """Create the function that `counted` calls; it counts with the label `source`, and one of the labels `reasons`."""
    create_function(environment, _name(table), "QuarantineCounter", source, list(reasons))


def _name(table: str) -> str:
    return f"_count_{table}"
