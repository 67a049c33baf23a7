from pathlib import Path

import pytest

from pyflink_jobs.parsing.insert import read_insert
from pyflink_jobs.parsing.statements import Statement


@pytest.mark.parametrize(
    ("text", "into", "columns", "query"),
    [
        ("INSERT INTO t\nSELECT 1, 2", "INSERT INTO t", ("x", "y"), "SELECT 1, 2"),
        ("INSERT INTO t (`a b`, c) -- c\nSELECT 1, 2", "INSERT INTO t", ("a b", "c"), "SELECT 1, 2"),
        ("insert into a.`b`.t (SELECT 1)", "insert into a.`b`.t", ("x", "y"), "(SELECT 1)"),
        ("INSERT INTO t WITH q AS (SELECT 1) SELECT *", "INSERT INTO t", ("x", "y"), "WITH q AS (SELECT 1) SELECT *"),
        ("INSERT INTO t (c) (SELECT 1)", "INSERT INTO t", ("c",), "(SELECT 1)"),
    ],
)
def test_the_columns_and_the_query_of_an_insert(text: str, into: str, columns: tuple[str, ...], query: str) -> None:
    insert = read_insert(Statement(Path("job.sql"), "", text), ["x", "y"])
    assert (insert.into, insert.columns, insert.query) == (into, columns, query)


def test_the_query_stays_as_it_is() -> None:
    text = "INSERT INTO t\nSELECT a -- why\nFROM u -- last"
    insert = read_insert(Statement(Path("job.sql"), "", text), ["x"])
    assert insert.select("`x`", "`x` = 1") == (
        "SELECT `x` FROM (SELECT a -- why\nFROM u -- last\n) AS `_rows` (`x`)\nWHERE `x` = 1"
    )


@pytest.mark.parametrize(
    ("text", "into", "columns", "query", "after"),
    [
        ("INSERT INTO t SELECT 1, 2 ON CONFLICT DO NOTHING", "", "`x`, `y`", "SELECT 1, 2", "\nON CONFLICT DO NOTHING"),
        # No clause, but a join with a column of that name.
        ("INSERT INTO t TABLE a JOIN b ON conflict = c", "", "`x`, `y`", "TABLE a JOIN b ON conflict = c", ""),
        ("INSERT INTO t /*+ X('a') */ SELECT 1, 2", " /*+ X('a') */", "`x`, `y`", "SELECT 1, 2", ""),
        ("INSERT INTO t PARTITION (y = 'b') SELECT 1 -- one", " PARTITION (y = 'b')", "`x`", "SELECT 1 -- one", ""),
    ],
)  # fmt: skip
def test_an_insert_of_some_rows_has_all_its_parts(text: str, into: str, columns: str, query: str, after: str) -> None:
    insert = read_insert(Statement(Path("job.sql"), "", text), ["x", "y"])
    assert insert.only("`x` = 1") == (
        f"INSERT INTO t{into}\n({columns})\n"
        f"SELECT {columns} FROM ({query}\n) AS `_rows` ({columns})\nWHERE `x` = 1{after}"
    )
