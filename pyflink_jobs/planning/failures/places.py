"""Where a statement has calls that may end a job: its operators and functions, with what they are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import before, split
from pyflink_jobs.planning.failures.calls import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token
    from pyflink_jobs.planning.failures.calls import FailingCall

__all__ = ["COMPARED", "Written", "place_of", "written_calls"]

COMPARED = ("<", ">", "<=", ">=", "BETWEEN")
"""Operators at which Flink casts a text to the type of the other side."""
_CALLED = ("MOD", "CAST", "ROUND", "TRUNCATE", *FUNCTIONS)
_WORDS = ("SELECT", "WHERE", "AND", "OR", "ON", "WHEN", "THEN", "ELSE", "BY", "NOT", "IN", "HAVING", "BETWEEN", "CASE")


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
        implied = self.name in COMPARED and call.name == "CAST"
        if self.name != call.name and {self.name, call.name} != {"%", "MOD"} and not implied:
            return 0
        shared = len(self.names & call.columns)
        return shared * 2 - implied if shared or call.columns else 1


def written_calls(statement: Statement) -> list[Written]:
    """Return the calls in a statement that may end a job."""
    tokens, partners = statement.tokens, _partners(statement.tokens)
    found = [call for index in range(len(tokens)) for call in _at(statement.text, tokens, index, partners)]
    # In a table < and > are of types: ARRAY<INT>.
    return [each for each in found if statement.kind != "CREATE TABLE" or each.name not in COMPARED]


def place_of(call: FailingCall, written: Sequence[Written]) -> Written | None:
    """Return the one of some written calls that a call is; None where it is another statement's."""
    best = max(written, key=lambda each: (each.fits(call), -len(each.names - call.columns)), default=None)
    return best if best and best.fits(call) else None


def _partners(tokens: Sequence[Token]) -> dict[int, int]:
    """Return for the index of each bracket that of the one that closes or opens it."""
    opened: list[int] = []
    found = {}
    for index, token in enumerate(tokens):
        if token.says("(", "["):
            opened.append(index)
        elif token.says(")", "]") and opened:
            found[index] = opened.pop()
            found[found[index]] = index
    return found


def _at(text: str, tokens: Sequence[Token], index: int, partners: dict[int, int]) -> Iterator[Written]:
    token = tokens[index]
    if token.says("/", "%", *COMPARED) and 0 < index < len(tokens) - 1:
        left, right = _left_of(tokens, index, partners), _right_of(tokens, index, partners)
        items = [tokens[left:index], tokens[index + 1 : right]]
        yield _written(text, token.text.upper(), items, tokens[left:right], items)
    elif token.says(*_CALLED) and index + 1 in partners:
        end = partners[index + 1]
        inside = tokens[index + 2 : end]
        items = [*split(inside)]
        if cast := token.says("CAST"):
            value = before(inside, "AS")
            items = [value, inside[len(value) + 1 :]]
        if all(items):
            yield _written(text, token.text.upper(), items, tokens[index : end + 1], items[:1] if cast else items)


def _written(
    text: str, name: str, items: Sequence[Sequence[Token]], whole: Sequence[Token], named: Sequence[Sequence[Token]]
) -> Written:
    given = tuple(" ".join(text[item[0].start : item[-1].end].split()) for item in items)
    names = frozenset(token.text for item in named for token in item if token.is_identifier)
    return Written(name, whole[0].start, text[whole[0].start : whole[-1].end], given, names)


def _right_of(tokens: Sequence[Token], index: int, partners: dict[int, int]) -> int:
    """Return the index after the operand that follows an operator: SUM(a) OVER (...), t.a, f(a)[1], -a."""
    at = index + 1
    while at < len(tokens) - 1 and tokens[at].says("-", "+"):
        at += 1
    at = partners.get(at, at) + 1
    while at < len(tokens) - 1 and tokens[at].says(".", "(", "[", "OVER"):
        first = at if at in partners else at + 1
        at = partners.get(first, first) + 1
    return at


def _left_of(tokens: Sequence[Token], index: int, partners: dict[int, int]) -> int:
    """Return the index at which the operand before an operator begins."""
    at = index - 1
    while True:
        if tokens[at].says(")", "]") and at in partners:
            at = partners[at]
            called = at and (tokens[at - 1].is_identifier or tokens[at - 1].says(")", "]"))
            if not called or tokens[at - 1].says(*_WORDS):
                return at
        elif at > 1 and tokens[at - 1].says(".", "OVER"):
            at -= 1
        elif not tokens[at].says("OVER"):
            return at
        at -= 1
