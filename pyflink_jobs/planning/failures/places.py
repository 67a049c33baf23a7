"""Where a statement has calls that may end a job: its operators and functions, with what they are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import before, closing, split
from pyflink_jobs.planning.failures.calls import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token
    from pyflink_jobs.planning.failures.calls import FailingCall

__all__ = ["COMPARED", "Written", "place_of", "written_calls"]

COMPARED = ("<", ">", "<=", ">=")
"""Operators at which Flink casts a text to the type of the other side."""
_CALLED = ("MOD", "CAST", "ROUND", "TRUNCATE", *FUNCTIONS)


@dataclass(frozen=True)
class Written:
    """A call in a statement's text: the name of its function or operator, the offset at which it begins, its operands.

    `text` is all of it; `given` are the texts of its operands, of a CAST those before and after AS.
    """

    name: str
    start: int
    text: str
    given: tuple[str, ...]
    names: frozenset[str]

    def fits(self, call: FailingCall) -> int:
        """Return how many columns of a call are named here, 0 where this is another call."""
        alike = {self.name, call.name} == {"%", "MOD"}
        implied = self.name in COMPARED and call.name == "CAST"
        if self.name != call.name and not alike and not implied:
            return 0
        shared = len(self.names & call.columns)
        return shared * 2 - implied if shared or call.columns else 1


def written_calls(statement: Statement) -> list[Written]:
    """Return the calls in a statement that may end a job."""
    tokens = statement.tokens
    found = [each for index in range(len(tokens)) for each in _at(statement.text, tokens, index)]
    # In a table < and > are of types: ARRAY<INT>.
    return [each for each in found if statement.kind != "CREATE TABLE" or each.name not in COMPARED]


def place_of(call: FailingCall, written: Sequence[Written]) -> Written | None:
    """Return the one of some written calls that a call is; None where it is another statement's."""
    best = max(written, key=lambda each: (each.fits(call), -len(each.names - call.columns)), default=None)
    return best if best and best.fits(call) else None


def _at(text: str, tokens: list[Token], index: int) -> Iterator[Written]:
    token = tokens[index]
    if token.says("/", "%", *COMPARED) and 0 < index < len(tokens) - 1:
        left, right = _left_of(tokens, index), _right_of(tokens, index)
        yield _written(text, token.text, [tokens[left:index], tokens[index + 1 : right]])
    elif token.says(*_CALLED) and index + 1 < len(tokens) and tokens[index + 1].says("("):
        end = closing(tokens, index + 1)
        inside = tokens[index + 2 : end]
        items = split(inside)
        if token.says("CAST"):
            value = before(inside, "AS")
            items = [value, inside[len(value) + 1 :]]
        if end is not None and all(items):
            found = _written(text, token.text.upper(), items)
            names = found.names - ({t.text for t in items[1]} if token.says("CAST") else set())
            yield Written(found.name, token.start, text[token.start : tokens[end].end], found.given, frozenset(names))


def _written(text: str, name: str, items: list[list[Token]]) -> Written:
    given = tuple(" ".join(text[item[0].start : item[-1].end].split()) for item in items)
    start, end = items[0][0].start, items[-1][-1].end
    names = frozenset(token.text for item in items for token in item if token.is_identifier)
    return Written(name, start, text[start:end], given, names)


def _right_of(tokens: list[Token], index: int) -> int:
    """Return the index after the operand that follows an operator."""
    at = index + 1
    while at < len(tokens) and tokens[at].says("-", "+"):
        at += 1
    while at < len(tokens):
        if tokens[at].says("(", "["):
            at = (closing(tokens, at) or at) + 1
        else:
            at += 1
        if at >= len(tokens) or not tokens[at].says(".", "(", "["):
            if at < len(tokens) and tokens[at].says("OVER") and at + 1 < len(tokens) and tokens[at + 1].says("("):
                at += 1
                continue
            return at
        if tokens[at].says("."):
            at += 1
    return at


def _left_of(tokens: list[Token], index: int) -> int:
    """Return the index at which the operand before an operator begins."""
    at = index - 1
    if tokens[at].says(")", "]"):
        opened = next((i for i in range(at, -1, -1) if tokens[i].says("(", "[") and closing(tokens, i) == at), at)
        at = opened
        if at and (tokens[at - 1].is_identifier or tokens[at - 1].says(")")) and not tokens[at - 1].says(*_WORDS):
            return _left_of(tokens, at)
    while at >= 2 and tokens[at - 1].says(".") and tokens[at - 2].is_identifier:  # noqa: PLR2004 - name, dot, name
        at -= 2
    return at


_WORDS = ("SELECT", "WHERE", "AND", "OR", "ON", "WHEN", "THEN", "ELSE", "BY", "NOT", "IN", "HAVING", "BETWEEN", "CASE")
