"""Read a CREATE MODEL statement: its columns with their lines, and its options.

    CREATE MODEL late_arrival
    INPUT (dep_delay FLOAT, distance FLOAT) OUTPUT (p_late DOUBLE)
    WITH ('provider' = 'onnx', 'output.p_late' = 'probabilities[1]')

Flink reads the same text when it is loaded into the catalog; reading it here as well needs no JVM and
gives each column the line that findings name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import SqlError
from pyflink_jobs.parsing.brackets import items_after
from pyflink_jobs.parsing.column import Column, read_type
from pyflink_jobs.parsing.option import Option, read_option

if TYPE_CHECKING:
    from pyflink_jobs.errors import Place
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["MONITOR", "ModelDefinition", "read_create_model"]

MONITOR = "monitor."
"""The prefix of the options that monitor a model."""


@dataclass(frozen=True)
class ModelDefinition:
    """A model as SQL declares it."""

    name: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    options: dict[str, Option]
    place: Place


def read_create_model(statement: Statement) -> ModelDefinition:
    """Read a statement whose kind is "CREATE MODEL".

    Raises SqlError where INPUT, OUTPUT or WITH is missing or cannot be read.
    """
    inputs, outputs, options = (_items(statement, word) for word in ("INPUT", "OUTPUT", "WITH"))
    return ModelDefinition(
        statement.name or "",
        tuple(_column(statement, item) for item in inputs),
        tuple(_column(statement, item) for item in outputs),
        {option.key.text: option for option in (_option(statement, item) for item in options)},
        statement.place(),
    )


def _items(statement: Statement, word: str) -> list[list[Token]]:
    """Return the items in the parentheses after a word."""
    items = items_after(statement.tokens, word)
    if items is None:
        raise SqlError(
            f"CREATE MODEL {statement.name} has no {word} (...)",
            place=statement.place(),
            fixes=("write CREATE MODEL name INPUT (a FLOAT, ...) OUTPUT (p DOUBLE) WITH ('provider' = 'onnx')",),
        )
    return items


def _column(statement: Statement, item: list[Token]) -> Column:
    sql_type = read_type(item[1:])
    if not sql_type:
        raise _unexpected(statement, item, "a column name and its type")
    return Column(item[0].text, sql_type, statement.place(item[0].start))


def _option(statement: Statement, item: list[Token]) -> Option:
    option = read_option(statement, item)
    if option is None:
        raise _unexpected(statement, item, "an option such as 'provider' = 'onnx'")
    return option


def _unexpected(statement: Statement, item: list[Token], expected: str) -> SqlError:
    found = statement.text[item[0].start : item[-1].end] if item else "nothing between two commas"
    return SqlError(
        f"expected {expected}", place=statement.place(item[0].start if item else 0), facts=(f"found {found}",)
    )
