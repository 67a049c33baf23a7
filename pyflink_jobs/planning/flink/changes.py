"""Queries whose rows change: a row that was written is updated or deleted later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

__all__ = ["NEW_ROWS", "changes", "words_of_changes"]

_MODE = re.compile(r"changelogMode=\[([A-Z,]+)\]")
NEW_ROWS = (
    "aggregate over a window: TUMBLE, HOP, CUMULATE or SESSION",
    "join FOR SYSTEM_TIME AS OF, or over a span of time",
    "read the topic by a table with 'connector' = 'kafka' and a format of plain records",
)
"""How a query has new rows alone."""


def changes(environment: TableEnvironment, source: str) -> bool:
    """Return whether rows of what follows FROM change. The planner takes a second or more: see `may_change`."""
    from pyflink.table import ExplainDetail

    explained = environment.sql_query(f"SELECT * FROM {source}").explain(ExplainDetail.CHANGELOG_MODE)
    found = _MODE.search(explained.partition("== Optimized Physical Plan ==")[2])
    return found is not None and found[1] != "I"


_REFUSED = re.compile(
    r"(?:Table sink '(?P<sink>[^']+)'|(?:StreamPhysical)?(?P<operator>\w+)) doesn't support consuming "
    r"(?P<what>update and delete|update|delete) changes"
)
_OPERATORS = {
    "OverAggregate": "an OVER window",
    "PythonOverAggregate": "an OVER window",
    "IntervalJoin": "a join over a span of time",
    "WindowJoin": "a join of windows",
    "TemporalJoin": "a join FOR SYSTEM_TIME AS OF",
    "Match": "MATCH_RECOGNIZE",
    "TemporalSort": "ORDER BY",
}


def words_of_changes(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Return what Flink's words for refused updates mean, and the fixes; None for other words."""
    found = _REFUSED.search(text)
    if not found:
        return None
    what = {"update": "updates", "delete": "deletes"}.get(found["what"], "updates and deletes")
    if found["sink"]:
        sink = found["sink"].rsplit(".", 1)[-1]
        message = f"the query {what} rows that it has written before, and `{sink}` accepts new rows only"
        ways = (f"give `{sink}` a PRIMARY KEY and 'connector' = 'upsert-kafka'",)
        return message, (*ways, *NEW_ROWS[:1])
    operator = _OPERATORS.get(found["operator"], found["operator"])
    return f"{operator} accepts new rows only, and what it reads {what} rows", NEW_ROWS
