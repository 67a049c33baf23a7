"""A query as Flink's planner reads it: relations, and in them expressions, before anything is optimised."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COLUMN", "LITERAL", "Expression", "Relation", "column_of", "is_number", "is_text", "read_relations"]

COLUMN, LITERAL = "$", "'"
"""Names of expressions that call nothing."""

_ROW_KEEPING = ("Filter", "Sort", "WatermarkAssigner", "Snapshot", "Exchange", "Hint")
_SIDE_BY_SIDE = ("Join", "Correlate", "TableFunctionScan")
_NUMBERS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE")


class Expression(NamedTuple):
    """A call of a function or operator, a column of the inputs (its number is the value), or a literal.

    `type` is SQL's, without NOT NULL. The value of an aggregate function is its window.
    """

    name: str
    type: str
    value: str | float | None = None
    operands: tuple[Expression, ...] = ()

    @property
    def number(self) -> int:
        """Return the number of a column."""
        return int(self.value or 0)

    @classmethod
    def column(cls, number: int) -> Expression:
        """Return a column of the inputs, without its type."""
        return cls(COLUMN, "", number)


@dataclass(frozen=True, eq=False)
class Relation:
    """A relation: its kind, such as "Project", the names of its columns, and the relations that it reads.

    `expressions` are the columns of a Project, or the condition of a Filter or a Join; `groups` are the numbers of the
    columns that an Aggregate groups by, `calls` its functions with the numbers of their arguments; `table` is the name
    of what a TableScan reads.
    """

    kind: str
    columns: tuple[str, ...]
    inputs: tuple[Relation, ...] = ()
    expressions: tuple[Expression, ...] = ()
    groups: tuple[int, ...] = ()
    calls: tuple[tuple[str, tuple[int, ...]], ...] = ()
    table: str = ""

    @property
    def keeps_rows(self) -> bool:
        """Whether its rows are some of its only input's, with the same columns."""
        return self.kind in _ROW_KEEPING

    def passes_on(self, number: int) -> bool:
        """Return whether a column is one of the inputs' as it is."""
        if self.kind == "Aggregate":
            return number < len(self.groups)
        return self.keeps_rows or self.kind in _SIDE_BY_SIDE

    def from_input(self, number: int) -> int:
        """Return the number, among the columns of the inputs, of a column that is passed on."""
        return self.groups[number] if self.kind == "Aggregate" else number


def column_of(number: int, inputs: Iterable[Relation]) -> tuple[Relation, int] | None:
    """Return the relation that has a column of the inputs, and the column's number in it."""
    for relation in inputs:
        if number < len(relation.columns):
            return relation, number
        number -= len(relation.columns)
    return None


def is_number(sql_type: str) -> bool:
    """Return whether a type is one of numbers."""
    return sql_type.startswith(_NUMBERS) and not sql_type.startswith("INTERVAL")


def is_text(sql_type: str) -> bool:
    """Return whether a type is one of text."""
    return sql_type.startswith(("CHAR", "VARCHAR", "STRING"))


def read_relations(text: str, known: list[Relation]) -> list[Relation]:
    """Return the relations that `millstream.Relations` wrote, in Java, and add them to those `known` before."""
    first = len(known)
    for each in json.loads(text):
        known.append(
            Relation(
                each["kind"],
                tuple(each["columns"]),
                tuple(known[number] for number in each["inputs"]),
                _expressions(each.get("expressions", ())),
                tuple(each.get("groups", ())),
                tuple((name, tuple(arguments)) for name, *arguments in each.get("calls", ())),
                each.get("table", ""),
            )
        )
    return known[first:]


def _expressions(found: Iterable[Any]) -> tuple[Expression, ...]:
    return tuple(Expression(name, kind, value, _expressions(operands)) for name, kind, value, operands in found)
