"""Split Flink SQL into tokens, so that names and calls are not confused with strings and comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot.dialects import Dialect
from sqlglot.errors import TokenError
from sqlglot.tokens import Tokenizer, TokenType

from pyflink_jobs.errors import Place, SqlError

__all__ = ["Token", "literal", "quoted", "tokenize"]


@dataclass(frozen=True)
class Token:
    """A word, name, string, number or sign; `start` and `end` are offsets into the text, `end` exclusive.

    `text` is without quotes; `kind` is "name" (in backticks), "string", "number" or "word" (all else).
    """

    text: str
    kind: str
    start: int
    end: int

    def says(self, *words: str) -> bool:
        """Return whether this is one of `words`, a keyword or sign, in any case."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def is_identifier(self) -> bool:
        """Return whether this can be a name: in backticks, or a plain word."""
        return self.kind == "name" or (self.kind == "word" and (self.text[:1].isalpha() or self.text[:1] == "_"))


class _Flink(Dialect):  # type: ignore[misc]  # sqlglot's types are not followed
    class Tokenizer(Tokenizer):  # type: ignore[misc]  # sqlglot finds the class by this name
        IDENTIFIERS: ClassVar = ["`"]
        QUOTES: ClassVar = ["'"]
        STRING_ESCAPES: ClassVar = ["'"]
        COMMANDS: ClassVar[set[TokenType]] = set()  # elsewhere a command swallows the rest of its line
        # "GROUP BY" is two words: sqlglot joins them, but not where a comment is between them.
        KEYWORDS: ClassVar = {text: kind for text, kind in Tokenizer.KEYWORDS.items() if " " not in text}


_KINDS = {TokenType.IDENTIFIER: "name", TokenType.STRING: "string", TokenType.NUMBER: "number"}


def tokenize(text: str, place: Place) -> list[Token]:
    """Split Flink SQL into tokens, comments left out.

    Raises SqlError at `place`'s file for a string, name or comment that never ends.
    """
    try:
        tokens = _Flink().tokenize(text)
    except TokenError as error:
        raise SqlError(
            "a string, a name in backticks or a comment is never closed",
            place=Place(place.file, *_unclosed(text)),
            fixes=("close it; a quote inside a string is written twice: 'it''s'",),
        ) from error
    return [Token(t.text, _KINDS.get(t.token_type, "word"), t.start, t.end + 1) for t in tokens]


def quoted(name: str) -> str:
    """Return a name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: str) -> str:
    """Return a text as an SQL string, in quotes."""
    return "'" + value.replace("'", "''") + "'"


def _unclosed(text: str) -> tuple[int, int]:
    """Return line and column where the first unclosed quote or comment begins."""
    offset = 0
    while offset < len(text):
        closing = {"'": "'", "`": "`", "--": "\n", "/*": "*/"}.get(
            text[offset] if text[offset] in "'`" else text[offset : offset + 2],
        )
        if closing is None:
            offset += 1
            continue
        end = text.find(closing, offset + (1 if text[offset] in "'`" else 2))
        if end < 0:
            break
        offset = end + len(closing)
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")
