"""What an expression is computed from: columns of views and tables below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.planning.failures.relation import name_of, operands_of

if TYPE_CHECKING:
    from pyflink_jobs.planning.failures.relation import Expression, Relation

__all__ = ["column_of", "defined_by", "names", "origins"]

_KEEPS_FORM = ("CAST", "UPPER", "LOWER")
_SIDE_BY_SIDE = ("Join", "Correlate", "TableFunctionScan")


def defined_by(expression: Expression, inputs: tuple[Relation, ...]) -> Expression | None:
    """Return the expression of a view that a reference refers to; None where it refers to something else."""
    found = column_of(expression, inputs)
    return found[0].expressions[found[1]] if found and found[0].kind == "Project" else None


def column_of(expression: Expression, inputs: tuple[Relation, ...]) -> tuple[Relation, int] | None:
    """Return the relation that a reference refers to, and which of its columns."""
    if expression.get("kind") != "INPUT_REF":
        return None
    number = int(expression["inputIndex"])
    for relation in inputs:
        if number < len(relation.columns):
            return relation, number
        number -= len(relation.columns)
    return None


def names(expression: Expression, inputs: tuple[Relation, ...]) -> set[str]:
    """Return the names of the columns that an expression is computed from, those of views below it too."""
    if found := column_of(expression, inputs):
        return _names_of(*found)
    return {name for operand in operands_of(expression) for name in names(operand, inputs)}


def _names_of(relation: Relation, number: int) -> set[str]:
    own = {relation.columns[number]}
    if relation.kind == "Project":
        return own | names(relation.expressions[number], relation.inputs)
    if relation.kind == "Aggregate":
        groups = len(relation.groups)
        numbers = (relation.groups[number],) if number < groups else relation.calls[number - groups][1]
        return own.union(*(_names_of(relation.inputs[0], argument) for argument in numbers))
    if found := column_of({"kind": "INPUT_REF", "inputIndex": number}, relation.inputs):
        return own | _names_of(*found)
    return own


def origins(expression: Expression, inputs: tuple[Relation, ...]) -> set[tuple[str, str]]:
    """Return the column that an expression is as it is, or cast, after its table; nothing for another expression."""
    if name_of(expression) in _KEEPS_FORM:
        return origins(operands_of(expression)[0], inputs)
    found = column_of(expression, inputs)
    if not found:
        return set()
    relation, number = found
    if relation.kind == "TableScan":
        return {(relation.table, relation.columns[number])}
    if relation.kind == "Project":
        return origins(relation.expressions[number], relation.inputs)
    if relation.kind == "Aggregate":
        number = dict(enumerate(relation.groups)).get(number, -1)
    elif not (relation.kind in _SIDE_BY_SIDE or relation.keeps_rows):
        number = -1
    return origins({"kind": "INPUT_REF", "inputIndex": number}, relation.inputs) if number >= 0 else set()
