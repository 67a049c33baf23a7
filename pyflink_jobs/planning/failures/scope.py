"""Which signs an expression can have, from what SQL says: literals, counts, conditions, and rules of sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from pyflink_jobs.planning.failures.relation import COLUMN, LITERAL, Expression, Relation, column_of, is_number
from pyflink_jobs.planning.failures.signs import (
    ABOVE,
    ANY,
    MIRRORED,
    NONE,
    NOT_BELOW,
    OF_OPERANDS,
    UNDEFINED,
    ZERO,
    Signs,
    absolute,
    compared_with,
    product,
    sign_of,
    union,
)

__all__ = ["Rules", "Scope", "branches", "conjuncts", "is_approximate", "negated", "signs_of"]

Rules: TypeAlias = Callable[[str, str], Signs]
"""Returns the signs that a column of a table can have, by the rules of a source; both by name."""

_INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")
_NEGATED = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "AND": "OR", "OR": "AND"}
_CASTS = ("CAST", "TRY_CAST", "REINTERPRET")
_CHOICES = ("CASE", "IF", "COALESCE", "IFNULL")


@dataclass(frozen=True, eq=False)
class Scope:
    """Where an expression is: the relations whose columns it refers to, and conditions that hold for their rows."""

    inputs: tuple[Relation, ...]
    rules: Rules
    holding: tuple[Expression, ...] = ()
    known: dict[tuple[Relation, int], Signs] = field(default_factory=dict)

    def where(self, *conditions: Expression) -> Scope:
        """Return the scope of rows for which conditions hold as well."""
        return Scope(self.inputs, self.rules, (*self.holding, *conditions), self.known)

    def of(self, relation: Relation) -> Scope:
        """Return the scope of a relation's own expressions."""
        holding = tuple(_holding(relation.inputs[0])) if len(relation.inputs) == 1 else ()
        return Scope(relation.inputs, self.rules, holding, self.known)

    def column(self, number: int) -> Signs:
        """Return the signs that a column of the inputs can have."""
        found = column_of(number, self.inputs)
        if found is None:
            return ANY
        if found not in self.known:
            self.known[found] = _signs_of_column(*found, self)
        return self.known[found]


def conjuncts(condition: Expression) -> Iterator[Expression]:
    """Yield the conditions that AND connects."""
    for each in condition.operands if condition.name == "AND" else ():
        yield from conjuncts(each)
    if condition.name != "AND":
        yield condition


def branches(call: Expression) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """Yield the parts of a CASE, IF, AND or OR, each with the conditions that hold where it is computed."""
    passed: tuple[Expression, ...] = ()
    if call.name in ("AND", "OR"):
        for operand in call.operands:
            yield operand, passed
            passed += (operand if call.name == "AND" else negated(operand),)
        return
    *pairs, otherwise = call.operands
    for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
        yield condition, passed
        yield value, (*passed, condition)
        passed += (negated(condition),)
    yield otherwise, passed


def negated(condition: Expression) -> Expression:
    """Return what holds where a condition does not, or is NULL: then what it compares is NULL."""
    name, operands = condition.name, condition.operands
    if name == "NOT":
        return operands[0]
    if name not in _NEGATED:
        return Expression("NOT", condition.type, None, (condition,))
    return Expression(
        _NEGATED[name], condition.type, None, operands if name in MIRRORED else (*map(negated, operands),)
    )


def signs_of(expression: Expression, scope: Scope) -> Signs:
    """Return the signs that an expression can have."""
    found = _alone(expression, scope)
    for condition in scope.holding if found else ():
        found &= _left_by(condition, expression, scope) | {UNDEFINED}
    return found


def _alone(expression: Expression, scope: Scope) -> Signs:
    """Return the signs that an expression has from what it is computed from."""
    name, operands = expression.name, expression.operands
    if name == LITERAL:
        return sign_of(expression.value)
    if name == COLUMN:
        return scope.column(expression.number)
    if name in _CHOICES:
        return union(signs_of(value, scope.where(*holding)) for value, holding in _choices(expression))
    signs = [signs_of(operand, scope) for operand in operands]
    if name in _CASTS:
        found = signs[0] if is_number(operands[0].type) else ANY
        return (found - {UNDEFINED}) | ZERO if _rounds(expression) else found
    if name in ("/", "*"):
        return _scaled(expression, *signs)
    value = (operands[1].value if operands[1].name == LITERAL else None,) if name == "POWER" else ()
    return OF_OPERANDS[name](*signs, *value) if name in OF_OPERANDS else ANY


