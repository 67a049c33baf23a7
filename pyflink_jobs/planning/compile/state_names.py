"""What an operator's state is to an analyst: a file, and columns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.parsing.brackets import before, split
from pyflink_jobs.planning.compile.compiled_plan import SINK, SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.compile.compiled_plan import Operator, Plan
    from pyflink_jobs.planning.compile.plan import PlannedJob

__all__ = ["name_states"]

# Which words of a statement make an operator of which type.
_MADE_BY = {
    "over-aggregate": ("OVER",),
    "python-over-aggregate": ("OVER",),
    "global-window-aggregate": ("TUMBLE", "HOP", "CUMULATE", "SESSION"),
    "window-aggregate": ("TUMBLE", "HOP", "CUMULATE", "SESSION"),
    "group-window-aggregate": ("TUMBLE", "HOP", "SESSION"),
    "group-aggregate": ("GROUP", "DISTINCT"),
    "global-group-aggregate": ("GROUP", "DISTINCT"),
    "temporal-join": ("SYSTEM_TIME",),
    "deduplicate": ("ROW_NUMBER",),
    "rank": ("ROW_NUMBER",),
    "window-deduplicate": ("ROW_NUMBER",),
    "window-rank": ("ROW_NUMBER",),
    "join": ("JOIN",),
    "interval-join": ("JOIN",),
    "window-join": ("JOIN",),
    "match": ("MATCH_RECOGNIZE",),
}
_AGGREGATES = (
    "AVG",
    "COUNT",
    "SUM",
    "MIN",
    "MAX",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
    "FIRST_VALUE",
    "LAST_VALUE",
    "LISTAGG",
    "ARRAY_AGG",
    "LAG",
    "LEAD",
    "ROW_NUMBER",
    "RANK",
)
_MOST_COLUMNS = 4  # named of one operator


def name_states(plan: Plan, planned: PlannedJob) -> dict[int, str]:
    """Return a name for each operator of a job's plan that keeps state."""
    places = {s.name: str(s.place().file) for s in planned.job.statements if s.name and s.kind != "INSERT INTO"}
    monitored = next((view.model.definition for view in planned.views if "drift" in view.model.additions), None)
    makers = {kind: _makers(planned.job.statements, words) for kind, words in _MADE_BY.items()}
    seen: dict[str, int] = {}
    names = {}
    for number, operator in plan.operators.items():
        if not operator.keeps_state:
            continue
        if operator.type == SOURCE:
            names[number] = f"place in the topic of `{operator.table}` ({places.get(operator.table, 'a source')})"
        elif operator.type == SINK:
            names[number] = f"transactions of `{operator.table}` ({places.get(operator.table, 'a sink')})"
        elif monitored and _is_drifts(plan, operator):
            what = "memory of past windows" if operator.type == "python-group-aggregate" else "windows in progress"
            names[number] = f"drift of `{monitored.name}`: {what} ({monitored.place.file})"
        else:
            nth = seen.get(operator.type, 0)
            seen[operator.type] = nth + 1
            names[number] = _feature(operator, makers.get(operator.type, []), nth)
    return names


def _is_drifts(plan: Plan, operator: Operator) -> bool:
    """Return whether an operator reads what the scoring function gives, by whatever ways."""
    below = [plan.operators[name] for name in plan.inputs[operator.id]]
    return operator.type.startswith("python-group") or any(
        one.type == "python-calc" or _is_drifts(plan, one) for one in below
    )


def _makers(statements: list[Statement], words: tuple[str, ...]) -> list[tuple[Statement, int]]:
    """Return the statements that have one of `words`, each as often as it has it, and which of these it is."""
    found = []
    for statement in statements:
        if statement.kind in ("CREATE VIEW", "INSERT INTO"):
            times = sum(token.says(*words) for token in statement.tokens)
            found += [(statement, number) for number in range(times)]
    return found


def _feature(operator: Operator, makers: list[tuple[Statement, int]], nth: int) -> str:
    """Return the name of what SQL keeps: by the columns that its description and the statement share."""
    if not makers:
        return operator.description.partition("(")[0]
    if operator.type.endswith("join"):
        statement, number = makers[min(nth, len(makers) - 1)]
        return f"join with `{_joined(statement, number)}` ({statement.place().file})"
    best = max(makers, key=lambda maker: _shared(operator, maker[0]))[0]
    columns = [name for name, made in _selected(best) if made]
    shown = ", ".join(f"`{name}`" for name in columns[:_MOST_COLUMNS]) + (" ..." if columns[_MOST_COLUMNS:] else "")
    return f"{shown or f'`{best.name}`'} ({best.place().file})"


def _shared(operator: Operator, statement: Statement) -> int:
    """Return how much an operator's keys and a statement have in common."""
    keys = [part.split("]")[0] for part in operator.description.split("=[")[1:3]]
    words = {token.text for token in statement.tokens}
    return sum(name.strip() in words for key in keys for name in key.split(","))


def _joined(statement: Statement, number: int) -> str:
    """Return the table behind the JOIN of this number."""
    tokens = statement.tokens
    behind = [tokens[i + 1].text for i, token in enumerate(tokens[:-1]) if token.says("JOIN")]
    return behind[min(number, len(behind) - 1)] if behind else statement.name or ""


def _selected(statement: Statement) -> Iterator[tuple[str, bool]]:
    """Yield the columns of a statement's first SELECT, and whether each is made of many rows."""
    tokens = statement.tokens
    start = next((at for at, token in enumerate(tokens, 1) if token.says("SELECT")), len(tokens))
    for item in split(before(tokens[start:], "FROM")):
        if item:
            yield item[-1].text, any(part.says(*_AGGREGATES) for part in item[:-1])
