"""Which calls of Flink's functions end a job at some values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.failures.lineage import definition_of, names
from pyflink_jobs.planning.failures.relation import LITERAL, Expression, is_number, is_text
from pyflink_jobs.planning.failures.scope import (
    Scope,
    branches,
    conjuncts,
    is_approximate,
    negated,
    signs_of,
)
from pyflink_jobs.planning.failures.signs import UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.planning.failures.relation import Relation
    from pyflink_jobs.planning.failures.scope import Rules

__all__ = ["DIVISION", "FUNCTIONS", "NOT_FINITE", "TEXT", "FailingCall", "failing_calls"]

DIVISION, TEXT, NOT_FINITE = "division", "text", "not finite"
SAFE = ""
"""Of a division by what is never 0, which is reported for its place: it is not that of another division."""

_DIVIDES = ("/", "/INT", "MOD", "%")
_NESTED = ("ARRAY", "MAP", "ROW", "MULTISET")
_TEXT_TYPE = re.compile(r"\b(?:VARCHAR|CHAR|STRING)\b")
_LOOKS_AT = ("REGEXP", "SIMILAR TO", "LIKE", "IS_DIGIT", "IS_DECIMAL", "TRY_CAST", "IN", "=", "IS JSON VALUE")
"""Conditions on a text by which a query shows that it knows what is in it."""
_WRITE_TIMES = ("CONVERT_TZ", "DATE_FORMAT", "FROM_UNIXTIME")
"""Functions whose text is that of a time, or NULL."""
_NULL_WITHOUT = ("SUM", "AVG", "MIN", "MAX", "FIRST_VALUE", "LAST_VALUE")
"""Aggregates that are NULL where the COUNT of the same column is 0: Flink divides no NULL."""

FUNCTIONS = {
    "FROM_BASE64": "a text that is not Base64",
    "PARSE_JSON": "a text that is not JSON",
    "ELEMENT": "an array of several elements",
    "MAP_FROM_ARRAYS": "two arrays of different lengths",
    "JSON_VALUE": "what ERROR ON stands for",
    "RETURNING": "a value of another type than RETURNING says",
    "JSON_QUERY": "what ERROR ON stands for",
    "JSON_EXISTS": "what ERROR ON stands for",
}
"""What ends a job in a call of a function."""


@dataclass(frozen=True)
class FailingCall:
    """A call that ends a job at some values, in a query.

    `kind` is that of its values: `DIVISION`, `TEXT`, `NOT_FINITE`, the name of a function, or `SAFE`. `name` is the
    function's, `type` the type of the result, `columns` are the names of what it is computed from, `source` the table
    and the column that a divisor or a text is.
    """

    kind: str
    name: str
    type: str
    columns: frozenset[str]
    source: tuple[str, str] | None = None


def failing_calls(relation: Relation, rules: Rules, checked: frozenset[tuple[str, str]]) -> Iterator[FailingCall]:
    """Yield the calls in a relation, not in those that it reads, that end a job at some values.

    `checked` are the columns of texts, each with its table, whose form a rule of their source checks.
    """
    scope = Scope((), rules).of(relation)
    conditions = [*conjuncts(relation.expressions[0])] if relation.kind in ("Filter", "Join") else []
    for number, condition in enumerate(conditions):
        yield from _calls(condition, scope.where(*conditions[:number]), checked)
    for expression in relation.expressions if not conditions else ():
        yield from _calls(expression, scope, checked)


def _calls(expression: Expression, scope: Scope, checked: frozenset[tuple[str, str]]) -> Iterator[FailingCall]:
    name, operands = expression.name, expression.operands
    if name in ("CASE", "IF", "AND", "OR"):
        for part, holding in branches(expression):
            yield from _calls(part, scope.where(*holding), checked)
        return
    for operand in operands if name != "TRY_CAST" else ():
        yield from _calls(operand, scope, checked)
    kind = _kind(expression, scope, checked)
    if kind or name in _DIVIDES:
        critical = operands[1] if name in _DIVIDES else operands[0]
        columns = frozenset(names(expression, scope.inputs))
        made, relation = definition_of(critical, scope.inputs)
        source = (relation.table, relation.columns[made.number]) if relation and relation.table else None
        yield FailingCall(kind or SAFE, name, expression.type, columns, source)


def _kind(call: Expression, scope: Scope, checked: frozenset[tuple[str, str]]) -> str | None:
    """Return of which kind the values are that a call fails at; None for one that fails at none."""
    name, operands = call.name, call.operands
    if name in _DIVIDES:
        exact = is_number(call.type) and not is_approximate(call.type)
        return DIVISION if exact and _divides_by_zero(*operands, scope=scope) else None
    if name in ("CAST", "ROUND", "TRUNCATE"):
        return _kind_of_conversion(call, operands[0], scope, checked)
    if name not in FUNCTIONS:
        return None
    if name.startswith("JSON_"):
        fails = any(operand.name == LITERAL and operand.value == "ERROR" for operand in operands)
        if not fails and name == "JSON_VALUE" and not is_text(call.type):
            return "RETURNING"
    elif name == "MAP_FROM_ARRAYS":
        fails = True
    else:
        fails = any(operand.name != LITERAL for operand in operands) and not _looked_at(operands[0], scope)
    return name if fails else None


def _divides_by_zero(dividend: Expression, divisor: Expression, *, scope: Scope) -> bool:
    if 0 not in signs_of(divisor, scope.where(*_not_null(dividend))):
        return False
    value, count = (_aggregate(*definition_of(each, scope.inputs)) for each in (dividend, divisor))
    return not (count[0] == "COUNT" and value[0] in _NULL_WITHOUT and value[1:] == count[1:])


def _aggregate(column: Expression, relation: Relation | None) -> tuple[str, Relation | None, tuple[int, ...]]:
    """Return the function, the relation and the arguments of what a column aggregates; "" for all else."""
    if relation is None or relation.kind != "Aggregate":
        return "", None, ()
    name, arguments = relation.calls[column.number - len(relation.groups)]
    return name, relation, arguments


def _not_null(expression: Expression) -> tuple[Expression, ...]:
    """Return conditions that hold where an expression is not NULL: Flink makes a CASE of SUM(a) OVER w."""
    if expression.name == "CAST":
        return _not_null(expression.operands[0])
    if expression.name != "CASE" or len(expression.operands) != 3:  # noqa: PLR2004 - one condition
        return ()
    condition, value, otherwise = expression.operands
    empty = [each.name == LITERAL and each.value is None for each in (value, otherwise)]
    return (condition,) if empty[1] else (negated(condition),) if empty[0] else ()


def _kind_of_conversion(
    call: Expression, operand: Expression, scope: Scope, checked: frozenset[tuple[str, str]]
) -> str | None:
    given, wanted = operand.type, call.type
    if call.name == "CAST" and given.startswith(_NESTED):
        return TEXT if len(_TEXT_TYPE.findall(given)) > len(_TEXT_TYPE.findall(wanted)) else None
    if call.name == "CAST" and is_text(given):
        return None if _fits(wanted, operand, scope, checked) else TEXT
    exact = call.name != "CAST" or wanted.startswith("DECIMAL")
    return NOT_FINITE if exact and is_approximate(given) and UNDEFINED in signs_of(operand, scope) else None


def _fits(target: str, text: Expression, scope: Scope, checked: frozenset[tuple[str, str]]) -> bool:
    """Return whether the text of a CAST always is what it is cast to, as far as the query says."""
    of_time = target.startswith(("DATE", "TIME"))
    parsed = is_number(target) or target.startswith("BOOLEAN") or of_time
    if not parsed or text.name == LITERAL or _looked_at(text, scope) or (of_time and text.name in _WRITE_TIMES):
        return True
    made, relation = definition_of(text, scope.inputs)
    if relation and (relation.table, relation.columns[made.number]) in checked:
        return True
    return bool(made.type) and not is_text(made.type)  # of a number or a time: CAST(CAST(n AS STRING) AS INT)


def _looked_at(text: Expression, scope: Scope) -> bool:
    return any(_looks_at(condition, text) for condition in scope.holding)


def _looks_at(condition: Expression, text: Expression) -> bool:
    if condition.name in _LOOKS_AT and text in condition.operands:
        return True
    return any(_looks_at(operand, text) for operand in condition.operands)
