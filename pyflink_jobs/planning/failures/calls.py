"""Which calls of Flink's functions end a job at some values, and what to write in their place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.failures.lineage import defined_by, names, origins
from pyflink_jobs.planning.failures.relation import name_of, operands_of, same, type_of
from pyflink_jobs.planning.failures.undefined import is_number, undefined
from pyflink_jobs.planning.failures.values import below, branches, conjuncts, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyflink_jobs.planning.failures.relation import Expression, Relation
    from pyflink_jobs.planning.failures.values import Rules, Scope

__all__ = ["DIVISION", "FUNCTIONS", "TEXT", "FailingCall", "failing_calls"]

DIVISION, TEXT, UNDEFINED = "division", "text", "undefined"

_DIVIDES = ("/", "/INT", "MOD", "%")
_APPROXIMATE = ("DOUBLE", "FLOAT")
_TEXTS = ("CHAR", "VARCHAR", "STRING")
_NESTED = ("ARRAY", "MAP", "ROW", "MULTISET")
_TEXT_TYPE = re.compile(r"\b(?:VARCHAR|CHAR|STRING)\b")
_LOOKS_AT = ("REGEXP", "SIMILAR TO", "LIKE", "IS_DIGIT", "IS_DECIMAL", "TRY_CAST", "IN", "=", "SEARCH", "IS JSON VALUE")
"""Conditions on a text by which a query shows that it knows what is in it."""

FUNCTIONS = {
    "FROM_BASE64": "a text that is not Base64",
    "PARSE_JSON": "a text that is not JSON",
    "ELEMENT": "an array of several elements",
    "MAP_FROM_ARRAYS": "two arrays of different lengths",
    "JSON_VALUE": "what ERROR ON stands for",
    "JSON_QUERY": "what ERROR ON stands for",
    "JSON_EXISTS": "what ERROR ON stands for",
}
"""What ends a job in a call of a function."""


@dataclass(frozen=True)
class FailingCall:
    """A call that ends a job at some values, in a query.

    `kind` is that of its values: `DIVISION`, `TEXT`, `UNDEFINED`, or the name of a function. `name` is the function's,
    `type` the type of the result, `columns` are the names of what it is computed from, `sources` the columns of tables
    that a divisor or a text is, each with its table.
    """

    kind: str
    name: str
    type: str
    columns: frozenset[str]
    sources: frozenset[tuple[str, str]]


def failing_calls(
    relation: Relation, rules: Rules, checked: frozenset[tuple[str, str]], others: Sequence[Relation] = ()
) -> Iterator[FailingCall]:
    """Yield the calls in a query that end a job at some values.

    `checked` are the columns of texts, each with its table, whose form a rule of their source checks. What is in
    `others`, the views that the query reads, is passed over.
    """
    for each in relation.without(others):
        scope = below(each, rules)
        for expression in each.expressions:
            yield from _calls(expression, scope, checked)
        holding: tuple[Expression, ...] = ()
        for condition in conjuncts(each.condition) if each.condition else ():
            yield from _calls(condition, scope.where(*holding), checked)
            holding += (condition,)


def _calls(expression: Expression, scope: Scope, checked: frozenset[tuple[str, str]]) -> Iterator[FailingCall]:
    name = name_of(expression)
    if name in ("CASE", "IF", "AND", "OR"):
        for part, holding in branches(expression):
            yield from _calls(part, scope.where(*holding), checked)
        return
    operands = operands_of(expression)
    for operand in operands if name != "TRY_CAST" else operands[:0]:
        yield from _calls(operand, scope, checked)
    if name == "NULLIF" or (kind := _kind(name, expression, scope, checked)) is None:
        return
    critical = operands[1] if kind == DIVISION else operands[0]
    yield FailingCall(
        kind, name, type_of(expression), frozenset(names(expression, scope.inputs)),
        frozenset(origins(critical, scope.inputs)),
    )  # fmt: skip


def _kind(name: str, call: Expression, scope: Scope, checked: frozenset[tuple[str, str]]) -> str | None:
    """Return of which kind the values are that a call fails at; None for one that fails at none."""
    operands = operands_of(call)
    if name in _DIVIDES:
        exact = is_number(type_of(call)) and not type_of(call).startswith(_APPROXIMATE)
        return DIVISION if exact and numbers_of(operands[1], scope).has_zero else None
    if name in ("CAST", "ROUND", "TRUNCATE"):
        return _kind_of_conversion(name, call, operands[0], scope, checked)
    if name.startswith("JSON_"):
        fails = any("symbol" in operand and operand.get("value") == "ERROR" for operand in operands)
    else:
        fails = any(operand.get("kind") != "LITERAL" for operand in operands)
        fails = fails and (name == "MAP_FROM_ARRAYS" or not _looked_at(operands[0], scope))
    return name if name in FUNCTIONS and fails else None


def _kind_of_conversion(
    name: str, call: Expression, operand: Expression, scope: Scope, checked: frozenset[tuple[str, str]]
) -> str | None:
    given, wanted = type_of(operand), type_of(call)
    if name == "CAST" and given.startswith(_NESTED):
        return TEXT if len(_TEXT_TYPE.findall(given)) > len(_TEXT_TYPE.findall(wanted)) else None
    if name == "CAST" and given.startswith(_TEXTS):
        return None if _fits(call, operand, scope, checked) else TEXT
    exact = name != "CAST" or wanted.startswith("DECIMAL")
    return UNDEFINED if exact and given.startswith(_APPROXIMATE) and undefined(operand, scope) else None


def _fits(cast: Expression, text: Expression, scope: Scope, checked: frozenset[tuple[str, str]]) -> bool:
    """Return whether the text of a CAST always is what it is cast to, as far as the query says."""
    target = type_of(cast)
    parsed = is_number(target) or target.startswith(("BOOLEAN", "DATE", "TIME"))
    if not parsed or text.get("kind") == "LITERAL":
        return True
    sources = origins(text, scope.inputs)
    return (bool(sources) and sources <= checked) or _looked_at(text, scope) or _is_of_numbers(text, scope)


def _looked_at(text: Expression, scope: Scope) -> bool:
    return any(_looks_at(condition, text) for condition in scope.holding)


def _looks_at(condition: Expression, text: Expression) -> bool:
    operands = operands_of(condition)
    if name_of(condition) in _LOOKS_AT and any(same(operand, text) for operand in operands):
        return True
    return any(_looks_at(operand, text) for operand in operands)


def _is_of_numbers(text: Expression, scope: Scope) -> bool:
    """Return whether a text is made from a number or a time: CAST(CAST(n AS STRING) AS INT)."""
    if name_of(text) == "CAST":
        return not type_of(operands_of(text)[0]).startswith(_TEXTS)
    defined = defined_by(text, scope.inputs)
    return (
        defined is not None and name_of(defined) == "CAST" and not type_of(operands_of(defined)[0]).startswith(_TEXTS)
    )
