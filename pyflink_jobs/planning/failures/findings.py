"""Calls that may end a job, as findings at their places in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.planning.failures.calls import DIVISION, FUNCTIONS, NOT_FINITE, TEXT
from pyflink_jobs.planning.failures.places import COMPARED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.failures.calls import FailingCall
    from pyflink_jobs.planning.failures.places import Written
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["AGAIN", "failing_finding"]

AGAIN = "one such row ends the job; it starts again before that row, and ends again"


def failing_finding(
    statement: Statement, call: FailingCall, written: Written, validated: Mapping[str, ValidatedSource]
) -> Finding:
    """Return the finding of a call at its place: `validated` are the sources whose rules send records to quarantine."""
    message, ways = _words(call, written)
    rule = {DIVISION: "range 1..", TEXT: "pattern [0-9]+"}.get(call.kind)
    # A table computes its own columns before a rule is asked.
    names = {source.table: name for name, source in validated.items() if statement.kind != "CREATE TABLE"}
    table, column = call.source or ("", "")
    if rule and table in names:
        ways += (f"give `{column}` of `{names[table]}` a rule such as `{rule}`: such records go to quarantine",)
    return Finding(message, statement.place(written.start), (AGAIN,), ways, warning=True)


def _words(call: FailingCall, written: Written) -> tuple[str, tuple[str, ...]]:
    """Return what is wrong, and the fixes."""
    text = written.text
    if call.kind == DIVISION:
        value, divisor = written.given
        safe = f"NULLIF({_bare(divisor)}, 0)"
        fixed = f"MOD({value}, {safe})" if written.name == "MOD" else f"{value} {written.name} {safe}"
        message = f"`{_short(text)}` of {call.type} fails where `{_short(divisor)}` is 0"
        return message, (f"write `{_short(fixed)}`, which is NULL there", "guard it: CASE WHEN ... <> 0, or WHERE")
    if call.kind == TEXT and written.name in COMPARED:
        message = (
            f"`{_short(text)}` fails at the first text that is not a {_kind(call.type)}: Flink casts it to {call.type}"
        )
        return message, (f"cast it by TRY_CAST(... AS {call.type}), which is NULL there",)
    if call.kind == TEXT:
        value, target = written.given
        message = f"`{_short(text)}` fails at the first text that cannot be cast"
        return message, (f"write `TRY_CAST({_short(value)} AS {target})`, which is NULL there",)
    if call.kind == NOT_FINITE:
        message = f"`{_short(text)}` fails where `{_short(written.given[0])}` is NaN or infinite"
        return message, ("divide by NULLIF(..., 0), and take logarithms and roots of what is above 0",)
    message = f"`{_short(text)}` fails at {FUNCTIONS[call.kind]}"
    return message, (_OTHERWISE.get(call.kind, "leave ERROR ON out: the result is NULL there"),)


_OTHERWISE = {
    "FROM_BASE64": "guard it: CASE WHEN REGEXP(..., '^([A-Za-z0-9+/]{4})*...$') THEN FROM_BASE64(...) END",
    "PARSE_JSON": "write TRY_PARSE_JSON, which is NULL there",
    "RETURNING": "leave RETURNING out: TRY_CAST(JSON_VALUE(...) AS INT), for example, is NULL there",
    "ELEMENT": "write [1], the first element",
    "MAP_FROM_ARRAYS": "guard it: CASE WHEN CARDINALITY(keys) = CARDINALITY(values) THEN ... END",
}


def _kind(sql_type: str) -> str:
    return "time" if sql_type.startswith(("DATE", "TIME")) else "number"


def _bare(text: str) -> str:
    """Return a text without the parentheses around it."""
    inner = text[1:-1]
    return inner if text[:1] == "(" and text[-1:] == ")" and "(" not in inner and ")" not in inner else text


def _short(text: str, longest: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
