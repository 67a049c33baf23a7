"""Read the columns of a CREATE TABLE, with their comments and where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["Option", "SourceColumn", "SourceTable", "is_plain", "read_source"]

_MARK = 4  # where the expression begins: WATERMARK FOR time AS ...
_NO_COLUMN = ("PRIMARY", "UNIQUE", "CONSTRAINT", "WATERMARK", "PERIOD")
_NUMBERS = ("TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC")
_TEXTS = ("STRING", "VARCHAR", "CHAR")
_END_OF_TYPE = ("COMMENT", "NOT", "NULL", "METADATA", "PRIMARY", "CONSTRAINT")


@dataclass(frozen=True)
class SourceColumn:
    """A column: `type` is the SQL type in capitals, "" for a computed one.

    `metadata` is the key of what Kafka knows about the record; `stored` tells whether it is part of the record.
    """

    name: str
    type: str
    stored: bool
    metadata: str
    comment: str
    place: Place

    @property
    def is_number(self) -> bool:
        """Return whether it holds numbers."""
        return _kind(self.type) in _NUMBERS

    @property
    def is_text(self) -> bool:
        """Return whether it holds text."""
        return _kind(self.type) in _TEXTS


@dataclass(frozen=True)
class Option:
    """An option behind WITH: the tokens of its key and of its value."""

    key: Token
    value: Token


@dataclass(frozen=True)
class SourceTable:
    """What a CREATE TABLE says: its columns, the one that has a watermark, and its options as they stand behind WITH.

    `name` is the token of the table's name, `end` the offset behind the last thing in the parentheses, `watermark` the
    offsets of the watermark's expression.
    """

    statement: Statement
    name: Token
    columns: tuple[SourceColumn, ...]
    time: str | None
    watermark: tuple[int, int] | None
    options: dict[str, Option]
    end: int

    def option(self, key: str) -> str:
        """Return an option's value, or ""."""
        return self.options[key].value.text if key in self.options else ""

    @property
    def connector(self) -> str:
        """The connector."""
        return self.option("connector")

    def metadata(self, key: str) -> str | None:
        """Return the name of the column that holds what Kafka knows about a record: its partition, its offset."""
        return next((column.name for column in self.columns if column.metadata == key), None)


def is_plain(sql_type: str) -> bool:
    """Return whether a column of this type holds what JSON has: numbers, text, true and false."""
    return _kind(sql_type) in (*_NUMBERS, *_TEXTS, "BOOLEAN")


def _kind(sql_type: str) -> str:
    """Return a type without what stands in parentheses behind it."""
    return re.split(r"[(<\s]", sql_type, maxsplit=1)[0]


def read_source(statement: Statement) -> SourceTable | None:
    """Read a statement whose kind is "CREATE TABLE"; None for one without columns in parentheses of its own."""
    tokens = statement.tokens
    opening = next((i for i, token in enumerate(tokens) if token.says("(")), None)
    if opening is None or tokens[opening - 1].text != statement.name:
        return None
    items, closing = _items(tokens, opening)
    columns = tuple(_column(statement, item) for item in items if item and not item[0].says(*_NO_COLUMN))
    watermark = next((item for item in items if len(item) > _MARK and item[0].says("WATERMARK")), None)
    return SourceTable(
        statement,
        tokens[opening - 1],
        columns,
        watermark[2].text if watermark else None,
        (watermark[_MARK].start, watermark[-1].end) if watermark else None,
        _options(tokens[closing:]),
        tokens[closing - 1].end,
    )


def _items(tokens: list[Token], opening: int) -> tuple[list[list[Token]], int]:
    """Return what stands between the commas in a parenthesis, and where that closes."""
    items: list[list[Token]] = [[]]
    depth = angles = 0
    for index in range(opening, len(tokens)):
        token = tokens[index]
        if token.says("<") and tokens[index - 1].says("ROW", "ARRAY", "MAP", "MULTISET"):
            angles += 1
        elif angles and token.says(">", ">>"):
            angles -= len(token.text)
        depth += token.says("(") - token.says(")")
        if depth == 0:
            return items, index
        if token.says(",") and depth == 1 and not angles:
            items.append([])
        elif index > opening:
            items[-1].append(token)
    return items, len(tokens) - 1


def _column(statement: Statement, item: list[Token]) -> SourceColumn:
    name, *rest = item
    computed = bool(rest) and rest[0].says("AS")
    words: list[Token] = []
    for token in [] if computed else rest:
        if token.says(*_END_OF_TYPE):
            break
        words.append(token)
    kind = statement.text[words[0].start : words[-1].end].upper() if words else ""
    comments = [b for a, b in pairwise(rest) if a.says("COMMENT") and b.kind == "string"]
    place = statement.place((comments[0] if comments else name).start)
    metadata = _metadata(name, rest)
    stored = not computed and not metadata
    return SourceColumn(name.text, kind, stored, metadata, comments[0].text if comments else "", place)


def _metadata(name: Token, rest: list[Token]) -> str:
    """Return the key of a METADATA column, "" for another column."""
    for index, token in enumerate(rest):
        if token.says("METADATA"):
            named = rest[index + 1 : index + 3]
            return named[1].text if len(named) > 1 and named[0].says("FROM") else name.text
    return ""


def _options(tokens: list[Token]) -> dict[str, Option]:
    return {
        key.text: Option(key, value)
        for key, equals, value in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if key.kind == value.kind == "string" and equals.says("=")
    }
