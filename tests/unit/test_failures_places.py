"""Where a statement has the calls that may fail, and what their findings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyflink_jobs.parsing.statements import Statement
from pyflink_jobs.planning.failures.calls import FailingCall
from pyflink_jobs.planning.failures.findings import failing_finding
from pyflink_jobs.planning.failures.places import place_of, written_calls


def view(query: str) -> Statement:
    return Statement(Path("v.sql"), "", f"CREATE VIEW v AS\n{query}")


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("SELECT a / b FROM t", ["a / b"]),
        ("SELECT t.a / t.b + 1 FROM t", ["t.a / t.b"]),
        ("SELECT SUM(a) / COUNT(*) FROM t", ["SUM(a) / COUNT(*)"]),
        ("SELECT (a + 1) / (b - 1) FROM t", ["(a + 1) / (b - 1)"]),
        ("SELECT a / -b FROM t", ["a / -b"]),
        ("SELECT r[1] / f(a, b)[2] FROM t", ["r[1] / f(a, b)[2]"]),
        ("SELECT CASE WHEN (a / b) > 2 THEN 1 END FROM t", ["a / b", "(a / b) > 2"]),
        ("SELECT MOD(a, b), CAST(`x y` AS DECIMAL(5, 2)) FROM t", ["MOD(a, b)", "CAST(`x y` AS DECIMAL(5, 2))"]),
        ("SELECT 'a / b', a -- / b\nFROM t", []),
    ],
)
def test_the_calls_of_a_statement(query: str, texts: list[str]) -> None:
    assert [each.text for each in written_calls(view(query))] == texts


def finding(query: str, kind: str, name: str, result: str, *columns: str) -> str:
    statement = view(query)
    call = FailingCall(kind, name, result, frozenset(columns))
    place = place_of(call, written_calls(statement))
    return str(failing_finding(statement, call, place, {})) if place else ""


def test_a_division_is_found_by_its_columns() -> None:
    found = finding("SELECT a / 2,\n  c / (d - e) FROM t", "division", "/", "INT", "c", "d", "e")
    assert found.split("\n") == [
        "v.sql:3:3: `c / (d - e)` of INT fails where `(d - e)` is 0",
        "  one such row ends the job; it starts again before that row, and ends again",
        "  either write `c / NULLIF(d - e, 0)`, which is NULL there,",
        "  or guard it: CASE WHEN ... <> 0, or WHERE",
    ]


def test_a_call_of_another_statement_has_no_place() -> None:
    assert finding("SELECT a / b FROM t", "division", "/", "INT", "c", "d") == ""
    assert finding("SELECT a FROM t", "division", "/", "INT", "a") == ""


def test_casts_of_text() -> None:
    assert "write `TRY_CAST(name AS INT)`, which" in finding(
        "SELECT CAST(name AS INT) FROM t", "text", "CAST", "INT", "name"
    )
    compared = finding("SELECT name > 5 FROM t", "text", "CAST", "BIGINT", "name")
    assert "`name > 5` fails at the first text that is not a number: Flink casts it to BIGINT" in compared
