"""The calls in SQL that end a job at some values: of a project before it runs, and of a job that has failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.failures.calls import SAFE, failing_calls
from pyflink_jobs.planning.failures.findings import failing_finding
from pyflink_jobs.planning.failures.places import place_of, written_calls
from pyflink_jobs.planning.failures.source_rules import checked_texts, rules_of
from pyflink_jobs.planning.failures.traces import kind_of_failure
from pyflink_jobs.planning.flink.relations import RelationReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.compile.plan import PlannedJob
    from pyflink_jobs.planning.failures.calls import FailingCall
    from pyflink_jobs.planning.flink.errors import FlinkMessage
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["FailedCalls", "calls_that_failed", "find_failing_calls", "job_statements"]

_MOST = 5  # calls that are named


def find_failing_calls(
    environment: TableEnvironment,
    statements: Iterable[tuple[Statement, str]],
    validated: Mapping[str, ValidatedSource],
) -> Iterator[tuple[FailingCall, Finding]]:
    """Yield the calls that end a job at some values, each with its finding.

    `statements` are those that create tables and views, and INSERTs, each after those that it reads and with the text
    that Flink gets; all are loaded.
    """
    reader = RelationReader(environment)
    for statement, text in statements:
        creates = statement.kind in ("CREATE TABLE", "CREATE VIEW")
        written = written_calls(statement) if creates or text else []
        if not written:
            continue
        # A view is part of what reads it: what it has itself was read before, and is reported at its own place.
        added = reader.read(f"SELECT * FROM {quoted(statement.name or '')}" if creates else text)
        # A table computes its own columns before a rule is asked.
        of_rules = {} if statement.kind == "CREATE TABLE" else validated
        rules, checked = rules_of(of_rules), checked_texts(of_rules)
        for call in (call for relation in added for call in failing_calls(relation, rules, checked)):
            place = place_of(call, written)
            if place and (call.kind != SAFE or place.names <= call.columns):
                written.remove(place)
            if place and call.kind != SAFE:
                yield call, failing_finding(statement, call, place, validated)


def job_statements(job_own: Iterable[Statement], inserts: Iterable[str]) -> list[tuple[Statement, str]]:
    """Return a job's own statements, its INSERTs with the texts that Flink gets: theirs are the first of `inserts`."""
    texts = iter(inserts)
    return [(s, next(texts, "") if s.kind == "INSERT INTO" else "") for s in job_own]


@dataclass(frozen=True)
class FailedCalls:
    """What a job failed at, where that may be, and the fixes."""

    what: str
    places: tuple[str, ...]
    fixes: tuple[str, ...]


def calls_that_failed(planned: PlannedJob, message: FlinkMessage) -> FailedCalls | None:
    """Return the calls that a failure may come from, which Flink does not name.

    It is None where the failure is of another kind, or no call is known.
    """
    found = kind_of_failure(message.trace)
    if found is None:
        return None
    what, kinds = found
    job = planned.job
    statements = [*((statement, "") for statement in job.needed), *job_statements(job.own, planned.inserts)]
    calls = find_failing_calls(planned.environment, statements, job.validated)
    findings = [finding for call, finding in calls if call.kind in kinds]
    if not findings:
        return None
    places = tuple(f"{finding.place}: {finding.message}" for finding in findings[:_MOST])
    more = (f"and {len(findings) - _MOST} more: millstream check",) if len(findings) > _MOST else ()
    return FailedCalls(what, (*places, *more), findings[0].fixes if len(findings) == 1 else findings[0].fixes[:1])
