"""Numbers that are NaN or infinite by what SQL computes: divisions of DOUBLE by 0, logarithms of 0, roots below 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.planning.failures.lineage import column_of
from pyflink_jobs.planning.failures.relation import name_of, operands_of, type_of
from pyflink_jobs.planning.failures.values import Scope, below, branches, numbers_of

if TYPE_CHECKING:
    from pyflink_jobs.planning.failures.relation import Expression

__all__ = ["is_number", "undefined"]

_NUMBERS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE")
_PASSES_ON = ("+", "-", "*", "/", "ABS", "COALESCE", "IFNULL", "GREATEST", "LEAST", "POWER", "CAST")
_SIDE_BY_SIDE = ("Join", "Correlate", "TableFunctionScan")
_AGGREGATES = ("SUM", "AVG", "MIN", "MAX", "FIRST_VALUE", "LAST_VALUE")


def is_number(sql_type: str) -> bool:
    """Return whether a type is one of numbers; INTERVAL is none."""
    return sql_type.startswith(_NUMBERS) and not sql_type.startswith("INTERVAL")


def undefined(expression: Expression, scope: Scope) -> bool:
    """Return whether an expression may be NaN or infinite although the columns of tables are not."""
    name, operands = name_of(expression), operands_of(expression)
    if expression.get("kind") == "INPUT_REF":
        return _of_column(expression, scope)
    if name in ("CASE", "IF"):
        return any(undefined(part, scope.where(*holding)) for part, holding in branches(expression))
    if name == "/" and type_of(expression).startswith(("DOUBLE", "FLOAT")) and numbers_of(operands[1], scope).has_zero:
        return True
    if name in ("LN", "LOG", "LOG2", "LOG10"):
        return numbers_of(operands[-1], scope).low <= 0 and not _above_zero(operands[-1], scope)
    if name == "POWER" and _undefined_power(operands, scope):
        return True
    return name in _PASSES_ON and any(undefined(operand, scope) for operand in operands)


def _undefined_power(operands: list[Expression], scope: Scope) -> bool:
    """Return whether a power is a root of a number below 0, or a reciprocal of 0; SQRT(x) is POWER(x, 0.5) to Flink."""
    base, exponent = (numbers_of(operand, scope) for operand in operands)
    whole = exponent.low == exponent.high and exponent.low % 1 == 0
    return (base.low < 0 and not whole) or (base.has_zero and exponent.low < 0)


def _above_zero(expression: Expression, scope: Scope) -> bool:
    numbers = numbers_of(expression, scope)
    return numbers.low >= 0 and not numbers.has_zero


def _of_column(reference: Expression, scope: Scope) -> bool:
    found = column_of(reference, scope.inputs)
    if found is None:
        return False
    relation, number = found
    inner = below(relation, scope.rules)
    if relation.kind == "Project":
        return undefined(relation.expressions[number], inner)
    if relation.kind == "Aggregate":
        given = [("MIN", (group,)) for group in relation.groups] + [*relation.calls]
        name, arguments = given[number]
        return name in _AGGREGATES and any(undefined(_reference(argument), inner) for argument in arguments)
    return (relation.kind in _SIDE_BY_SIDE or relation.keeps_rows) and undefined(_reference(number), inner)


def _reference(number: int) -> Expression:
    return {"kind": "INPUT_REF", "inputIndex": number}
