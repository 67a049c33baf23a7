"""Which numbers an expression can be, from what SQL says: literals, counts, conditions, and rules of sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from math import inf
from operator import or_
from typing import TypeAlias

from pyflink_jobs.planning.failures.relation import (
    Expression,
    Relation,
    literal_of,
    name_of,
    negated,
    operands_of,
    same,
    type_of,
)

__all__ = ["Numbers", "Rules", "Scope", "below", "branches", "conjuncts", "numbers_of"]

Rules: TypeAlias = Callable[[str, str], "Numbers"]
"""Returns the numbers that a column of a table can be, by the rules of a source; both by name."""

_INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")
_ONE_OF_ITS_ROWS = ("MIN", "MAX", "FIRST_VALUE", "LAST_VALUE", "SINGLE_VALUE", "LAG", "LEAD", "$SUM0")
_SIDE_BY_SIDE = ("Join", "Correlate", "TableFunctionScan", "Intersect", "Minus")
_NEGATED = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class Numbers:
    """From `low` to `high`; `zero` is whether 0 can be among them. NULL is always allowed."""

    low: float = -inf
    high: float = inf
    zero: bool = True

    @property
    def has_zero(self) -> bool:
        """Whether one of them is 0."""
        return self.zero and self.low <= 0 <= self.high

    def __or__(self, other: Numbers) -> Numbers:
        return Numbers(min(self.low, other.low), max(self.high, other.high), self.has_zero or other.has_zero)

    def __and__(self, other: Numbers) -> Numbers:
        return Numbers(max(self.low, other.low), min(self.high, other.high), self.has_zero and other.has_zero)


ALL = Numbers()
NONE = Numbers(inf, -inf, zero=False)


@dataclass(frozen=True)
class Scope:
    """Where an expression is: the relations whose columns it refers to, and conditions that hold for their rows."""

    inputs: tuple[Relation, ...]
    rules: Rules
    holding: tuple[Expression, ...] = ()

    def where(self, *conditions: Expression) -> Scope:
        """Return the scope of rows for which conditions hold as well."""
        return Scope(self.inputs, self.rules, (*self.holding, *conditions))

    def column(self, number: int) -> Numbers:
        """Return the numbers that a column of the inputs can be."""
        for relation in self.inputs:
            if number < len(relation.columns):
                return _column(relation, number, self.rules)
            number -= len(relation.columns)
        return ALL


def below(relation: Relation, rules: Rules) -> Scope:
    """Return the scope of a relation's own expressions."""
    holding = _holding(relation.inputs[0]) if len(relation.inputs) == 1 else ()
    return Scope(relation.inputs, rules, tuple(holding))


def conjuncts(condition: Expression) -> list[Expression]:
    """Return the conditions that AND connects."""
    if name_of(condition) == "AND":
        return [*chain.from_iterable(map(conjuncts, operands_of(condition)))]
    return [condition]


def branches(call: Expression) -> list[tuple[Expression, list[Expression]]]:
    """Return the parts of a CASE, IF, AND or OR, each with the conditions that hold where it is computed."""
    name, operands = name_of(call), operands_of(call)
    found: list[tuple[Expression, list[Expression]]] = []
    passed: list[Expression] = []
    if name in ("AND", "OR"):
        for operand in operands:
            found.append((operand, [*passed]))
            passed.append(operand if name == "AND" else negated(operand))
        return found
    *pairs, otherwise = operands
    for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
        found += [(condition, [*passed]), (value, [*passed, condition])]
        passed.append(negated(condition))
    return [*found, (otherwise, passed)]


def numbers_of(expression: Expression, scope: Scope) -> Numbers:
    """Return the numbers that an expression can be."""
    found = _computed(expression, scope)
    for condition in scope.holding:
        found = _narrowed(found, expression, condition, scope)
    return found


