"""Which columns of an ML_PREDICT call's table its statements read.

Flink plans a view that several INSERTs read by itself, with all its columns; those that nobody reads would be copied
once a row and operator for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.ml_predict import find_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["used_columns"]


def used_columns(call: Call, readers: Iterable[Statement], columns: Iterable[str]) -> list[str]:
    """Return those of `columns` whose names stand outside of calls in a query of `readers` that has this call.

    That is never too few: a name may mean another table's column, and where a query takes all columns without naming
    them, or none has the call, all are returned.
    """
    queries = [query for reader in readers for query in _queries(reader) if call.key in query.calls]
    if not queries or any(query.takes_all for query in queries):
        return [*columns]
    names = {token.text for query in queries for token in query.tokens if token.is_identifier}
    return [name for name in columns if name in names]


@dataclass(frozen=True)
class _Query:
    """A query's calls, by their keys, its tokens outside of them, and whether it takes columns without naming them."""

    calls: list[object]
    tokens: list[Token]
    takes_all: bool


def _queries(statement: Statement) -> Iterator[_Query]:
    """Yield a statement's query, then the sub-queries in its calls."""
    calls = find_calls(statement)
    tokens = [t for t in statement.tokens if not any(call.start <= t.start < call.end for call in calls)]
    renamed = any(_is_renamed([t for t in tokens if t.start >= call.end][:3]) for call in calls)
    yield _Query([call.key for call in calls], tokens, renamed or any(starmap(_is_star, pairwise(tokens))))
    for call in calls:
        if call.query:
            yield from _queries(call.query)


def _is_renamed(after: list[Token]) -> bool:
    """Return whether a call's columns get other names: `AS t (a, b)`."""
    alias = after[1:] if after and after[0].says("AS") else after
    return len(alias) > 1 and alias[0].is_identifier and alias[1].says("(")


def _is_star(before: Token, token: Token) -> bool:
    """Return whether a token takes all columns: the star of `SELECT *` and `t.*`, not of COUNT(*); or NATURAL."""
    star = token.says("*") and before.says("SELECT", "ALL", "DISTINCT", ",", ".")
    return star or token.says("NATURAL")
