from pathlib import Path

import pytest

from pyflink_jobs.errors import Place, SqlError
from pyflink_jobs.parsing.statements import read_sql, split
from tests.projects import make_project


def test_statements_know_their_kind_name_and_place() -> None:
    sql = "-- about\nCREATE TABLE IF NOT EXISTS db.`my table` (a INT) WITH ('x' = ';');\n\n  INSERT INTO b SELECT 1;;\n"
    first, second = split(sql, Path("a.sql"))
    assert (first.kind, first.name, first.place()) == ("CREATE TABLE", "my table", Place(Path("a.sql"), 2, 1))
    assert (second.kind, second.name, second.place()) == ("INSERT INTO", "b", Place(Path("a.sql"), 4, 3))
    assert second.text == "INSERT INTO b SELECT 1"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE TEMPORARY VIEW v AS SELECT 1", "CREATE VIEW"),
        ("CREATE MODEL m INPUT (a INT) OUTPUT (b INT) WITH ('c' = 'd')", "CREATE MODEL"),
        ("insert into t select 1", "INSERT INTO"),
        ("SET 'a' = 'b'", "SET"),
    ],
)
def test_kinds(sql: str, kind: str) -> None:
    assert split(sql, Path("a.sql"))[0].kind == kind


def test_positions_inside_a_statement_become_positions_in_the_file() -> None:
    (statement,) = split("-- one\n    SELECT a,\n  b FROM t", Path("a.sql"))
    assert statement.place_at(1, 8) == Place(Path("a.sql"), 2, 12)
    assert statement.place_at(2, 3) == Place(Path("a.sql"), 3, 3)
    assert statement.place(statement.text.index("FROM")) == Place(Path("a.sql"), 3, 5)


def test_all_missing_variables_are_listed_at_once(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {
            "sources/a": "-- ${COMMENT} is not looked at\nCREATE TABLE a (x INT) WITH ('topic' = '${ONE}')",
            "sinks/b": "CREATE TABLE b (x INT)\nWITH ('topic' = '${TWO}', 'd' = '${THREE:-deep}', 'e' = '${FOUR}')",
        },
    )
    with pytest.raises(SqlError) as caught:
        read_sql(project.root, {"FOUR": "4"})
    assert [(str(f.place), f.message) for f in caught.value.findings] == [
        ("sql/sources/a.sql:2", "environment variable ONE is not set"),
        ("sql/sinks/b.sql:2", "environment variable TWO is not set"),
    ]
    statements = read_sql(project.root, {"ONE": "1", "TWO": "2", "FOUR": "4"})
    assert statements["sources"][0].text == "CREATE TABLE a (x INT) WITH ('topic' = '1')"
    assert statements["sinks"][0].text.endswith("WITH ('topic' = '2', 'd' = 'deep', 'e' = '4')")


def test_statements_in_the_wrong_folder_are_found(tmp_path: Path) -> None:
    project = make_project(
        tmp_path,
        {"features/a": "\nINSERT INTO t SELECT 1", "jobs/b": "CREATE TABLE t (a INT)", "jobs/c": "SET 'a' = 'b'"},
    )
    with pytest.raises(SqlError) as caught:
        read_sql(project.root, {})
    assert [str(f.place) for f in caught.value.findings] == [
        "sql/features/a.sql:2:1",
        "sql/jobs/b.sql:1:1",
        "sql/jobs/c.sql:1:1",
    ]
    assert "flink-conf" in caught.value.findings[2].fixes[0]
