"""Drift: a model's monitor, which compares each window of its inputs and outputs with a reference profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, SqlError
from pyflink_jobs.parsing.create_model import MONITOR
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.addition import Addition
from pyflink_jobs.planning.companion import Companion, GeneratedInsert
from pyflink_jobs.planning.companions.drift_sql import TABLES, Functions, drift_views, insert_sql
from pyflink_jobs.planning.companions.event_time import check_columns
from pyflink_jobs.planning.companions.monitor_options import Monitored, bind_monitor, read_monitor
from pyflink_jobs.planning.flink.changes import NEW_ROWS
from pyflink_jobs.planning.flink.java_functions import create_function
from pyflink_jobs.planning.system_tables import missing_table, unknown_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.planning.addition import Tables
    from pyflink_jobs.planning.companion import Places
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.planning.scored_view import ScoredView
    from pyflink_jobs.project.settings import Project
    from udfs.drift.monitor import Monitor
    from udfs.scoring.model import ModelSpec

__all__ = ["Drift", "DriftOfModel"]


@dataclass(frozen=True)
class DriftOfModel(Addition):
    """A monitor, as it is added to the calls of its model."""

    monitored: Monitored

    @property
    def rider(self) -> Monitor:  # type: ignore[override]  # made when it is asked for
        """The counts of each batch."""
        return self.monitored.monitor

    @property
    def describe(self) -> str:
        """Window, slices and columns."""
        options, monitor = self.monitored.options, self.monitored.monitor
        slices = f" by {options.slice.value}" if options.slice else ""
        columns = f"{len(monitor.features)} columns"
        return (
            f"windows of {monitor.window} s of {options.time.value}{slices}; {columns}, {Path(monitor.reference).name}"
        )

    @property
    def kept(self) -> tuple[str, ...]:
        """Event time."""
        return (self.monitored.options.time.value,)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Event time in seconds, and the slice."""
        options = self.monitored.options
        # As a number: a timestamp of the year 9999 is beyond what pandas can hold.
        time = f"COALESCE(EXTRACT(EPOCH FROM {quoted(options.time.value)}), 0)"
        return (time, f"CAST({quoted(options.slice.value)} AS STRING)") if options.slice else (time,)

    @property
    def files(self) -> dict[Path, str]:
        """The reference profile."""
        return {Path(self.monitored.monitor.reference): self.monitored.monitor.sha256}

    def moved(self, locate: Callable[[str, str], str]) -> DriftOfModel:
        """Return the same with its profile elsewhere."""
        monitor = self.monitored.monitor
        monitor = replace(monitor, reference=locate(monitor.reference, monitor.sha256))
        return DriftOfModel(replace(self.monitored, monitor=monitor))

    def check(self, call: Call, schema: Mapping[str, str], shown: str, tables: Tables) -> Iterable[Finding]:
        """Find what keeps it from its event time or its slices, and rows that it would count although they change."""
        if tables.changes(call):
            return [_of_changes(call, self.monitored, shown)]
        return check_columns(tables, call, self.monitored.options, schema, shown)

    def views(self, scored: str, number: int, environment: TableEnvironment) -> dict[str, str]:
        """Return the views from partial counts to new results."""
        from udfs.drift.history import BLOCK
        from udfs.drift.reference import LEVELS
        from udfs.flink.drift import comparing_function, judging_function

        monitor, named = self.monitored.monitor, self._names(number)
        spans = str(monitor.window), str(monitor.allowed_lateness)
        create_function(environment, named.merge, "WindowCounts", *spans, str(LEVELS))
        create_function(environment, named.gather, "WindowHistory", *spans, str(BLOCK))
        environment.create_temporary_function(quoted(named.compare), comparing_function(monitor))
        environment.create_temporary_function(quoted(named.judge), judging_function(monitor, named.judge))
        return drift_views(self.monitored, scored, number, named)

    def functions(self, number: int) -> dict[str, object]:
        """Return the functions that merge and compare counts, gather what is compared, and judge it."""
        return dict.fromkeys(self._names(number), replace(self.monitored.monitor, reference=""))

    def _names(self, number: int) -> Functions:
        return Functions(*(f"{kind}_{self.monitored.monitor.model}_{number}" for kind in Functions._fields))


class Drift(Companion):
    """Goes with models that have options such as 'monitor.time'."""

    name = "drift"
    prefix = MONITOR
    tables = TABLES

    def bind(
        self, model: ModelDefinition, spec: ModelSpec | None, project: Project
    ) -> tuple[DriftOfModel | None, list[Finding]]:
        """Read the monitor's options and compare them with the reference profile."""
        options, findings = read_monitor(model)
        if options is None or spec is None:
            return None, findings
        monitored, findings = bind_monitor(model, options, spec, project)
        return (DriftOfModel(monitored) if monitored else None), findings

    def inserts(
        self, job: Job, views: list[ScoredView], tables: Tables, places: Places | None
    ) -> list[GeneratedInsert]:
        """Return the INSERTs into `drift` and `alerts`; a replay has none.

        Raises SqlError where either table is missing or has a column that no record has.
        """
        inserts: list[GeneratedInsert] = []
        for view in views if places is None else ():
            added = view.model.additions.get(self.name)
            if isinstance(added, DriftOfModel):
                inserts += _inserts(job.name, added.monitored, [*view.added[self.name]][-1], tables)
        return inserts


def _of_changes(call: Call, monitored: Monitored, shown: str) -> Finding:
    model = monitored.monitor.model
    message = f"model `{model}` is monitored, and rows of {shown} are updated or deleted after they are scored"
    facts = (f"call at {call.place}", "a window counts each row once, and could not take it back")
    ways = (*NEW_ROWS, "declare the model a second time without the options monitor.*, and call that")
    return Finding(message, monitored.options.time.place, facts, ways)


def _inserts(job: str, monitored: Monitored, new_results: str, tables: Tables) -> list[GeneratedInsert]:
    findings, inserts = [], []
    for table, known in TABLES.items():
        statement = tables.statements.get(table)
        if statement is None:
            message, facts, ways = missing_table(table, f"model `{monitored.monitor.model}` is monitored", known)
            findings.append(Finding(message, monitored.options.time.place, facts, ways))
            continue
        columns = tables.columns_of_sink(table)
        findings += unknown_columns(statement, columns, known)
        if not findings:
            inserts.append(GeneratedInsert(table, insert_sql(monitored, job, new_results, table, columns)))
    if findings:
        raise SqlError(findings)
    return inserts
