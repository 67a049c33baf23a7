"""Exactly-once tables take one INSERT a job: each INSERT has a sink of its own, and two would share transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.parsing.create_table import read_source
from pyflink_jobs.planning.companions.quarantine_sql import QUARANTINE
from pyflink_jobs.planning.dependencies import needed_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = ["check_inserts"]

_GUARANTEE = "sink.delivery-guarantee"


def check_inserts(job: list[Statement], created: list[Statement]) -> list[Finding]:
    """Return a finding for each INSERT of a job into an exactly-once table that has one already.

    A job that scores has one of Millstream's into the table `quarantine`.
    """
    scores = any(statement.kind == "CREATE MODEL" for statement in needed_by(job, created))
    first: dict[str | None, str] = {QUARANTINE: "Millstream's own"} if scores else {}
    findings = []
    for statement in job:
        if statement.kind != "INSERT INTO":
            continue
        if statement.name in first and _is_exactly_once(statement.name, created):
            findings.append(
                Finding(
                    f"a second INSERT into `{statement.name}`, whose sink is exactly-once",
                    statement.place(),
                    facts=(
                        f"the first: {first[statement.name]}",
                        "each INSERT has a sink of its own; two would commit and abort each other's transactions",
                    ),
                    fixes=(
                        "write one INSERT, with UNION ALL between what were two",
                        "give each a table, with another 'sink.transactional-id-prefix'",
                    ),
                )
            )
        first.setdefault(statement.name, str(statement.place()))
    return findings


def _is_exactly_once(name: str | None, created: Iterable[Statement]) -> bool:
    tables = [read_source(one) for one in created if one.kind == "CREATE TABLE" and one.name == name]
    return any(table and table.option(_GUARANTEE) == "exactly-once" for table in tables)
