"""Calls that end a job at some values: check names those that may, and no others; a job that failed names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import pyflink_jobs
from pyflink_jobs.errors import JobError
from pyflink_jobs.planning.compile.plan import plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.planning.flink.errors import read_exception
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

SQL = {
    "sources/events": """CREATE TABLE events (
  id STRING, a INT, b INT, d DECIMAL(10, 2), x DOUBLE, y DOUBLE, t STRING, js STRING, arr ARRAY<INT>,
  happened TIMESTAMP(3),
  n INT COMMENT 'range 1..100',
  code STRING COMMENT 'pattern [0-9]{1,3}',
  half AS a / b,
  WATERMARK FOR happened AS happened
) WITH ('connector' = 'datagen')""",
    "features/risky": """CREATE VIEW risky AS SELECT
  id, happened, a, b, CASE WHEN b <> 0 THEN a / b END AS q0,
  a / b AS q1,
  a % b AS q2,
  MOD(a, (b - 1)) AS q3,
  d / a AS q4,
  CAST(t AS INT) AS c1,
  CAST(t AS TIMESTAMP(3)) AS c2,
  ROUND(x / y, 2) AS r1,
  JSON_VALUE(js, '$.a' ERROR ON ERROR) AS j1,
  FROM_BASE64(t) AS f1,
  ELEMENT(arr) AS e1,
  a / (n - 1) AS q5,
  CASE WHEN a = 0 THEN 0 ELSE a / b END AS q6,
  t > 5 AS c3
FROM events""",
    "features/guarded": "CREATE VIEW guarded AS SELECT id, CASE WHEN b <> 0 THEN a / b END AS q FROM risky",
    "features/safe": """CREATE VIEW safe AS SELECT
  id, x / y AS inf, a / 2 AS h, a / NULLIF(b, 0) AS q1, MOD(a, n) AS q2, a / (n + 1) AS q3, d / 1.5 AS q4,
  CASE WHEN b <> 0 THEN a / b ELSE 0 END AS q5, IF(b = 0, 0, a / b) AS q6, a / GREATEST(b, 1) AS q7,
  CASE WHEN b = 0 THEN NULL WHEN a > 3 THEN a % b END AS q8, a / COALESCE(NULLIF(b, 0), 1) AS q9,
  a / COUNT(*) OVER (PARTITION BY id ORDER BY happened) AS q10, a / CAST(n AS BIGINT) AS q11,
  a / NULLIF(CAST(b AS DECIMAL(10, 0)), 0) AS q12, a * 1.0 / (ABS(b) + 1) AS q13, a / CAST(b AS DOUBLE) AS q14,
  CAST(code AS INT) AS c1, TRY_CAST(t AS INT) AS c2, CAST(a AS STRING) AS c3, CAST(t AS VARCHAR(3)) AS c4,
  CASE WHEN REGEXP(t, '^[0-9]+$') THEN CAST(t AS INT) END AS c5, CAST('3' AS INT) AS c6, CAST(x AS INT) AS c7,
  CASE WHEN b > a THEN n / (b - a) END AS q15, IF(COALESCE(b, 0) > 0, a / b, 0) AS q16, a / (a * a + 1) AS q17,
  ROUND(x, 2) AS r1, ROUND(x / NULLIF(y, 0), 2) AS r2, JSON_VALUE(js, '$.a') AS j1, TRY_PARSE_JSON(js) AS j2,
  CAST(DATE_FORMAT(happened, 'yyyy-MM-dd') AS DATE) AS d1
FROM events""",
    "features/kept": "CREATE VIEW kept AS SELECT id, a, b, happened FROM events WHERE b > 0",
    "features/of_kept": "CREATE VIEW of_kept AS SELECT id, a / b AS q, SUM(a) OVER w / b AS s,\n"
    "  SUM(a) OVER w / COUNT(a) OVER w AS m, AVG(a) OVER w AS g FROM kept\n"
    "WINDOW w AS (PARTITION BY id ORDER BY happened)",
    "features/grouped": """CREATE VIEW grouped AS
SELECT id, SUM(a) / COUNT(*) AS per_row, COUNT(*) AS rows_in, COUNT(b) AS given,
  SUM(a) / SUM(b) AS ratio, SUM(a) / SUM(n) AS safe_ratio, SUM(b) / COUNT(b) AS mean_b
