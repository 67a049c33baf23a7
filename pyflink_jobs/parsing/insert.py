"""Read an INSERT INTO: the columns it writes, and its query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import closing
from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = ["Insert", "read_insert"]


@dataclass(frozen=True)
class Insert:
    """An INSERT: its text up to the table's name, the columns it writes, and its query with the file's line ends."""

    into: str
    columns: tuple[str, ...]
    query: str

    def select(self, wanted: str, condition: str) -> str:
        """Return the query of those rows that meet a condition over the columns."""
        columns = ", ".join(map(quoted, self.columns))
        return f"SELECT {wanted} FROM ({self.query}\n) AS `_rows` ({columns})\nWHERE {condition}"


def read_insert(statement: Statement, columns: Iterable[str]) -> Insert:
    """Read a statement whose kind is "INSERT INTO".

    `columns` are the columns of its sink: an INSERT without a list of columns writes them all.
    """
    text, tokens = statement.text, statement.tokens
    at = 3  # after INSERT INTO name
    while tokens[at].says("."):
        at += 2
    end = closing(tokens, at) if tokens[at].says("(") else None
    if end is None or tokens[at + 1].says("SELECT", "WITH", "VALUES", "("):
        start = tokens[at - 1].end
        return Insert(text[:start], tuple(columns), text[start:])
    named = tuple(token.text for token in tokens[at + 1 : end] if not token.says(","))
    return Insert(text[: tokens[at].start].rstrip(), named, text[tokens[end].end :])
