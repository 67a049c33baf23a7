"""Queries that need not be asked about: those with new rows alone, by their text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyflink_jobs.parsing.statements import split
from pyflink_jobs.planning.flink.may_change import may_change

KAFKA = "CREATE TABLE {} (a INT, t TIMESTAMP(3)) WITH ('connector' = '{}', 'format' = '{}')"
TABLES = [
    KAFKA.format("e", "kafka", "json"),
    KAFKA.format("u", "upsert-kafka", "json"),
    KAFKA.format("c", "kafka", "debezium-json"),
]
WINDOWS = "FROM TABLE(HOP(TABLE {}, DESCRIPTOR(t), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))"
ONLY_NEW = [
    "SELECT a FROM e",
    "SELECT SUM(a) OVER (PARTITION BY a ORDER BY t) FROM e",
    "SELECT a FROM e WHERE a IN (1, 2)",
    "SELECT a FROM e UNION ALL SELECT a FROM e",
    f"SELECT COUNT(*) {WINDOWS.format('e')} GROUP BY a, window_start, window_end, window_time",
    "SELECT e.a FROM e LEFT JOIN u FOR SYSTEM_TIME AS OF e.t AS r ON e.a = r.a",
    "SELECT e.a FROM e LEFT JOIN `d`.newest FOR /* now */ SYSTEM_TIME AS OF e.t ON e.a = newest.a",
]
CHANGE = [
    "SELECT a FROM u",
    "SELECT a FROM c",
    "SELECT a FROM newest",
    "SELECT DISTINCT a FROM e",
    "SELECT a FROM e WHERE a IN (SELECT a FROM e)",
    "SELECT a FROM e UNION SELECT a FROM e",
    "SELECT COUNT(*) FROM e GROUP BY a",
    f"SELECT COUNT(*) {WINDOWS.format('e')} GROUP BY a",
    f"SELECT COUNT(*) {WINDOWS.format('u')} GROUP BY window_start, window_end",
    f"SELECT COUNT(*) FROM (SELECT a {WINDOWS.format('e')}) GROUP BY a",
    f"SELECT SUM(n) FROM (SELECT a, 1 AS n {WINDOWS.format('e')} GROUP BY a, window_start, window_end) GROUP BY a",
    "SELECT COUNT(*) FROM e GROUP BY a, TUMBLE(t, INTERVAL '1' HOUR)",
    "SELECT e.a FROM e JOIN u ON e.a = u.a",
    "SELECT e.a FROM u JOIN e FOR SYSTEM_TIME AS OF u.t ON e.a = u.a",
    "SELECT e.a FROM e JOIN u FOR SYSTEM_TIME AS OF e.t ON e.a = u.a JOIN e AS f ON e.a = f.a",
]


@pytest.mark.parametrize(("query", "expected"), [*((q, False) for q in ONLY_NEW), *((q, True) for q in CHANGE)])
def test_what_has_new_rows_alone(query: str, expected: bool) -> None:  # noqa: FBT001 - a case
    newest = (
        "CREATE VIEW newest AS SELECT a FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY a ORDER BY t DESC) AS n FROM e)"
    )
    statements = [*TABLES, newest, f"CREATE VIEW seen AS {query}", "CREATE VIEW behind AS SELECT * FROM seen"]
    created = {statement.name or "": statement for statement in split(";\n".join(statements), Path("all.sql"))}
    assert may_change(created["seen"], created) is expected
    assert may_change(created["behind"], created) is expected