def _computed(expression: Expression, scope: Scope) -> Numbers:
    if expression.get("kind") == "LITERAL":
        return _of_literal(expression)
    if expression.get("kind") == "INPUT_REF":
        return scope.column(int(expression["inputIndex"]))
    name, operands = name_of(expression), operands_of(expression)
    if name in ("CASE", "IF"):
        return _any(numbers_of(part, scope.where(*holding)) for part, holding in _values(expression))
    if name in ("CAST", "TRY_CAST", "REINTERPRET"):
        return _cast(expression, operands[0], scope)
    return _of_call(name, operands, scope)


def _of_call(name: str, operands: list[Expression], scope: Scope) -> Numbers:
    if name == "COUNT":  # of an OVER window, which has the row itself
        return Numbers(low=0 if operands else 1)
    if (name == "*" and same(*operands)) or (name == "POWER" and (literal_of(operands[1]) or 1) % 2 == 0):
        return Numbers(low=0, zero=numbers_of(operands[0], scope).has_zero)
    return _OF_OPERANDS[name]([numbers_of(operand, scope) for operand in operands]) if name in _OF_OPERANDS else ALL


def _values(call: Expression) -> list[tuple[Expression, list[Expression]]]:
    """Return the values of a CASE or an IF, without its conditions."""
    parts = branches(call)
    return [*parts[1:-1:2], parts[-1]]


def _cast(cast: Expression, operand: Expression, scope: Scope) -> Numbers:
    given = numbers_of(operand, scope)
    if type_of(cast) in _INTEGERS and type_of(operand) not in _INTEGERS:
        return Numbers(given.low, given.high, zero=given.low < 1 and given.high > -1)
    return given


def _of_literal(literal: Expression) -> Numbers:
    if literal.get("value") is None:
        return NONE
    number = literal_of(literal)
    return ALL if number is None else Numbers(number, number, zero=number == 0)


def _not_equal(given: list[Numbers]) -> Numbers:
    """Return what NULLIF makes: its first operand where that is not its second."""
    first, second = given
    return Numbers(first.low, first.high, zero=first.zero and second != Numbers(0, 0))


def _any(found: Iterable[Numbers]) -> Numbers:
    return reduce(or_, found, NONE)


def _sum(given: list[Numbers]) -> Numbers:
    return Numbers(sum(each.low for each in given), sum(each.high for each in given))


def _difference(given: list[Numbers]) -> Numbers:
    first, *rest = given
    if not rest:
        return Numbers(-first.high, -first.low, first.zero)
    return Numbers(first.low - rest[0].high, first.high - rest[0].low)


def _product(given: list[Numbers]) -> Numbers:
    zero = any(each.has_zero for each in given)
    if all(each.low >= 0 for each in given):
        return Numbers(0, inf, zero)
    return Numbers(zero=zero)


def _absolute(given: list[Numbers]) -> Numbers:
    return Numbers(max(0, given[0].low), inf, given[0].has_zero)


_OF_OPERANDS: dict[str, Callable[[list[Numbers]], Numbers]] = {
    "COALESCE": _any,
    "IFNULL": _any,
    "NULLIF": _not_equal,
    "+": _sum,
    "-": _difference,
    "*": _product,
    "ABS": _absolute,
    "SIGN": lambda given: Numbers(-1, 1, given[0].has_zero),
    "GREATEST": lambda given: Numbers(max(each.low for each in given), max(each.high for each in given)),
    "LEAST": lambda given: Numbers(min(each.low for each in given), min(each.high for each in given)),
    "CHAR_LENGTH": lambda _: Numbers(low=0),
    "CHARACTER_LENGTH": lambda _: Numbers(low=0),
    "CARDINALITY": lambda _: Numbers(low=0),
    "EXP": lambda _: Numbers(low=0, zero=False),
}


