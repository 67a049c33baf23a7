"""What an expression is computed from: columns of views and tables below it."""

from __future__ import annotations

from pyflink_jobs.planning.failures.relation import COLUMN, Expression, Relation, column_of

__all__ = ["definition_of", "names"]


def names(expression: Expression, inputs: tuple[Relation, ...]) -> set[str]:
    """Return the names of the columns that an expression is computed from, those of views below it too."""
    found = set[str]()
    seen = set[tuple[Relation, int]]()
    waiting = [(expression, inputs)]
    while waiting:
        each, below = waiting.pop()
        waiting += [(operand, below) for operand in each.operands]
        column = column_of(each.number, below) if each.name == COLUMN else None
        if column and column not in seen:
            seen.add(column)
            relation, number = column
            found.add(relation.columns[number])
            waiting += [(one, relation.inputs) for one in _made_from(relation, number)]
    return found


def definition_of(expression: Expression, inputs: tuple[Relation, ...]) -> tuple[Expression, Relation | None]:
    """Return what an expression is without casts, and without the views that pass it on.

    With it comes the relation that a column belongs to, a TableScan or an Aggregate; None for another expression.
    """
    while True:
        while expression.name == "CAST":
            [expression] = expression.operands
        found = column_of(expression.number, inputs) if expression.name == COLUMN else None
        if found is None:
            return expression, None
        relation, number = found
        if relation.kind != "Project" and not relation.passes_on(number):
            return Expression(COLUMN, expression.type, number), relation
        [expression], inputs = _made_from(relation, number), relation.inputs


def _made_from(relation: Relation, number: int) -> list[Expression]:
    if relation.kind == "Project":
        return [relation.expressions[number]]
    if relation.kind == "Aggregate" and not relation.passes_on(number):
        return [Expression.column(argument) for argument in relation.calls[number - len(relation.groups)][1]]
    return [Expression.column(relation.from_input(number))]
