"""Read the options of CREATE TABLE and CREATE MODEL: WITH ('connector' = 'kafka', ...)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import items_after

if TYPE_CHECKING:
    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["Option", "read_option", "read_options"]


@dataclass(frozen=True)
class Option:
    """An option: the tokens of its key and its value, and its place."""

    key: Token
    literal: Token
    place: Place

    @property
    def value(self) -> str:
        """The value, without quotes."""
        return self.literal.text


def read_options(statement: Statement) -> dict[str, Option]:
    """Return the options of a statement by key; items of its WITH that are not options are left out."""
    options = (read_option(statement, item) for item in items_after(statement.tokens, "WITH") or ())
    return {option.key.text: option for option in options if option}


def read_option(statement: Statement, item: list[Token]) -> Option | None:
    """Return the option `'key' = 'value'` of a statement; None for other tokens."""
    match item:
        case [key, equals, value] if key.kind == value.kind == "string" and equals.says("="):
            return Option(key, value, statement.place(key.start))
    return None
