"""Read a CREATE TABLE: its columns with their comments and places, and its options."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import closing, split, top_level
from pyflink_jobs.parsing.column import Column, read_type
from pyflink_jobs.parsing.option import read_options

if TYPE_CHECKING:
    from pyflink_jobs.parsing.option import Option
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["SourceColumn", "SourceTable", "read_source"]

_EXPRESSION = 4  # where it begins: WATERMARK FOR time AS ...
_NO_COLUMN = ("PRIMARY", "UNIQUE", "CONSTRAINT", "WATERMARK", "PERIOD")


@dataclass(frozen=True)
class SourceColumn(Column):
    """A column of a table: `type` is "" for a computed one, `place` that of its comment, if it has one.

    `stored` is whether it is part of the record; `metadata` is the key of a METADATA column, "" for others.
    """

    stored: bool
    metadata: str
    comment: str


@dataclass(frozen=True)
class SourceTable:
    """A CREATE TABLE: its columns, the one that has a watermark, and its options.

    `name` is the token of the table's name, `end` the offset at which its list of columns ends, `watermark` the offsets
    of the watermark's expression.
    """

    statement: Statement
    name: Token
    columns: tuple[SourceColumn, ...]
    time: str | None
    watermark: tuple[int, int] | None
    options: dict[str, Option]
    end: int

    @property
    def label(self) -> str:
        """The table's name."""
        return self.statement.name or ""

    def option(self, key: str) -> str:
        """Return an option's value, or ""."""
        return self.options[key].value if key in self.options else ""

    @property
    def values(self) -> dict[str, str]:
        """The options' values by key."""
        return {key: option.value for key, option in self.options.items()}

    def metadata(self, key: str) -> str | None:
        """Return the name of the METADATA column with this key, such as "partition" or "offset"."""
        return next((column.name for column in self.columns if column.metadata == key), None)


def read_source(statement: Statement) -> SourceTable | None:
    """Read a statement whose kind is "CREATE TABLE"; None for one without a list of columns."""
    tokens = statement.tokens
    opening = next((i for i, token in enumerate(tokens) if token.says("(")), None)
    if opening is None or tokens[opening - 1].text != statement.name:
        return None
    end = closing(tokens, opening)
    if end is None:
        return None
    items = split(tokens[opening + 1 : end])
    watermark = next((item for item in items if len(item) > _EXPRESSION and item[0].says("WATERMARK")), None)
    return SourceTable(
        statement,
        tokens[opening - 1],
        tuple(_column(statement, item) for item in items if item and not item[0].says(*_NO_COLUMN)),
        watermark[2].text if watermark else None,
        (watermark[_EXPRESSION].start, watermark[-1].end) if watermark else None,
        read_options(statement),
        tokens[end - 1].end,
    )


def _column(statement: Statement, item: list[Token]) -> SourceColumn:
    name, *rest = item
    sql_type, words = read_type(rest), top_level(rest)
    comment = next((b for a, b in pairwise(words) if a.says("COMMENT") and b.kind == "string"), None)
    metadata = _metadata(name, words)
    return SourceColumn(
        name.text,
        sql_type,
        statement.place((comment or name).start),
        stored=bool(sql_type) and not metadata,
        metadata=metadata,
        comment=comment.text if comment else "",
    )


def _metadata(name: Token, words: list[Token]) -> str:
    """Return the key of a METADATA column, "" for another column."""
    for index, token in enumerate(words):
        if token.says("METADATA"):
            named = words[index + 1 : index + 3]
            return named[1].text if len(named) > 1 and named[0].says("FROM") else name.text
    return ""
