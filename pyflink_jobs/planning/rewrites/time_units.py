"""An event time that is computed from a number in another unit: what an invalid one looks like, as SQL.

happened AS TO_TIMESTAMP_LTZ(ms, 3)      -- of seconds, all of 1970; of microseconds, NULL
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal, quoted

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_table import SourceTable

__all__ = ["unit_words"]

_FIRST, _LAST = 631_152_000, 4_102_444_800  # seconds: 1990 to 2100
_UNITS = {
    "seconds": (1, "TO_TIMESTAMP_LTZ({}, 0)"),
    "milliseconds": (10**3, "TO_TIMESTAMP_LTZ({}, 3)"),
    "microseconds": (10**6, "TO_TIMESTAMP_LTZ({} / 1000, 3)"),
    "nanoseconds": (10**9, "TO_TIMESTAMP_LTZ({} / 1000000, 3)"),
}
_DECLARED = {"0": "seconds", "3": "milliseconds"}


def unit_words(source: SourceTable) -> str:
    """Return SQL for what is to be said of a time that is not valid: the number's likely unit; "''" for nothing."""
    found = _argument(source)
    if not found:
        return "''"
    column, declared = found
    name, cases = quoted(column), []
    for unit, (factor, expression) in _UNITS.items():
        if unit != declared:
            words = f"; {column} looks like {unit}, and is read as {declared}: compute {expression.format(column)}"
            cases.append(f"WHEN {name} BETWEEN {_FIRST * factor} AND {_LAST * factor} THEN {literal(words)}")
    return f"CASE {' '.join(cases)} ELSE '' END"


def _argument(source: SourceTable) -> tuple[str, str] | None:
    """Return the column of numbers that the event time is computed from, and the unit that is declared."""
    tokens = source.statement.tokens
    for at, token in enumerate(tokens[:-7]):
        following = tokens[at + 1 : at + 8]
        is_call = following[0].says("AS") and following[1].says("TO_TIMESTAMP_LTZ") and following[2].says("(")
        if is_call and token.text == source.time and following[4].says(",") and following[6].says(")"):
            column, precision = following[3].text, following[5].text
            if precision in _DECLARED and any(c.name == column and c.is_number for c in source.columns):
                return column, _DECLARED[precision]
    return None