def _scaled(call: Expression, one: Signs, other: Signs) -> Signs:
    """Return the signs of a product or a quotient."""
    if call.name == "*":
        return absolute(one) if call.operands[0] == call.operands[1] else product(one, other)
    if not is_approximate(call.type):
        return product(one, other) | ZERO
    return product(one, other) | ({UNDEFINED} if 0 in other else NONE)


def is_approximate(sql_type: str) -> bool:
    """Return whether a type has NaN and infinite numbers."""
    return sql_type.startswith(("DOUBLE", "FLOAT"))


def _rounds(cast: Expression) -> bool:
    """Return whether a CAST can make 0 of another number, such as INT of .5."""
    given, wanted = cast.operands[0], cast.type
    return given.name != LITERAL and wanted.startswith((*_INTEGERS, "DECIMAL")) and given.type not in _INTEGERS


def _bare(expression: Expression) -> Expression:
    """Return what has the same sign without CASTs to wider numbers, of which the planner adds some."""
    while expression.name in _CASTS and is_number(expression.operands[0].type) and not _rounds(expression):
        expression = expression.operands[0]
    return expression


def _choices(call: Expression) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """Yield the values that a CASE, IF or COALESCE chooses from, each with the conditions that hold where it does."""
    if call.name in ("COALESCE", "IFNULL"):
        yield from ((operand, ()) for operand in call.operands)
    else:
        parts = [*branches(call)]
        yield from (*parts[1:-1:2], parts[-1])


def _left_by(condition: Expression, expression: Expression, scope: Scope) -> Signs:
    """Return the signs that a condition, where it holds, leaves to an expression."""
    name, operands = condition.name, condition.operands
    if name == "NOT" and operands[0].name in _NEGATED:
        return _left_by(negated(operands[0]), expression, scope)
    if name == "AND":
        return ANY.intersection(*(_left_by(operand, expression, scope) for operand in operands))
    if name == "OR":
        return union(_left_by(operand, expression, scope) for operand in operands)
    return _left_by_comparison(name, *map(_bare, (*operands, expression)), scope=scope) if name in MIRRORED else ANY


def _left_by_comparison(
    name: str, left: Expression, right: Expression, expression: Expression, *, scope: Scope
) -> Signs:
    plain = Scope(scope.inputs, scope.rules, (), scope.known)
    both = (name, left, right), (MIRRORED[name], right, left)
    for compared, one, other in both:
        if one == expression:
            return compared_with(compared, _alone(other, plain))
    for compared, one, other in both:
        if one.name in _CHOICES:  # COALESCE(b, 0) > 0
            each = ((*holding, Expression(compared, "", None, (value, other))) for value, holding in _choices(one))
            return union(_left_by(Expression("AND", "", None, parts), expression, scope) for parts in each)
        if expression.name == "-" and expression.operands[1:] and _bare(expression.operands[0]) == one:
            return compared_with(compared, _difference(other, _bare(expression.operands[1])))
    return ANY if _alone(left, plain) & compared_with(name, _alone(right, plain)) else NONE  # it never holds


def _difference(one: Expression, other: Expression) -> Signs:
    """Return the sign of the difference of two expressions, where that is known without their columns."""
    numbers = [each.value for each in (one, other) if each.name == LITERAL and isinstance(each.value, int | float)]
    return ZERO if one == other else sign_of(numbers[0] - numbers[1]) if numbers[1:] else ANY


def _holding(relation: Relation) -> Iterator[Expression]:
    """Yield the conditions that hold for a relation's rows, of the filters directly below it."""
    if relation.kind == "Filter":
        yield from conjuncts(relation.expressions[0])
    if relation.keeps_rows:
        yield from _holding(relation.inputs[0])


def _signs_of_column(relation: Relation, number: int, outer: Scope) -> Signs:
    scope = outer.of(relation)
    if relation.kind == "TableScan":
        return scope.rules(relation.table, relation.columns[number])
    if relation.kind == "Project":
        return signs_of(relation.expressions[number], scope)
    if relation.kind == "Union":
        return union(Scope((each,), scope.rules, (), scope.known).column(number) for each in relation.inputs)
    if relation.kind == "Filter":
        return signs_of(Expression.column(number), scope.where(*relation.expressions))
    if relation.kind == "Aggregate" and not relation.passes_on(number):
        return _aggregated(relation, number, scope)
    return scope.column(relation.from_input(number)) if relation.passes_on(number) else ANY


def _aggregated(relation: Relation, number: int, scope: Scope) -> Signs:
    name, arguments = relation.calls[number - len(relation.groups)]
    if name == "COUNT":
        return ABOVE if relation.groups and not arguments else NOT_BELOW
    return OF_OPERANDS[name](*map(scope.column, arguments)) if name in OF_OPERANDS and arguments else ANY
