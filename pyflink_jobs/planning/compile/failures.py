"""The calls in a job's or a project's SQL that end a job at some values: where they are, and their fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.failures.calls import failing_calls
from pyflink_jobs.planning.failures.findings import failing_finding
from pyflink_jobs.planning.failures.places import place_of, written_calls
from pyflink_jobs.planning.failures.source_rules import checked_texts, rules_of
from pyflink_jobs.planning.flink.relations import read_relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.failures.calls import FailingCall
    from pyflink_jobs.planning.failures.places import Written
    from pyflink_jobs.planning.failures.relation import Relation
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["find_failing_calls"]


def find_failing_calls(
    environment: TableEnvironment,
    statements: Iterable[tuple[Statement, str]],
    validated: Mapping[str, ValidatedSource],
) -> Iterator[tuple[FailingCall, Finding]]:
    """Yield the calls that end a job at some values, each with its finding.

    `statements` are those that create tables and views, and INSERTs, each after those that it reads and with the text
    that Flink gets; all are loaded.
    """
    views: dict[str, Relation] = {}
    for statement, text in statements:
        name, written = statement.name or "", written_calls(statement)
        creates = statement.kind in ("CREATE TABLE", "CREATE VIEW")
        if not written or not (creates or text):
            continue
        relation = read_relation(environment, f"SELECT * FROM {quoted(name)}" if creates else text)
        if relation is None:
            continue
        # A table computes its own columns before a rule is asked.
        of_rules = {} if statement.kind == "CREATE TABLE" else validated
        # A view is part of what reads it: what it has is reported at its own place.
        calls = failing_calls(relation, rules_of(of_rules), checked_texts(of_rules), [*views.values()])
        yield from _located(statement, calls, written, validated)
        if creates:
            views[name] = relation


def _located(
    statement: Statement, calls: Iterable[FailingCall], written: list[Written], validated: Mapping[str, ValidatedSource]
) -> Iterator[tuple[FailingCall, Finding]]:
    reported: set[int] = set()
    for call in calls:
        place = place_of(call, [each for each in written if each.start not in reported])
        if place:
            reported.add(place.start)
            yield call, failing_finding(statement, call, place, validated)
