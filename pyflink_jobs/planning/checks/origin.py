"""Where a column of a table or view comes from, as far as its SQL says that it is passed on as it is.

A view's column is followed where the view names it, alone or with a new name. What an expression, a sub-query or a
function returns is not known here, but the type of a CAST is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import before, closing, split, top_level
from pyflink_jobs.parsing.column import read_type
from pyflink_jobs.parsing.create_table import read_source
from pyflink_jobs.planning.rewrites.column_rules import Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["Origins", "SourceValue"]

_QUALIFIED = 3  # table . column
_SEVERAL_QUERIES = ("UNION", "INTERSECT", "EXCEPT", "MINUS")
_AFTER_TABLES = ("WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "MATCH_RECOGNIZE")
_AFTER_A_TABLE = ("ON", "USING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "FOR")


@dataclass(frozen=True)
class SourceValue:
    """A column's type, and what rules of its source leave of its numbers; `place` is that of the source's column.

    Without a `place` it is the result of a CAST.
    """

    type: str
    numbers: Numbers = field(default_factory=Numbers)
    place: Place | None = None


@dataclass(frozen=True)
class Origins:
    """What is known of the columns of a project's tables and views; `created` are its CREATE statements by name."""

    created: Mapping[str, Statement]
    validated: Mapping[str, ValidatedSource]

    def of(self, source: str | Statement, column: str) -> SourceValue | None:
        """Return what is known of a column of a table, a view or a query; None for nothing."""
        if isinstance(source, str):
            statement = self.created.get(source)
            if statement is None or statement.kind not in ("CREATE TABLE", "CREATE VIEW"):
                return None
            if statement.kind == "CREATE TABLE":
                return self._of_table(statement, column)
            return self._of_query(_query(statement.tokens), column)
        return self._of_query([*source.tokens], column)

    def _of_table(self, statement: Statement, column: str) -> SourceValue | None:
        table = read_source(statement)
        found = next((c for c in table.columns if c.name == column and c.type), None) if table else None
        if found is None:
            return None
        numbers = Numbers()
        validated = self.validated.get(statement.name or "")
        for rule in validated.rules if validated and validated.mode != "off" else ():
            if rule.column == column:
                numbers = numbers.within(rule.numbers)
        return SourceValue(found.type, numbers, found.place)

    def _of_query(self, tokens: list[Token], column: str) -> SourceValue | None:
        words = top_level(tokens)
        if not tokens or not tokens[0].says("SELECT") or any(word.says(*_SEVERAL_QUERIES) for word in words):
            return None
        selected = before(tokens[1:], "FROM")
        tables = _tables(tokens[2 + len(selected) :])
        if selected and selected[0].says("ALL", "DISTINCT"):
            selected = selected[1:]
        for item in split(selected):
            if item and item[-1].text == column and item[-1].is_identifier:
                return self._of_item(item, tables)
        stars = [item for item in split(selected) if item and item[-1].says("*")]
        # Of several tables, `*` may have the column twice.
        return self._of_name([None, *tables][-1], column) if stars and len(tables) == 1 else None

    def _of_item(self, item: list[Token], tables: Mapping[str, str | None]) -> SourceValue | None:
        value = item[:-2] if len(item) > 1 and item[-2].says("AS") else item
        if value[0].says("CAST") and len(value) > 1 and closing(value, 1) == len(value) - 1:
            inside = before(value[2:-1], "AS")
            return SourceValue(read_type(value[3 + len(inside) : -1]))
        if len(value) == _QUALIFIED and value[1].says(".") and value[0].text in tables:
            return self._of_name(tables[value[0].text], value[2].text)
        if len(value) != 1 or not value[0].is_identifier:
            return None
        found = [self._of_name(table, value[0].text) for table in tables.values()]
        # A table that is not understood may be the one that has the column; of two that have it, Flink accepts none.
        return found[0] if len(found) == 1 else None

    def _of_name(self, table: str | None, column: str) -> SourceValue | None:
        return self.of(table, column) if table else None


def _query(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens of a view's query; none where the view renames its columns."""
    start = next((i for i, (a, b) in enumerate(pairwise(tokens)) if a.says("AS") and b.says("SELECT")), None)
    renames = start is not None and any(token.says("(") for token in tokens[:start])
    return [] if start is None or renames else [*tokens[start + 1 :]]


def _tables(tokens: Sequence[Token]) -> dict[str, str | None]:
    """Return the tables after FROM by the names that a query uses for them; None for what is no plain name."""
    words = top_level(before(tokens, *_AFTER_TABLES))
    tables: dict[str, str | None] = {}
    starts = [0, *(i + 1 for i, word in enumerate(words) if word.says("JOIN", ","))]
    for start in starts:
        named = before(words[start:], *_AFTER_A_TABLE, ",")
        if not named or not named[0].is_identifier or any(word.says("(", ".") for word in named):
            tables[f"({start}"] = None
        else:
            tables[named[-1].text] = named[0].text
    return tables