def _narrowed(found: Numbers, expression: Expression, condition: Expression, scope: Scope) -> Numbers:
    """Return which of the numbers an expression can be where a condition holds."""
    name, operands = name_of(condition), operands_of(condition)
    if name == "AND":
        for operand in operands:
            found = _narrowed(found, expression, operand, scope)
    elif name == "OR":
        found = _any([_narrowed(found, expression, operand, scope) for operand in operands])
    elif name == "IS TRUE":
        found = _narrowed(found, expression, operands[0], scope)
    elif name == "NOT" and (opposite := _opposite(operands[0])):
        found = _narrowed(found, expression, opposite, scope)
    elif name == "SEARCH" and same(operands[0], expression):
        found &= _searched(operands[1])
    elif name in _MIRRORED:
        left, right = operands
        plain = Scope(scope.inputs, scope.rules)
        if same(left, expression):
            found &= _compared(name, _computed(right, plain))
        elif same(right, expression):
            found &= _compared(_MIRRORED[name], _computed(left, plain))
    return found


def _opposite(condition: Expression) -> Expression | None:
    """Return what holds where a condition does not, or is NULL: then what it compares is NULL."""
    name, operands = name_of(condition), operands_of(condition)
    if name in _NEGATED:
        return {**condition, "internalName": f"${_NEGATED[name]}$1"}
    if name == "OR":
        return {**condition, "internalName": "$AND$1", "operands": [negated(operand) for operand in operands]}
    return operands[0] if name == "NOT" else None


def _compared(sign: str, other: Numbers) -> Numbers:
    """Return the numbers that compare so with one of some others."""
    if sign == "=":
        return other
    if sign == "<>":
        return Numbers(zero=other != Numbers(0, 0))
    if sign in ("<", "<="):
        return Numbers(high=other.high, zero=sign == "<=" or other.high > 0)
    return Numbers(low=other.low, zero=sign == ">=" or other.low < 0)


def _searched(sarg: Expression) -> Numbers:
    """Return the numbers in the ranges that Calcite makes of comparisons with literals."""
    found = NONE
    for each in sarg.get("sarg", {}).get("ranges", ()):
        low, high = each.get("lower", {}), each.get("upper", {})
        lowest, highest = float(low.get("value", -inf)), float(high.get("value", inf))
        opened = (lowest == 0 and low.get("boundType") == "OPEN") or (highest == 0 and high.get("boundType") == "OPEN")
        found |= Numbers(lowest, highest, zero=not opened)
    return found if found != NONE else ALL


def _holding(relation: Relation) -> list[Expression]:
    """Return the conditions that hold for a relation's rows, of the filters directly below it."""
    found = conjuncts(relation.condition) if relation.kind == "Filter" and relation.condition else []
    return found + (_holding(relation.inputs[0]) if relation.keeps_rows else [])


def _column(relation: Relation, number: int, rules: Rules) -> Numbers:
    scope = below(relation, rules)
    if relation.kind == "TableScan":
        return rules(relation.table, relation.columns[number])
    if relation.kind == "Project":
        return numbers_of(relation.expressions[number], scope)
    if relation.kind == "Aggregate":
        return _aggregated(relation, number, scope)
    if relation.kind == "Union":
        return _any(_column(each, number, rules) for each in relation.inputs)
    if relation.kind in _SIDE_BY_SIDE:
        return scope.column(number)
    holding = tuple(_holding(relation))
    reference = {"kind": "INPUT_REF", "inputIndex": number}
    return numbers_of(reference, Scope(relation.inputs, rules, holding)) if relation.keeps_rows else ALL


def _aggregated(relation: Relation, number: int, scope: Scope) -> Numbers:
    if number < len(relation.groups):
        return scope.column(relation.groups[number])
    name, arguments = relation.calls[number - len(relation.groups)]
    if name == "COUNT":
        return Numbers(low=1 if relation.groups and not arguments else 0)
    if name in _ONE_OF_ITS_ROWS or name in ("SUM", "AVG"):
        given = scope.column(arguments[0])
        if name not in ("SUM", "$SUM0"):
            return given if name != "AVG" else Numbers(given.low, given.high)
        return Numbers(given.low if given.low > 0 else -inf, given.high if given.high < 0 else inf)
    return ALL
