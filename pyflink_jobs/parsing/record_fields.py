"""The fields that a table's columns read from a record, with those within rows and arrays of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import closing, items_after, split, top_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["EACH", "primary_key", "record_fields"]

EACH = "*"
"""The part of a path that means each element of an array."""


def record_fields(table: SourceTable) -> list[tuple[str, ...]]:
    """Return the path of each field: `r ROW<a INT, b ARRAY<ROW<c INT>>>` has (r,), (r, a), (r, b) and (r, b, *, c)."""
    types = {item[0].text: item[1:] for item in _items(table)}
    return [
        path
        for column in table.columns
        if column.stored
        for path in ((column.name,), *_within(types[column.name], (column.name,)))
    ]


def primary_key(table: SourceTable) -> set[str]:
    """Return the columns of a table's PRIMARY KEY."""
    found: set[str] = set()
    for item in _items(table):
        if any(token.says("PRIMARY") for token in item):
            listed = items_after(item, "KEY")
            found |= {token.text for part in listed for token in part} if listed else {item[0].text}
    return found


def _items(table: SourceTable) -> list[list[Token]]:
    """Return the tokens of each item in a table's list of columns."""
    tokens = table.statement.tokens
    opening = next(i for i, token in enumerate(tokens) if token.says("("))
    return [item for item in split(tokens[opening + 1 : closing(tokens, opening)]) if item]


def _within(sql_type: list[Token], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the paths of the fields of a type."""
    outer = top_level(sql_type)
    if len(outer) < len("T<>") or not outer[1].says("<", "("):
        return
    inner = [token for token in sql_type[2:] if token.start < outer[2].start]
    if outer[0].says("ARRAY"):
        yield from _within(inner, (*path, EACH))
    elif outer[0].says("ROW"):
        for name, *of_field in (item for item in split(inner) if item):
            yield (*path, name.text)
            yield from _within(of_field, (*path, name.text))
