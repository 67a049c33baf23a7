"""Names that are reserved words of Flink SQL: Flink's parser says that it expected something else there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import Place
from pyflink_jobs.parsing.tokens import quoted, tokenize
from pyflink_jobs.planning.flink.errors import read_exception

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.tokens import Token

__all__ = ["reserved_word"]

_SYNTAX = "Encountered "  # what Flink's parser says of a word that it did not expect


def reserved_word(environment: TableEnvironment, text: str, error: BaseException, file: Path) -> Token | None:
    """Return the word of a statement that would have to be in backticks; None if its mistake is another one.

    It is a word at the place of the error, just before it or behind a dot that is there, with which in backticks Flink
    reads on.
    """
    message = read_exception(error)
    at = _offset(text, message.line, message.column)
    if at is None or _SYNTAX not in message.trace:
        return None
    tokens = tokenize(text, Place(file))
    index = next((i for i, token in enumerate(tokens) if token.start <= at < token.end), None)
    if index is None:
        return None
    last = index + 1 if tokens[index].says(".") else index
    for token in reversed(tokens[max(0, index - 1) : last + 1]):
        if token.kind == "word" and token.is_identifier:
            changed = f"{text[: token.start]}{quoted(token.text)}{text[token.end :]}"
            stopped = _stops_at(environment, changed)
            if stopped is None or stopped > at + len("``"):
                return token
    return None


def _stops_at(environment: TableEnvironment, text: str) -> int | None:
    """Return the offset at which Flink's parser stops; None where it reads to the end."""
    planner: Any = environment._j_tenv  # noqa: SLF001 - Python has no way to parse without planning
    try:
        planner.getParser().parse(text)
    except Exception as error:  # noqa: BLE001 - Py4J's; what the parser accepts may be refused later
        message = read_exception(error)
        return _offset(text, message.line, message.column) if _SYNTAX in message.trace else None
    return None


def _offset(text: str, line: int | None, column: int | None) -> int | None:
    if line is None or column is None:
        return None
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: line - 1])) + column - 1
