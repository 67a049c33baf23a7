"""Read from a PromQL expression which metrics and which labels it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Matcher", "Query", "read_query"]

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*")|(?P<duration>\[[^\]]*\])|(?P<number>(?<![\w:])\d[\w.]*)|(?P<name>[a-zA-Z_:][\w:]*)"""
    r"""|(?P<sign>=~|!~|!=|[-+*/%^=<>(){},])|(?P<blank>\s+)"""
)
_LISTS = ("by", "without", "on", "ignoring", "group_left", "group_right")
_WORDS = ("and", "or", "unless", "offset", "bool")


@dataclass(frozen=True)
class Matcher:
    """What a label must be for a metric to be taken: `operator` is one of = != =~ !~."""

    label: str
    operator: str
    value: str


@dataclass
class Query:
    """The metrics that an expression reads, each with its matchers; the labels it groups by; label_replace's own.

    `replaced` has label_replace's arguments: the new label, the old one, and the regular expression for it.
    """

    metrics: list[tuple[str, list[Matcher]]] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)
    replaced: list[tuple[str, str, str]] = field(default_factory=list)


def read_query(expression: str) -> Query:
    """Read an expression; raises AssertionError for a character that no token begins with."""
    tokens = _tokens(expression)
    query, position = Query(), 0
    while position < len(tokens):
        kind, word = tokens[position]
        following = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        if word == "{":
            close = _index(tokens, "}", position)
            query.metrics[-1][1].extend(_matchers(tokens[position + 1 : close]))
            position = close
        elif kind == "name" and word in _LISTS and following == "(":
            close = _index(tokens, ")", position)
            query.grouped |= {text for kind, text in tokens[position + 2 : close] if kind == "name"}
            position = close
        elif word == "offset":
            position += 1
        elif kind == "name" and word not in (*_WORDS, *_LISTS) and following not in ("(", *_LISTS):
            query.metrics.append((word, []))
        position += 1
    texts = [(position, _unquoted(text)) for position, (kind, text) in enumerate(tokens) if kind == "text"]
    inside = [text for position, text in texts if tokens[position - 1][1] == "," and tokens[position - 2][1] != "{"]
    for at in range(0, len(inside), 4):
        new, _, old, pattern = inside[at : at + 4]
        query.replaced.append((new, old, pattern))
    return query


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(expression):
        found = _TOKEN.match(expression, position)
        assert found, f"{expression[position:]!r} in {expression!r}"
        if found.lastgroup not in ("blank", "duration"):
            tokens.append((found.lastgroup or "", found[0]))
        position = found.end()
    return tokens


def _index(tokens: list[tuple[str, str]], text: str, start: int) -> int:
    return next(index for index in range(start, len(tokens)) if tokens[index][1] == text)


def _matchers(tokens: list[tuple[str, str]]) -> list[Matcher]:
    return [Matcher(label, sign, _unquoted(text)) for (_, label), (_, sign), (_, text) in _threes(tokens)]


def _threes(tokens: list[tuple[str, str]]) -> list[tuple[tuple[str, str], tuple[str, str], tuple[str, str]]]:
    return [(tokens[at], tokens[at + 1], tokens[at + 2]) for at in range(0, len(tokens), 4)]


def _unquoted(text: str) -> str:
    return text[1:-1].replace(r"\\", "\\")
