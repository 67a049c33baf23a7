"""Columns of CREATE TABLE and CREATE MODEL, and their types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import before
from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["Column", "is_plain", "read_type"]

_NUMBERS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC")
_TEXTS = ("STRING", "VARCHAR", "CHAR")
_ALIASES = {"INTEGER": "INT", "BOOL": "BOOLEAN", "DOUBLE PRECISION": "DOUBLE", "REAL": "FLOAT"}
_AFTER_A_TYPE = ("COMMENT", "NOT", "NULL", "METADATA", "PRIMARY", "CONSTRAINT", "AS")


@dataclass(frozen=True)
class Column:
    """A column: `type` is the SQL type in capitals, without NOT NULL, such as "DECIMAL(5,2)"."""

    name: str
    type: str
    place: Place

    @property
    def is_number(self) -> bool:
        """Return whether it holds numbers."""
        return _kind(self.type) in _NUMBERS

    @property
    def is_text(self) -> bool:
        """Return whether it holds text."""
        return _kind(self.type) in _TEXTS


def is_plain(sql_type: str) -> bool:
    """Return whether a column of this type holds what JSON has: numbers, text, true and false."""
    return _kind(sql_type) in (*_NUMBERS, *_TEXTS, "BOOLEAN")


def _kind(sql_type: str) -> str:
    """Return a type without its length, precision or fields."""
    return re.split(r"[(<\s]", sql_type, maxsplit=1)[0]


def read_type(tokens: Sequence[Token]) -> str:
    """Return the type that `tokens`, those after a column's name, begin with: "DECIMAL(5,2)"; "" if there is none."""
    text = ""
    for token in before(tokens, *_AFTER_A_TYPE):
        word = quoted(token.text) if token.kind == "name" else token.text.upper()
        text += f" {word}" if token.is_identifier and text and text[-1] not in "(<," else word
    return _ALIASES.get(text, text)
