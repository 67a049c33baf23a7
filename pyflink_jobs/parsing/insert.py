"""Read an INSERT INTO: the columns it writes, its query, and what it does on conflict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import closing, split, top_level
from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["Insert", "read_insert"]


@dataclass(frozen=True)
class Insert:
    """An INSERT in its parts: its text up to the columns, the columns it writes, its query, and what follows that.

    `into` has the table, and hints and a PARTITION if there are any; `after` is "" or ON CONFLICT with what it does.
    """

    into: str
    columns: tuple[str, ...]
    query: str
    after: str = ""

    def select(self, wanted: str, condition: str) -> str:
        """Return the query of those rows that meet a condition over the columns."""
        columns = ", ".join(map(quoted, self.columns))
        return f"SELECT {wanted} FROM ({self.query}\n) AS `_rows` ({columns})\nWHERE {condition}"

    def only(self, condition: str) -> str:
        """Return the INSERT of those rows that meet a condition over the columns."""
        columns = ", ".join(map(quoted, self.columns))
        # A line of its own: `into` may end with a comment.
        return "\n".join(
            part for part in (self.into, f"({columns})", self.select(columns, condition), self.after) if part
        )


def read_insert(statement: Statement, columns: Iterable[str]) -> Insert:
    """Read a statement whose kind is "INSERT INTO".

    `columns` are the columns of its sink: an INSERT without a list of columns writes them all.
    """
    text, tokens = statement.text, statement.tokens
    at = 3  # after INSERT INTO name
    while tokens[at].says("."):
        at += 2
    fixed: list[str] = []
    if tokens[at].says("PARTITION") and (closed := closing(tokens, at + 1)):
        fixed = [item[0].text for item in split(tokens[at + 2 : closed]) if len(item) > 1]
        at = closed + 1
    into = text[: tokens[at].start].rstrip()
    named = [name for name in columns if name not in fixed]
    end = closing(tokens, at) if tokens[at].says("(") else None
    if end is not None and not tokens[at + 1].says("SELECT", "WITH", "VALUES", "("):
        named = [token.text for token in tokens[at + 1 : end] if not token.says(",")]
        at = end + 1
    start, after = tokens[at].start, _after_query(tokens[at:], len(text))
    return Insert(into, tuple(named), text[start:after].rstrip(), text[after:])


def _after_query(tokens: list[Token], end: int) -> int:
    """Return the offset at which a query ends: that of ON CONFLICT DO, or the text's end."""
    words = top_level(tokens)
    for on, conflict, does in zip(words, words[1:], words[2:], strict=False):
        if on.says("ON") and conflict.says("CONFLICT") and does.says("DO"):
            return on.start
    return end
