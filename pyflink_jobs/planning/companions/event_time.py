"""How event time gets from a source to a monitor, and where it is lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.addition import Tables
    from pyflink_jobs.planning.companions.monitor_options import MonitorOptions

__all__ = ["KEEP_TIME", "LOST_TIME", "check_columns", "view_with_plain_join"]

_ROWTIME = "*ROWTIME*"
_PLAIN_JOIN = re.compile(r"^[ :+|-]*Join\(", re.MULTILINE)

LOST_TIME = "*ROWTIME* -> TIMESTAMP"
"""How Flink's planner says that it has turned event time into a plain timestamp."""

KEEP_TIME = (
    "join with FOR SYSTEM_TIME AS OF, or over a span of time (a.t BETWEEN b.t - INTERVAL ... AND b.t)",
    "aggregate over a window and select its window_time",
    "pass the column on as it is, without CAST or arithmetic",
)
"""How event time gets through a view."""


def check_columns(
    tables: Tables, call: Call, options: MonitorOptions, schema: Mapping[str, str], shown: str
) -> Iterator[Finding]:
    """Find what keeps a monitor from its event time or its slices in what a call reads."""
    for option in (options.time, options.slice):
        if option and option.value not in schema:
            facts = (f"its columns: {', '.join(schema)}", f"call at {call.place}")
            ways = did_you_mean(option.value, schema, f"add the column to {shown}", fix="write '{}'")
            yield Finding(f"{shown} has no column `{option.value}`", option.place, facts, ways)
    found = schema.get(options.time.value)
    if found is None or _ROWTIME in found:
        return
    lost = _lost_in(tables, call.table.text) if call.table else None
    message = f"`{options.time.value}` is {found} in {shown}, expected an event-time attribute"
    if lost is None:
        ways = ("declare a WATERMARK for it in its source",)
        yield Finding(message, options.time.place, (f"call at {call.place}",), ways)
        return
    place = tables.statements[lost].place()
    yield Finding(
        f"{message}: the view `{lost}` has lost it",
        options.time.place,
        (f"{place.file}:{place.line}: its sources have event time, it has none",),
        KEEP_TIME,
    )


def _lost_in(tables: Tables, name: str) -> str | None:
    """Return the view, `name` or one that it reads, that reads event time and has none itself."""
    statement = tables.statements.get(name)
    if statement is None or statement.kind != "CREATE VIEW":
        return None
    read = sorted(statement.mentions(set(tables.statements)) - {name})
    if any(_ROWTIME in kind for other in read for kind in tables.schema_of(quoted(other)).values()):
        return name
    return next((lost for other in read if (lost := _lost_in(tables, other))), None)


def view_with_plain_join(tables: Tables) -> Statement | None:
    """Return the first view that has a join without event time in its plan."""
    for statement in tables.statements.values():
        if statement.kind == "CREATE VIEW":
            plan = tables.environment.sql_query(f"SELECT * FROM {quoted(statement.name or '')}").explain()
            if _PLAIN_JOIN.search(plan):
                return statement
    return None
