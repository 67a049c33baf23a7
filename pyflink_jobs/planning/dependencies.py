"""Put statements into an order in which each finds what it reads."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, SqlError
from pyflink_jobs.parsing.brackets import top_level
from pyflink_jobs.parsing.option import read_options
from pyflink_jobs.planning.extensions import extensions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = ["in_order", "needed_by", "tables_of_model"]


def in_order(statements: Iterable[Statement]) -> list[Statement]:
    """Return CREATE statements so that each follows those that it mentions.

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


def tables_of_model(statement: Statement) -> set[str]:
    """Return the system tables that a CREATE MODEL statement asks for, by its options; not all need be declared."""
    options = read_options(statement)
    return {
        table
        for companion in extensions("millstream.companions")
        if any(option.startswith(companion.prefix) for option in options)
        for table in companion.tables
    }


def _reads(statement: Statement, by_name: dict[str, Statement]) -> list[str]:
    """Return the names that a statement needs: those it mentions; of a model, the system tables that it asks for.

    They are sorted, so that the order of statements, and with it a plan, is the same in each process.

    A table mentions none but in LIKE, its columns are its own.
    """
    if statement.kind == "CREATE MODEL":
        return sorted(tables_of_model(statement) & set(by_name))
    if statement.kind == "CREATE TABLE":
        words = top_level(statement.tokens)
        return sorted({b.text for a, b in pairwise(words) if a.says("LIKE")} & set(by_name))
    return sorted(statement.mentions(set(by_name)) - {statement.name or ""})
