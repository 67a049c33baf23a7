"""A query as Flink's planner reads it: relations, and in them expressions, before anything is optimised.

An expression is what Flink writes of it into a compiled plan: JSON with `kind`, `type` and, of a call, `internalName`
and `operands`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Expression", "Relation", "literal_of", "name_of", "negated", "operands_of", "same", "type_of"]

Expression: TypeAlias = Mapping[str, Any]

_NAME = re.compile(r"\$(.+)\$\d+")
_ROW_KEEPING = ("Filter", "Sort", "WatermarkAssigner", "Snapshot", "Exchange", "Hint")


@dataclass(frozen=True)
class Relation:
    """A relation: its kind, such as "Project", the names of its columns, and the relations that it reads.

    `expressions` are the columns of a Project, `condition` is that of a Filter or a Join; `groups` are the numbers of
    the columns that an Aggregate groups by, `calls` its functions with the numbers of their arguments; `table` is the
    name of what a TableScan reads.
    """

    kind: str
    columns: tuple[str, ...]
    inputs: tuple[Relation, ...] = ()
    expressions: tuple[Expression, ...] = ()
    condition: Expression | None = None
    groups: tuple[int, ...] = ()
    calls: tuple[tuple[str, tuple[int, ...]], ...] = ()
    table: str = ""

    @property
    def keeps_rows(self) -> bool:
        """Whether its rows are some of its only input's, with the same columns."""
        return self.kind in _ROW_KEEPING

    @property
    def input_columns(self) -> tuple[str, ...]:
        """The names of the columns that its expressions refer to by number."""
        return tuple(name for relation in self.inputs for name in relation.columns)

    @property
    def is_its_input(self) -> bool:
        """Whether it is a Project of all columns as they are."""
        if self.kind != "Project" or self.columns != self.inputs[0].columns:
            return False
        return all(e.get("inputIndex") == number for number, e in enumerate(self.expressions))

    def without(self, others: Sequence[Relation]) -> Iterator[Relation]:
        """Yield this relation and those below it, but none that is one of others, or below that."""
        if self not in others:
            yield self
            for relation in self.inputs:
                yield from relation.without(others)


def name_of(expression: Expression) -> str:
    """Return the name of the function or operator that an expression calls; "" for another expression."""
    if expression.get("kind") != "CALL":
        return ""
    found = _NAME.fullmatch(str(expression.get("internalName", "")))
    return found[1].upper() if found else ""


def operands_of(expression: Expression) -> list[Expression]:
    """Return the operands of a call, and what a field is taken from."""
    inner = expression.get("expr")
    return [*expression.get("operands", ()), *([inner] if isinstance(inner, Mapping) else [])]


def type_of(expression: Expression) -> str:
    """Return the type of an expression, such as "DECIMAL(10, 2)", without NOT NULL."""
    return str(expression.get("type", "")).removesuffix(" NOT NULL")


def literal_of(expression: Expression) -> float | None:
    """Return the number that an expression is; None for all else."""
    try:
        return float(expression["value"]) if expression.get("kind") == "LITERAL" else None
    except (KeyError, TypeError, ValueError):
        return None


def negated(expression: Expression) -> Expression:
    """Return NOT of a condition."""
    return {"kind": "CALL", "internalName": "$NOT$1", "operands": [expression], "type": "BOOLEAN"}


def same(one: Expression, other: Expression) -> bool:
    """Return whether two expressions are the same but for whether they may be NULL."""
    return _text(one) == _text(other)


def _text(expression: Expression) -> str:
    return json.dumps(expression, sort_keys=True).replace(" NOT NULL", "")
