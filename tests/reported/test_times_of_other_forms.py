"""Times in a form that a column does not accept: the form that was found, and an expression that gives the time."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.parsing.create_table import read_source
from pyflink_jobs.parsing.statements import Statement
from pyflink_jobs.planning.rewrites.time_units import unit_words
from pyflink_jobs.running.environment import table_environment
from tests.minicluster.java_formats import Formats

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

WHOLE = datetime(2013, 4, 1, 5, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def environment(cluster: MiniCluster, jvm_project: Project) -> TableEnvironment:
    return table_environment(jvm_project, {**cluster.options, "parallelism.default": "1"})


def error(value: object, kind: str, standard: str = "SQL") -> str:
    """Return what quarantine says of a record whose column `at` has a value."""
    formats = Formats(f"`at` {kind}", standard)
    decoder = formats.checked(formats.quick_json(formats.strict_json()))
    ((_, said),) = formats.fields(decoder, [json.dumps({"at": value}).encode()])
    return said or ""


SECONDS = int(WHOLE.timestamp())
OFFSETS = [
    "2013-04-01T07:00:00+02:00", "2013-04-01 00:30:00-0430", "2013-04-01T07:00:00.123456+02",
    "2013-04-01T05:00+00:00",
]  # fmt: skip
NUMBERS = {
    SECONDS: "seconds",
    SECONDS * 1000: "milliseconds",
    SECONDS * 10**6: "microseconds",
    SECONDS * 10**9: "nanos",
}


@pytest.mark.parametrize("kind", ["TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"])
def test_the_expression_gives_the_time(kind: str, environment: TableEnvironment) -> None:
    expressions = []
    for value in OFFSETS:
        said = error(value, kind)
        assert said.startswith(f"at is {value}, expected TIMESTAMP")
        assert f"; it has the offset {re.findall('[+-][0-9:]+$', value)[0]}: declare `at` STRING" in said
        expressions.append(said.rpartition("compute ")[2].replace("`at`", f"'{value}'"))
    for number, unit in NUMBERS.items():
        said = error(number, kind)
        assert f"; it is a number of {unit}" in said
        assert "declare `at` BIGINT, and compute" in said
        expressions.append(said.rpartition("compute ")[2].replace("`at`", str(number)))
    listed = ", ".join(f"CAST({expression} AS STRING)" for expression in expressions)
    with environment.execute_sql(f"SELECT {listed}").collect() as rows:
        (row,) = [list(row) for row in rows]
    assert [datetime.fromisoformat(f"{time}+00:00").replace(microsecond=0) for time in row] == [WHOLE] * len(row)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("value", "kind", "standard", "hint"),
    [
        ("2013-04-01T05:00:00Z", "TIMESTAMP_LTZ(3)", "SQL", ("it is written as ISO-8601: add"
         " 'json.timestamp-format.standard' = 'ISO-8601'")),
        ("2013-04-01 05:00:00Z", "TIMESTAMP_LTZ(3)", "ISO_8601", ("it is written as SQL: add"
         " 'json.timestamp-format.standard' = 'SQL'")),
        ("2013-04-01 05:00:00Z", "TIMESTAMP(3)", "SQL", "it has a Z, for UTC: declare `at` TIMESTAMP_LTZ(3)"),
        ("2013-04-01 05:00:00", "TIMESTAMP_LTZ(3)", "SQL", "it has no Z: declare `at` TIMESTAMP(3)"),
        ("2013-04-01T05:00:00Z", "TIMESTAMP(3)", "SQL", ("it has a Z, for UTC: declare `at` TIMESTAMP_LTZ(3); it is"
         " written as ISO-8601: add 'json.timestamp-format.standard' = 'ISO-8601'")),
        ("yesterday", "TIMESTAMP(3)", "SQL", ""),
        ("far", "INT", "SQL", ""),
    ],
)  # fmt: skip
def test_the_option_is_named(value: str, kind: str, standard: str, hint: str) -> None:
    before, _, found = error(value, kind, standard).partition("; ")
    assert before.startswith(f"at is {value}, expected {kind}, at byte ")
    assert found == hint


def words(declared: str, value: int, environment: TableEnvironment) -> str:
    sql = f"CREATE TABLE e (ms BIGINT, t AS {declared}, WATERMARK FOR t AS t) WITH ('connector' = 'kafka')"
    source = read_source(Statement(Path("e.sql"), "", sql))
    assert source
    said = unit_words(source)
    with environment.execute_sql(f"SELECT {said} FROM (VALUES (CAST({value} AS BIGINT))) AS e (ms)").collect() as rows:
        return str(next(iter(rows))[0])


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        ("TO_TIMESTAMP_LTZ(ms, 3)", SECONDS, ("; ms looks like seconds, and is read as milliseconds: compute"
         " TO_TIMESTAMP_LTZ(ms, 0)")),
        ("TO_TIMESTAMP_LTZ(ms, 3)", SECONDS * 10**6, ("; ms looks like microseconds, and is read as milliseconds:"
         " compute TO_TIMESTAMP_LTZ(ms / 1000, 3)")),
        ("TO_TIMESTAMP_LTZ(ms, 0)", SECONDS * 1000, ("; ms looks like milliseconds, and is read as seconds: compute"
         " TO_TIMESTAMP_LTZ(ms, 3)")),
        ("TO_TIMESTAMP_LTZ(ms, 3)", 17, ""),
        ("TO_TIMESTAMP_LTZ(ms + 1, 3)", SECONDS, ""),
    ],
)  # fmt: skip
def test_a_number_in_another_unit(declared: str, value: int, expected: str, environment: TableEnvironment) -> None:
    assert words(declared, value, environment) == expected
