"""Find ML_PREDICT calls by tokens, and replace them by the name of a view.

    FROM ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a, b))
    FROM ML_PREDICT(INPUT => TABLE f, MODEL => MODEL m, ARGS => DESCRIPTOR(a, b))
    FROM TABLE(ML_PREDICT((SELECT ...), MODEL m, DESCRIPTOR(a, b)))

All other text stays as it is, and the name is padded to the call's length, line ends kept, so that the lines
and columns in Flink's messages still fit the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Place, SqlError
from pyflink_jobs.parsing.brackets import closing, split
from pyflink_jobs.parsing.statements import Statement
from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.parsing.tokens import Token

__all__ = ["Call", "Name", "all_calls", "expand", "find_calls"]

_USAGE = "write ML_PREDICT(TABLE features, MODEL model, DESCRIPTOR(column, ...))"


@dataclass(frozen=True)
class Name:
    """A name and its place."""

    text: str
    place: Place


@dataclass(frozen=True)
class Call:
    """One ML_PREDICT call.

    `table` is the name of the table or view, or None where `query` is a sub-query, which may have calls of
    its own; `start` and `end` are offsets into the statement, with an enclosing TABLE( ) where there is one.
    """

    table: Name | None
    query: Statement | None
    model: Name
    columns: tuple[Name, ...]
    start: int
    end: int
    place: Place

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """What makes two calls the same."""
        source = self.table.text if self.table else self.query.text if self.query else ""
        return source, self.model.text, tuple(column.text for column in self.columns)


def find_calls(statement: Statement) -> list[Call]:
    """Return the outermost calls of a statement, in order.

    Raises SqlError for a call that cannot be expanded.
    """
    calls: list[Call] = []
    for index, token in enumerate(statement.tokens[:-1]):
        opens_call = token.says("ML_PREDICT") and statement.tokens[index + 1].says("(")
        if opens_call and not any(call.start <= token.start < call.end for call in calls):
            calls.append(_call(statement, index))
    return calls


def all_calls(statement: Statement) -> list[Call]:
    """Return the calls of a statement, and those in their sub-queries."""
    return [found for call in find_calls(statement) for found in (call, *(all_calls(call.query) if call.query else ()))]


def expand(statement: Statement, view_of: Callable[[Call], str]) -> str:
    """Return the statement's text with each call replaced by the view that `view_of` names."""
    text = statement.text
    for call in reversed(find_calls(statement)):
        old = text[call.start : call.end]
        text = text[: call.start] + _padded(quoted(view_of(call)), old) + text[call.end :]
    return text


def _padded(name: str, old: str) -> str:
    """Return `name` with as many line ends as `old`, and blanks up to the column where `old` ends."""
    lines, last = old.count("\n"), old.rpartition("\n")[2]
    return name + "\n" * lines + " " * len(last) if lines else name.ljust(len(old))


def _call(statement: Statement, index: int) -> Call:
    tokens = statement.tokens
    place = statement.place(tokens[index].start)
    close = closing(tokens, index + 1)
    if close is None:
        raise SqlError("ML_PREDICT( is never closed", place=place, fixes=(_USAGE,))
    arguments = _arguments(statement, tokens[index + 2 : close], place)
    table, query = _table(statement, arguments.get("INPUT", []), place)
    model = _model(statement, arguments.get("MODEL", []), place)
    columns = _descriptor(statement, arguments.get("ARGS", []), place)
    if table is not None:
        _not_a_cte(statement, table)
    start, end = tokens[index].start, tokens[close].end
    before = tokens[max(0, index - 2) : index]
    if before and before[-1].says("LATERAL"):
        raise SqlError("LATERAL ML_PREDICT is not supported", place=place, fixes=(_USAGE,))
    if [t.text.upper() for t in before] == ["TABLE", "("] and close + 1 < len(tokens) and tokens[close + 1].says(")"):
        start, end = before[0].start, tokens[close + 1].end
    return Call(table, query, model, columns, start, end, place)


def _arguments(statement: Statement, tokens: list[Token], place: Place) -> dict[str, list[Token]]:
    """Return the tokens of each argument by its name: INPUT, MODEL, ARGS."""
    found: dict[str, list[Token]] = {}
    for position, item in zip(("INPUT", "MODEL", "ARGS", "CONFIG"), split(tokens), strict=False):
        is_named = len(item) > 1 and item[1].says("=>")
        name, value = (item[0].text.upper(), item[2:]) if is_named else (position, item)
        at = statement.place(item[0].start) if item else place
        if name == "CONFIG":
            message = "ML_PREDICT's CONFIG is for remote models; an ONNX model runs in the job"
            raise SqlError(message, place=at, fixes=("leave the fourth argument out",))
        if name in found or name not in ("INPUT", "MODEL", "ARGS"):
            raise SqlError(f"ML_PREDICT has no other argument `{name}`", place=at, fixes=(_USAGE,))
        found[name] = value
    return found


def _table(statement: Statement, item: list[Token], place: Place) -> tuple[Name | None, Statement | None]:
    if item and item[0].says("TABLE"):
        item = item[1:]
    if item and item[0].says("(") and len(item) > 2:  # noqa: PLR2004 - something between the parentheses
        start = item[1].start
        before = statement.before + statement.text[:start]
        return None, Statement(statement.file, before, statement.text[start : item[-2].end])
    names = [token for token in item if not token.says(".")]
    if len(names) == 1 and names[0].is_identifier:
        return Name(names[0].text, statement.place(names[0].start)), None
    message = "ML_PREDICT's first argument must be TABLE name, or a query in parentheses"
    raise _wrong(statement, item, place, message, _USAGE, "define a view for it in sql/features/")


def _model(statement: Statement, item: list[Token], place: Place) -> Name:
    if len(item) == 2 and item[0].says("MODEL") and item[1].is_identifier:  # noqa: PLR2004 - MODEL and its name
        return Name(item[1].text, statement.place(item[1].start))
    raise _wrong(statement, item, place, "ML_PREDICT's second argument must be MODEL name", _USAGE)


def _descriptor(statement: Statement, item: list[Token], place: Place) -> tuple[Name, ...]:
    if len(item) > 1 and item[0].says("DESCRIPTOR") and closing(item, 1) == len(item) - 1:
        names = split(item[2:-1])
        if all(len(name) == 1 and name[0].is_identifier for name in names):
            return tuple(Name(name.text, statement.place(name.start)) for (name,) in names)
    message = "ML_PREDICT's third argument must be DESCRIPTOR(column, ...), with names of columns"
    fix = "compute an expression in a view in sql/features/ and name its column here"
    raise _wrong(statement, item, place, message, fix)


def _wrong(statement: Statement, item: list[Token], place: Place, message: str, *fixes: str) -> SqlError:
    """Return the error for an argument: its place, or `place` where it is missing, and what was found."""
    found = statement.text[item[0].start : item[-1].end] if item else "nothing"
    at = statement.place(item[0].start) if item else place
    return SqlError(message, place=at, facts=(f"found {found}",), fixes=fixes)


def _not_a_cte(statement: Statement, table: Name) -> None:
    """Refuse a table that the statement's own WITH defines: a view outside of the statement cannot read it."""
    tokens = statement.tokens
    for name, word, opening in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if name.text == table.text and word.says("AS") and opening.says("("):
            raise SqlError(
                f"ML_PREDICT cannot read `{table.text}`, which this statement's own WITH defines",
                place=table.place,
                fixes=(
                    f"make `{table.text}` a view in sql/features/",
                    "put its query in parentheses in place of TABLE name",
                ),
            )
