"""Which SELECT of which statement an operator of a plan comes from.

The plan says which tables an operator reads, by which columns it keeps its state and from which it computes it. The
operator comes from the statement that reads the same tables, and from the SELECT in it that has these columns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pyflink_jobs.parsing.brackets import before, levels, split
from pyflink_jobs.planning.compile.compiled_plan import SOURCE, row_columns
from pyflink_jobs.planning.dependencies import needed_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.parsing.tokens import Token
    from pyflink_jobs.planning.compile.compiled_plan import Operator, Plan

__all__ = ["Queries", "Query"]

# The words of SQL that most often make an operator of a type.
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
# Where a node of the plan has the numbers of the input's columns that it groups by, joins by or computes from.
_COLUMNS = ("grouping", "argList", "uniqueKeys", "partitionKeys", "fields", "leftKeys")


@dataclass(frozen=True)
class Query:
    """A SELECT of a view or an INSERT, and the source tables that its statement reads, directly or through views.

    `tokens` are its own, without those of SELECTs inside it.
    """

    statement: Statement
    tables: frozenset[str]
    tokens: list[Token]

    def has(self, words: Iterable[str]) -> bool:
        """Return whether it has one of these words."""
        return any(token.says(*words) for token in self.tokens)

    def shared(self, names: set[str]) -> int:
        """Return how many of these names it has."""
        return len(names & {token.text for token in self.tokens})

    @property
    def aggregates(self) -> list[str]:
        """Its columns that are made of many rows."""
        items = [item for item in split(before(self.tokens[1:], "FROM")) if item and item[-1].is_identifier]
        return [item[-1].text for item in items if any(token.says(*_AGGREGATES) for token in item[:-1])]

    @property
    def joined(self) -> list[str]:
        """What follows each JOIN."""
        return [after.text for token, after in pairwise(self.tokens) if token.says("JOIN")]


class Queries:
    """The views and INSERTs of a job, to find the one that an operator comes from."""

    def __init__(self, plan: Plan, statements: list[Statement]) -> None:
        self._plan = plan
        self._below = _tables_below(plan)
        created = [s for s in statements if s.kind in ("CREATE TABLE", "CREATE VIEW")]
        sources = {operator.table for operator in plan.operators.values() if operator.type == SOURCE}
        queries = [s for s in statements if s.kind in ("CREATE VIEW", "INSERT INTO")]
        self._queries = [Query(s, _tables_of(s, created) & sources, own) for s in queries for own in _selects(s.tokens)]
        self._tables = {s.name or "": _tables_of(s, created) & sources for s in created}
        self._found: Counter[tuple[int, str]] = Counter()

    def of(self, operator: Operator) -> Query | None:
        """Return the SELECT that an operator comes from: it reads the same tables and has the operator's columns."""
        tables, names = self._below[operator.id], _columns(self._plan, operator)
        words = _MADE_BY.get(operator.type, ())
        made = {call["name"] for call in operator.calls}

        def likeness(number: int) -> tuple[bool, bool, bool, int, int, int]:
            query = self._queries[number]
            fits, same = query.tables == tables, len(made.intersection(query.aggregates))
            alike = bool(operator.calls) == bool(query.aggregates)  # a DISTINCT groups without a call
            return query.has(words), fits, alike, same, query.shared(names), -self._found[number, operator.type]

        best = max((n for n, query in enumerate(self._queries) if query.tables >= tables), key=likeness, default=None)
        if best is None:
            return None
        self._found[best, operator.type] += 1
        return self._queries[best]

    def joined(self, query: Query, operator: Operator) -> list[str]:
        """Return what a join of a query adds to its left side: a table or view after JOIN, or else source tables."""
        right = self._below[self._plan.inputs[operator.id][1]]
        return [name for name in query.joined if self._tables.get(name) == right][:1] or sorted(right)


def _selects(tokens: Sequence[Token]) -> list[list[Token]]:
    """Return the tokens of each SELECT without those of SELECTs inside it: inner ones first, as operators of a plan."""
    found: list[tuple[int, list[Token]]] = []
    opened: dict[int, list[Token]] = {}
    for token, depth in levels(tokens):
        opened = {begun: select for begun, select in opened.items() if begun <= depth}
        if token.says("SELECT"):
            opened[depth] = []
            found.append((depth, opened[depth]))
        if opened:
            opened[max(opened)].append(token)
    return [select for _, select in sorted(found, key=lambda each: -each[0])]


def _tables_of(statement: Statement, created: list[Statement]) -> frozenset[str]:
    """Return the names of all that a statement reads, itself among them."""
    return frozenset(s.name or "" for s in (statement, *needed_by([statement], created)))


def _tables_below(plan: Plan) -> dict[int, frozenset[str]]:
    """Return the source tables that each operator reads, directly or through others."""
    found: dict[int, frozenset[str]] = {}
    for number, operator in plan.operators.items():
        own = {operator.table} if operator.type == SOURCE else set()
        found[number] = frozenset(own.union(*(found[name] for name in plan.inputs[number])))
    return found


def _columns(plan: Plan, operator: Operator) -> set[str]:
    """Return the names of the columns that an operator groups by, joins by or computes from."""
    rows = [operator.node.get("localAggInputRowType")]
    rows += [plan.operators[name].node["outputType"] for name in plan.inputs[operator.id]]
    given = [*row_columns(next(row for row in (*rows, "ROW<>") if row))]
    return {given[number] for number in _numbers(operator.node) if number < len(given)}


def _numbers(part: Any) -> Iterator[int]:  # noqa: ANN401 - JSON
    """Yield the numbers of columns in a part of a node."""
    if isinstance(part, list):
        for one in part:
            yield from _numbers(one)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in _COLUMNS and isinstance(value, list):
                yield from (number for number in value if isinstance(number, int))
            yield from _numbers(value)
