"""Put statements into an order in which each finds what it reads."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, SqlError
from pyflink_jobs.parsing.create_model import MONITOR
from pyflink_jobs.planning.companions.drift_sql import ALERTS, DRIFT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = ["in_order", "needed_by"]


def in_order(statements: Iterable[Statement]) -> list[Statement]:
    """Return CREATE statements so that each stands behind those it mentions.

    Raises SqlError for a name that is defined twice and for views that read each other in a circle.
    """
    by_name: dict[str, Statement] = {}
    findings = []
    for statement in statements:
        name = statement.name or ""
        if name in by_name:
            findings.append(
                Finding(f"`{name}` is defined twice", statement.place(), (f"first at {by_name[name].place()}",))
            )
        by_name.setdefault(name, statement)
    if findings:
        raise SqlError(findings)
    try:
        graph = {name: _reads(statement, by_name) for name, statement in by_name.items()}
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        circle = error.args[1]
        raise SqlError(
            "views read each other in a circle",
            place=by_name[circle[0]].place(),
            facts=(" reads ".join(f"`{name}`" for name in reversed(circle)),),
        ) from error


def needed_by(statements: Iterable[Statement], created: list[Statement]) -> list[Statement]:
    """Return those of `created`, already in order, that `statements` read or write, directly or through others."""
    by_name = {statement.name or "": statement for statement in created}
    wanted: set[str] = set()
    queue = [name for statement in statements for name in statement.mentions(set(by_name))]
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue += _reads(by_name[name], by_name)
    return [statement for statement in created if statement.name in wanted]


def _reads(statement: Statement, by_name: dict[str, Statement]) -> set[str]:
    """Return the names that a statement needs: those it mentions; for a monitored model, those it writes to.

    A table mentions none but in LIKE, its columns are its own.
    """
    if statement.kind == "CREATE MODEL":
        monitored = any(token.kind == "string" and token.text.startswith(MONITOR) for token in statement.tokens)
        return {DRIFT, ALERTS} & set(by_name) if monitored else set()
    if statement.kind == "CREATE TABLE":
        words = statement.tokens
        return {b.text for a, b in pairwise(words) if a.says("LIKE")} & set(by_name)
    return statement.mentions(set(by_name)) - {statement.name or ""}
