"""States are named after statements: nodes are written as Flink plans them, and shortened."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyflink_jobs.parsing.statements import split
from pyflink_jobs.planning.compile.compiled_plan import row_columns
from pyflink_jobs.planning.compile.state_names import name_states
from tests.unit.compiled_plans import plan, sink, source

EVENTS = "CREATE TABLE events (k STRING, x DOUBLE, y DOUBLE) WITH ('connector' = 'kafka')"
OTHERS = "CREATE VIEW others AS SELECT y, MAX(x) AS x_max FROM events GROUP BY y"
INSERT = "INSERT INTO scored SELECT * FROM counted"


def group(number: int, *, keys: list[int], calls: dict[str, list[int]]) -> dict[str, Any]:
    """Make a group aggregate: the numbers of its keys among the input's columns, and of the arguments of its calls."""
    return {
        "id": number,
        "type": "stream-exec-group-aggregate_1",
        "grouping": keys,
        "aggCalls": [{"name": name, "internalName": "$SUM$1", "argList": given} for name, given in calls.items()],
        "outputType": "ROW<`k` VARCHAR(2147483647), `n` BIGINT NOT NULL>",
        "description": "GroupAggregate(...)",
    }


def named(view: str, *aggregates: dict[str, Any]) -> str:
    """Return the names of aggregates, each of which reads the one before it, in a job that reads a view and another."""
    made = plan(source("k", "x", "y"), *aggregates, sink(9, "k", "n"))
    files = {"sources/events": EVENTS, "features/others": OTHERS, "features/counted": view, "jobs/job": INSERT}
    statements = [s for file, text in files.items() for s in split(text, Path(f"sql/{file}.sql"))]
    planned: Any = SimpleNamespace(job=SimpleNamespace(statements=statements), views=[])
    names = name_states(made, planned)
    return ", then ".join(names[aggregate["id"]] for aggregate in aggregates)


@pytest.mark.parametrize("group_by", ["GROUP BY", "group by", "GROUP\n  BY", "GROUP /* by */ BY", "group -- by\n by"])
def test_the_state_of_a_group_by_is_the_columns_of_its_view(group_by: str) -> None:
    for total in ("SUM(x)", "SUM(x + 1)"):  # before and after an edit
        view = f"CREATE VIEW counted AS SELECT k, COUNT(*) AS n, {total} AS total FROM events {group_by} k"
        found = named(view, group(3, keys=[0], calls={"n": [], "total": [1]}))
        assert found == "`n`, `total` (sql/features/counted.sql)"


def test_that_of_a_distinct_is_its_view() -> None:
    view = "CREATE VIEW counted AS SELECT DISTINCT k FROM events"
    assert named(view, group(3, keys=[0], calls={})) == "`counted` (sql/features/counted.sql)"


def test_of_two_views_that_group_it_is_the_one_with_the_columns() -> None:
    view = "CREATE VIEW counted AS SELECT k, SUM(x) AS total FROM events GROUP BY k"
    assert named(view, group(3, keys=[0], calls={"total": [1]})) == "`total` (sql/features/counted.sql)"
    assert named(view, group(3, keys=[2], calls={"x_max": [1]})) == "`x_max` (sql/features/others.sql)"


def test_nested_aggregates_are_the_columns_of_their_own_select() -> None:
    inner = "SELECT k, y, COUNT(*) AS n FROM events GROUP BY k, y"
    view = f"CREATE VIEW counted AS SELECT k, AVG(n) AS mean FROM ({inner}) GROUP BY k"
    # Flink computes an AVG from a sum and a count, with names of its own.
    found = named(view, group(3, keys=[0, 2], calls={"n": []}), group(4, keys=[0], calls={"$f1": [1], "$f2": [1]}))
    assert found == "`n` (sql/features/counted.sql), then `mean` (sql/features/counted.sql)"


def test_both_forms_of_a_row_type_have_the_same_columns() -> None:
    fields = [{"name": "k", "fieldType": "VARCHAR(10)"}, {"name": "a b", "fieldType": "ARRAY<ROW<`x` INT> NOT NULL>"}]
    columns = {"k": "VARCHAR(10)", "a b": "ARRAY<ROW<`x` INT> NOT NULL>"}
    assert row_columns({"type": "ROW", "fields": fields}) == columns
    assert row_columns("ROW<`k` VARCHAR(10), `a b` ARRAY<ROW<`x` INT> NOT NULL>>") == columns
    assert row_columns("ROW<>") == {}
