"""Which columns the views behind ML_PREDICT keep: those that some reader can see, and not one too few."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyflink_jobs.parsing.ml_predict import find_calls
from pyflink_jobs.parsing.statements import Statement, split
from pyflink_jobs.planning.flink.used_columns import used_columns

CALL = "ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(a, b))"
COLUMNS = ["a", "b", "c", "d e", "day"]


def used(*sql: str) -> list[str]:
    readers = [reader for text in sql for reader in split(text, Path("job.sql"))]
    return used_columns(find_calls(readers[0])[0], readers, COLUMNS)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        (f"SELECT score FROM {CALL}", []),
        (f"SELECT c, score FROM {CALL}", ["c"]),
        (f"SELECT score FROM {CALL} WHERE a > 1", ["a"]),
        (f"SELECT p.`d e` FROM {CALL} AS p", ["d e"]),
        (f"SELECT COUNT(*), 2 * MAX(c) FROM {CALL} GROUP BY b", ["b", "c"]),
        (f"SELECT CAST(c AS DECIMAL(3)) FROM {CALL}", ["c"]),
        (f"SELECT 'a', \"b\" FROM {CALL} -- c", ["b"]),
        (f"SELECT c FROM {CALL} AS p JOIN g ON p.score = g.day", ["c", "day"]),
    ],
)
def test_names_outside_of_the_call(sql: str, names: list[str]) -> None:
    assert used(sql) == names


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT * FROM {CALL}",
        f"SELECT score, * FROM {CALL}",
        f"SELECT p.* FROM {CALL} AS p",
        f"SELECT DISTINCT * FROM {CALL}",
        f"SELECT x FROM {CALL} AS p (v, w, x, y, z)",
        f"SELECT x FROM TABLE({CALL}) p (v, w, x, y, z)",
        f"SELECT score FROM {CALL} NATURAL JOIN g",
    ],
)
def test_columns_taken_without_being_named(sql: str) -> None:
    assert used(sql) == COLUMNS


def test_all_readers_of_a_call_count() -> None:
    other = "INSERT INTO u SELECT day FROM ML_PREDICT(TABLE g, MODEL m, DESCRIPTOR(a, b))"
    assert used(f"INSERT INTO t SELECT c FROM {CALL}", f"INSERT INTO t SELECT a FROM {CALL}", other) == ["a", "c"]


def test_a_call_in_a_call_is_read_by_the_query_around_it() -> None:
    outer = f"SELECT c FROM ML_PREDICT((SELECT day, b FROM {CALL}), MODEL n, DESCRIPTOR(b))"
    (call,) = find_calls(split(outer, Path("job.sql"))[0])
    assert call.query is not None
    (inner,) = find_calls(call.query)
    readers = split(outer, Path("job.sql"))
    assert used_columns(inner, readers, COLUMNS) == ["b", "day"]
    assert used_columns(call, readers, COLUMNS) == ["c"]


def test_a_call_that_no_reader_has_keeps_everything() -> None:
    (call,) = find_calls(Statement(Path("job.sql"), "", f"SELECT c FROM {CALL}"))
    assert used_columns(call, [], COLUMNS) == COLUMNS
