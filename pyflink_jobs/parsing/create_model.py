"""Read a CREATE MODEL statement: its columns with their lines, and its options.

    CREATE MODEL late_arrival
    INPUT (dep_delay FLOAT, distance FLOAT) OUTPUT (p_late DOUBLE)
    WITH ('provider' = 'onnx', 'output.p_late' = 'probabilities[1]')

Flink reads the same text when it is loaded into the catalog; reading it here as well takes no JVM and
gives each column the line that findings name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Place, SqlError

if TYPE_CHECKING:
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token

__all__ = ["MONITOR", "Column", "ModelDefinition", "Option", "read_create_model"]

MONITOR = "monitor."
"""The prefix of the options that monitor a model."""


@dataclass(frozen=True)
class Column:
    """A column of INPUT or OUTPUT: `type` is the SQL type in capitals, without NOT NULL, such as "DECIMAL(5,2)"."""

    name: str
    type: str
    place: Place


@dataclass(frozen=True)
class Option:
    """An option of WITH and where it stands."""

    value: str
    place: Place


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
    groups = _groups(statement)
    for word in ("INPUT", "OUTPUT", "WITH"):
        if word not in groups:
            raise SqlError(
                f"CREATE MODEL {statement.name} has no {word} (...)",
                place=statement.place(),
                fixes=("write CREATE MODEL name INPUT (a FLOAT, ...) OUTPUT (p DOUBLE) WITH ('provider' = 'onnx')",),
            )
    return ModelDefinition(
        statement.name or "",
        tuple(_column(statement, item) for item in groups["INPUT"]),
        tuple(_column(statement, item) for item in groups["OUTPUT"]),
        dict(_option(statement, item) for item in groups["WITH"]),
        statement.place(),
    )


def _groups(statement: Statement) -> dict[str, list[list[Token]]]:
    """Return the comma-separated items in the parentheses behind INPUT, OUTPUT and WITH."""
    groups: dict[str, list[list[Token]]] = {}
    depth, word = 0, None
    for before, token in zip([None, *statement.tokens], statement.tokens, strict=False):
        if token.says(")"):
            depth -= 1
            word = word if depth else None
        if word and depth:
            if token.says(",") and depth == 1:
                groups[word].append([])
            else:
                groups[word][-1].append(token)
        if token.says("("):
            depth += 1
            if depth == 1 and before is not None and before.says("INPUT", "OUTPUT", "WITH"):
                word = before.text.upper()
                groups[word] = [[]]
    return groups


def _column(statement: Statement, item: list[Token]) -> Column:
    if len(item) < 2:  # noqa: PLR2004 - a name and a type
        raise SqlError(
            "expected a column name and its type",
            place=statement.place(item[0].start if item else 0),
            facts=(f"found {' '.join(token.text for token in item) or 'nothing between two commas'}",),
        )
    name, *rest = item
    words: list[str] = []
    for token in rest:
        if token.says("COMMENT", "NOT", "NULL"):
            break
        words.append(token.text.upper())
    return Column(name.text, _type_name(words), statement.place(name.start))


def _type_name(words: list[str]) -> str:
    text = ""
    for word in words:
        text += f" {word}" if text and word[0].isalpha() and text[-1].isalpha() else word
    aliases = {"INTEGER": "INT", "BOOL": "BOOLEAN", "DOUBLE PRECISION": "DOUBLE", "REAL": "FLOAT"}
    return aliases.get(text, text)


def _option(statement: Statement, item: list[Token]) -> tuple[str, Option]:
    match item:
        case [key, equals, value] if (key.kind, value.kind) == ("string", "string") and equals.says("="):
            return key.text, Option(value.text, statement.place(key.start))
    raise SqlError(
        "expected an option such as 'provider' = 'onnx'",
        place=statement.place(item[0].start if item else 0),
        facts=(f"found {' '.join(token.text for token in item) or 'nothing between two commas'}",),
    )
