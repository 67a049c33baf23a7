"""Brackets and commas in tokens: where brackets close, and the items between commas.

Brackets are ( ), [ ] and the < > of a type: `ROW<a INT, b MAP<STRING, INT>>`.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyflink_jobs.parsing.tokens import Token

__all__ = ["before", "closing", "items_after", "levels", "split", "top_level"]

_CLOSED_BY = {"(": ")", "[": "]", "<": ">"}
_GENERIC_TYPES = ("ROW", "ARRAY", "MAP", "MULTISET")  # elsewhere < is a comparison


def top_level(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens that are not in brackets, and the outermost brackets themselves."""
    return [token for token, level in levels(tokens) if level == 0]


def before(tokens: Sequence[Token], *words: str) -> list[Token]:
    """Return the tokens before the first of `words` that is not in brackets; all tokens if there is none."""
    return [token for token, _ in takewhile(lambda each: each[1] or not each[0].says(*words), levels(tokens))]


def closing(tokens: Sequence[Token], opening: int) -> int | None:
    """Return the index of the token that closes the bracket at index `opening`; None if it is never closed."""
    inside = levels(tokens[opening:])
    next(inside)  # the opening bracket
    return next((index for index, (_, level) in enumerate(inside, opening + 1) if level == 0), None)


def split(tokens: Sequence[Token]) -> list[list[Token]]:
    """Return the items between the commas that are not in brackets: one more than commas, some of them empty."""
    items: list[list[Token]] = [[]]
    for token, level in levels(tokens):
        if level == 0 and token.says(","):
            items.append([])
        else:
            items[-1].append(token)
    return items


def items_after(tokens: Sequence[Token], word: str) -> list[list[Token]] | None:
    """Return the items in the parentheses after `word`, such as WITH (...); None if there are none.

    The word counts where it is not in brackets itself.
    """
    for index, (token, level) in enumerate(levels(tokens[:-1]), 1):
        if level == 0 and token.says(word) and tokens[index].says("("):
            return split(tokens[index + 1 : closing(tokens, index)])
    return None


def levels(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Yield each token and how many brackets are open around it; a bracket is not inside of itself."""
    opened: list[str] = []
    last = None
    for token in tokens:
        if opened and token.says(_CLOSED_BY[opened[-1]]):
            opened.pop()
        yield token, len(opened)
        opens_type = token.says("<") and last is not None and last.says(*_GENERIC_TYPES)
        if opens_type or token.says("(", "["):
            opened.append(token.text)
        last = token
