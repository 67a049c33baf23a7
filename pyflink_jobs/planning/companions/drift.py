"""Add a model's monitor to a catalog and to a job: its functions and views, and what it writes to drift and alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, SqlError, did_you_mean
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.companions.drift_sql import ALERTS, DRIFT, drift_views, insert_sql, known_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.checks.monitor_options import Monitored
    from pyflink_jobs.planning.companions.drift_sql import DriftViews
    from pyflink_jobs.planning.flink.catalog import Catalog, ScoredView

__all__ = [
    "KEEP_TIME",
    "check_monitor",
    "drift_inserts",
    "functions_of_monitor",
    "view_with_plain_join",
    "views_of_monitor",
]

_ROWTIME = "*ROWTIME*"
_PLAIN_JOIN = re.compile(r"^[ :+|-]*Join\(", re.MULTILINE)

KEEP_TIME = (
    "join with FOR SYSTEM_TIME AS OF, or over a span of time (a.t BETWEEN b.t - INTERVAL ... AND b.t)",
    "aggregate over a window and select its window_time",
    "pass the column on as it is, without CAST or arithmetic",
)
"""How event time gets through a view."""


def views_of_monitor(environment: TableEnvironment, monitored: Monitored, scored: str, number: int) -> DriftViews:
    """Register the functions of a monitor over the view `scored`, and return its views, yet to be created."""
    from udfs.flink.drift import following_function, merging_function

    merge, follow = functions_of_monitor(monitored, number)
    environment.create_temporary_function(quoted(merge), merging_function(monitored.monitor))
    environment.create_temporary_function(quoted(follow), following_function(monitored.monitor))
    return drift_views(monitored, scored, number, merge, follow)


def functions_of_monitor(monitored: Monitored, number: int) -> tuple[str, str]:
    """Return the names of the functions that merge counts and follow windows, for the call of this number."""
    return f"merge_{monitored.monitor.model}_{number}", f"follow_{monitored.monitor.model}_{number}"


def check_monitor(
    catalog: Catalog, call: Call, monitored: Monitored, schema: Mapping[str, str], shown: str
) -> Iterator[Finding]:
    """Find what keeps a monitor from its event time or its slices in what a call reads."""
    options = monitored.options
    for option in (options.time, options.slice):
        if option and option.value not in schema:
            facts = (f"its columns: {', '.join(schema)}", f"call at {call.place}")
            ways = did_you_mean(option.value, schema, f"add the column to {shown}", fix="write '{}'")
            yield Finding(f"{shown} has no column `{option.value}`", option.place, facts, ways)
    found = schema.get(options.time.value)
    if found is None or _ROWTIME in found:
        return
    lost = _lost_in(catalog, call.table.text) if call.table else None
    message = f"`{options.time.value}` is {found} in {shown}, expected an event-time attribute"
    if lost is None:
        ways = ("declare a WATERMARK for it in its source",)
        yield Finding(message, options.time.place, (f"call at {call.place}",), ways)
        return
    place = catalog.statements[lost].place()
    yield Finding(
        f"{message}: the view `{lost}` has lost it",
        options.time.place,
        (f"{place.file}:{place.line}: its sources have event time, it has none",),
        KEEP_TIME,
    )


def _lost_in(catalog: Catalog, name: str) -> str | None:
    """Return the view, `name` or one behind it, that reads event time and has none itself."""
    statement = catalog.statements.get(name)
    if statement is None or statement.kind != "CREATE VIEW":
        return None
    behind = sorted(statement.mentions(set(catalog.statements)) - {name})
    if any(_ROWTIME in kind for other in behind for kind in catalog.schema_of(quoted(other)).values()):
        return name
    return next((lost for other in behind if (lost := _lost_in(catalog, other))), None)


def view_with_plain_join(catalog: Catalog) -> Statement | None:
    """Return the first view that has a join without event time in its plan."""
    for statement in catalog.statements.values():
        if statement.kind == "CREATE VIEW":
            plan = catalog.environment.sql_query(f"SELECT * FROM {quoted(statement.name or '')}").explain()
            if _PLAIN_JOIN.search(plan):
                return statement
    return None


def drift_inserts(catalog: Catalog, view: ScoredView, job: str) -> list[str]:
    """Return the INSERTs of a monitored call into `drift` and `alerts`.

    Raises SqlError where either table is missing or has a column that no record has.
    """
    monitored = view.model.monitored
    if monitored is None or view.drift is None:
        return []
    findings, inserts = [], []
    for table in (DRIFT, ALERTS):
        statement = catalog.statements.get(table)
        if statement is None:
            message = f"model `{view.model.definition.name}` is monitored, but there is no table `{table}`"
            facts = (f"its columns may be: {', '.join(known_columns(table))}",)
            ways = (f"declare it in sql/sinks/{table}.sql",)
            findings.append(Finding(message, monitored.options.time.place, facts, ways))
            continue
        columns = catalog.columns_of_sink(table)
        for name in columns:
            if name not in known_columns(table):
                facts = (f"known are: {', '.join(known_columns(table))}",)
                fixes = did_you_mean(name, known_columns(table), "leave it out")
                findings.append(Finding(f"table `{table}` gets no column `{name}`", statement.place(), facts, fixes))
        if not findings:
            inserts.append(insert_sql(monitored, job, view.drift.new_results, table, columns))
    if findings:
        raise SqlError(findings)
    return inserts