FROM events GROUP BY id HAVING SUM(a) / COUNT(*) > 1""",
    "sinks/quarantine": "CREATE TABLE quarantine (reason STRING) WITH ('connector' = 'blackhole')",
    "sinks/out": "CREATE TABLE `out` (id STRING, v BIGINT) WITH ('connector' = 'blackhole')",
    "jobs/score": """INSERT INTO `out`
SELECT id, ratio / rows_in FROM grouped
UNION ALL SELECT id,
  per_row / given FROM grouped
UNION ALL SELECT id, CAST(q1 AS BIGINT) FROM risky
UNION ALL SELECT r.id, k.a / k.b FROM risky AS r JOIN kept AS k ON r.id = k.id""",
}
FOUND = {
    "sources/events.sql:6": "`a / b` of INT fails where `b` is 0",
    "features/risky.sql:3": "`a / b` of INT fails where `b` is 0",
    "features/risky.sql:4": "`a % b` of INT fails where `b` is 0",
    "features/risky.sql:5": "`MOD(a, (b - 1))` of INT fails where `(b - 1)` is 0",
    "features/risky.sql:6": "fails where `a` is 0",
    "features/risky.sql:7": "`CAST(t AS INT)` fails at the first text that cannot be cast",
    "features/risky.sql:8": "`CAST(t AS TIMESTAMP(3))` fails at the first text that cannot be cast",
    "features/risky.sql:9": "`ROUND(x / y, 2)` fails where `x / y` is NaN or infinite",
    "features/risky.sql:10": "fails at what ERROR ON stands for",
    "features/risky.sql:11": "`FROM_BASE64(t)` fails at a text that is not Base64",
    "features/risky.sql:12": "`ELEMENT(arr)` fails at an array of several elements",
    "features/risky.sql:13": "fails where `(n - 1)` is 0",
    "features/risky.sql:14": "`a / b` of INT fails where `b` is 0",
    "features/risky.sql:15": "`t > 5` fails at the first text that is not a number",
    "features/grouped.sql:3": "`SUM(a) / SUM(b)` of INT fails where `SUM(b)` is 0",
    "jobs/score.sql:4": "`per_row / given` of BIGINT fails where `given` is 0",
}


@pytest.fixture
def project(tmp_path: Path, jvm_project: Project) -> Project:
    del jvm_project
    return make_project(tmp_path, SQL)


def test_check_names_calls_that_may_fail_and_no_others(project: Project) -> None:
    checked = pyflink_jobs.check(project)
    assert checked.findings == []
    found = {f"{w.place.file.relative_to('sql')}:{w.place.line}": w.message for w in checked.warnings if w.place}
    assert {place: found.get(place, "") for place in FOUND if FOUND[place] not in found.get(place, "")} == {}
    assert sorted(found) == sorted(FOUND)
    assert len(checked.warnings) == len(FOUND)
    fixes = {
        f"{w.place.file.relative_to('sql')}:{w.place.line}": " ".join(w.fixes) for w in checked.warnings if w.place
    }
    assert "a / NULLIF(b, 0)" in fixes["features/risky.sql:3"]
    assert "MOD(a, NULLIF(b - 1, 0))" in fixes["features/risky.sql:5"]
    assert "TRY_CAST(t AS INT)" in fixes["features/risky.sql:7"]
    assert "give `t` of `events` a rule such as `pattern [0-9]+`" in fixes["features/risky.sql:7"]
    assert "give `b` of `events` a rule such as `range 1..`" in fixes["features/risky.sql:3"]


def _row() -> str:
    return (
        "CREATE TABLE numbers (n INT, m INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1', "
        "'fields.n.min' = '0', 'fields.n.max' = '0', 'fields.m.min' = '7', 'fields.m.max' = '7')"
    )


def test_a_job_that_fails_names_the_view(tmp_path: Path, cluster: MiniCluster) -> None:
    sql = {
        "sources/numbers": _row(),
        "features/ratios": "CREATE VIEW ratios AS\nSELECT m / 2 AS half,\n  m / n AS ratio\nFROM numbers",
        "sinks/out": "CREATE TABLE `out` (half INT, ratio INT) WITH ('connector' = 'blackhole')",
        "jobs/divide": "INSERT INTO `out` SELECT half, ratio FROM ratios",
    }
    project = make_project(tmp_path, sql)
    planned = plan_job(declare(project).job("divide"), table_environment(project, cluster.options))
    with pytest.raises(JobError) as failed:
        execute(project, planned, cluster)
    [finding] = failed.value.findings
    assert finding.message == "job `divide` failed at a division by 0"
    assert "sql/features/ratios.sql:3:3: `m / n` of INT fails where `n` is 0" in finding.facts
    assert "write `m / NULLIF(n, 0)`, which is NULL there" in finding.fixes


FAILS = {
    "m / n": True,
    "m % n": True,
    "MOD(m, n)": True,
    "CAST(m AS DECIMAL(5, 1)) / CAST(n AS DECIMAL(5, 1))": True,
    "CAST(s AS INT)": True,
    "CAST(s AS DOUBLE)": True,
    "CAST('y' || s AS DECIMAL(5, 1))": True,
    "CAST(s AS BOOLEAN)": True,
    "CAST(s AS DATE)": True,
    "CAST(s AS TIMESTAMP(3))": True,
    "CAST(ARRAY[s] AS ARRAY<INT>)": True,
    "s > 1": True,
    "s BETWEEN 1 AND 2": True,
    "ROUND(CAST(m AS DOUBLE) / n, 2)": True,
    "TRUNCATE(CAST(m AS DOUBLE) / n, 2)": True,
    "CAST(CAST(m AS DOUBLE) / n AS DECIMAL(10, 2))": True,
    "ROUND(LN(n), 2)": True,
    "ROUND(SQRT(n - m), 2)": True,
    "FROM_BASE64(s || '!')": True,
    "PARSE_JSON('{' || s)": True,
    "JSON_VALUE('{' || s, '$.a' ERROR ON ERROR)": True,
    "JSON_QUERY('{' || s, '$.a' ERROR ON ERROR)": True,
    "JSON_EXISTS('{' || s, '$.a' ERROR ON ERROR)": True,
    "ELEMENT(ARRAY[n, m])": True,
    "MAP_FROM_ARRAYS(ARRAY[n, m], ARRAY[n])": True,
    "JSON_VALUE('{\"a\": \"' || s || '\"}', '$.a' RETURNING INTEGER)": True,
    "JSON_VALUE('{\"a\": \"' || s || '\"}', '$.a')": False,
    "ARRAY[m][n]": False,
    "CAST(m AS DOUBLE) / n": False,
    "LN(n)": False,
    "CAST(CAST(m AS DOUBLE) / n AS INT)": False,
    "FLOOR(CAST(m AS DOUBLE) / n)": False,
    "m * 2147483647": False,
    "SUBSTRING(s, n, n - 9)": False,
    "TO_TIMESTAMP(s)": False,
    "TRY_CAST(s AS INT)": False,
    "PARSE_URL(s, 'HOST')": False,
    "TO_TIMESTAMP_LTZ(9223372036854775807 - n, 3)": False,
    "REGEXP_EXTRACT(s, '(', 1)": False,
    "TIMESTAMPADD(DAY, 2147483647 - n, TIMESTAMP '2020-01-01 00:00:00')": False,
    "CAST(m * 100000 AS DECIMAL(4, 2))": False,
}
"""Whether a call fails where `n` is 0, `m` is 7 and `s` is '0x'."""


def _failure(project: Project, cluster: MiniCluster, *expressions: str) -> str:
    """Run one job that computes all these expressions; return why it fails, "" where it does not."""
    environment = table_environment(project, cluster.options)
    environment.execute_sql(_row())
    columns = ", ".join(f"CAST({expression} AS STRING) AS r{number}" for number, expression in enumerate(expressions))
    query = f"SELECT {columns} FROM (SELECT n, m, CAST(n AS STRING) || 'x' AS s FROM numbers)"
    try:
        with environment.execute_sql(query).collect() as rows:
            assert [*rows]
    except Exception as error:  # noqa: BLE001 - Py4J's, or one that PyFlink makes of it
        return read_exception(error).text
    return ""


@pytest.mark.slow
def test_what_flink_fails_at(tmp_path: Path, cluster: MiniCluster) -> None:
    """The list that check is made from; a call that begins or stops to fail in another Flink is seen here."""
    project = make_project(tmp_path, {})
    assert _failure(project, cluster, *(e for e, fails in FAILS.items() if not fails)) == ""
    for divides_null in ("NULLIF(n, 0) / n", "SUM(NULLIF(n, 0)) / COUNT(NULLIF(n, 0))"):
        assert _failure(project, cluster, divides_null) == ""
    failing = [expression for expression, fails in FAILS.items() if fails]
    assert [expression for expression in failing if _failure(project, cluster, expression)] == failing
