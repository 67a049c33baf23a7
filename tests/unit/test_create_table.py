from pathlib import Path

import pytest

from pyflink_jobs.parsing.create_table import SourceColumn, SourceTable, read_source
from pyflink_jobs.parsing.option import read_options
from pyflink_jobs.parsing.statements import split

SQL = """CREATE TABLE `departures` (
  `flight, id` STRING NOT NULL COMMENT 'required; (one)',
  nested ROW<a INT NOT NULL, b MAP<STRING, ARRAY<ROW<c1 INT, `d e` DECIMAL(5, 2)>>>> COMMENT 'deep',
  dep_delay /* minutes */ FLOAT METADATA,
  departure_partition INT METADATA FROM 'partition' VIRTUAL,
  late AS CAST(dep_delay AS DECIMAL(5, 2)) > 15 COMMENT 'computed',
  event_time TIMESTAMP(3) WITH LOCAL TIME ZONE,
  PRIMARY KEY (`flight, id`, event_time) NOT ENFORCED,
  WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND -- late
) COMMENT 'a = b' PARTITIONED BY (event_time) WITH (
  'connector' = 'kafka',
  'topic' = 'a, b)'
)"""


def read(sql: str) -> SourceTable:
    table = read_source(split(sql, Path("t.sql"))[0])
    assert table is not None
    return table


def column(name: str) -> SourceColumn:
    return next(column for column in read(SQL).columns if column.name == name)


def test_columns_and_their_types() -> None:
    assert {column.name: column.type for column in read(SQL).columns} == {
        "flight, id": "STRING",
        "nested": "ROW<A INT NOT NULL,B MAP<STRING,ARRAY<ROW<C1 INT,`d e` DECIMAL(5,2)>>>>",
        "dep_delay": "FLOAT",
        "departure_partition": "INT",
        "late": "",
        "event_time": "TIMESTAMP(3) WITH LOCAL TIME ZONE",
    }


def test_comments_metadata_and_their_places() -> None:
    assert (column("flight, id").comment, str(column("flight, id").place)) == ("required; (one)", "t.sql:2:40")
    assert (column("nested").comment, column("nested").stored) == ("deep", True)
    assert (column("dep_delay").metadata, column("dep_delay").stored) == ("dep_delay", False)
    assert column("departure_partition").metadata == "partition"
    assert (column("late").comment, column("late").stored) == ("computed", False)
    assert str(column("event_time").place) == "t.sql:7:3"
    assert read(SQL).metadata("partition") == "departure_partition"
    assert read(SQL).metadata("offset") is None


def test_watermark_options_and_offsets() -> None:
    table = read(SQL)
    assert table.time == "event_time"
    assert table.watermark is not None
    start, end = table.watermark
    assert SQL[start:end] == "event_time - INTERVAL '5' SECOND"
    assert (SQL[table.name.start : table.name.end], SQL[end : table.end]) == ("`departures`", "")
    assert (table.option("connector"), table.option("topic"), table.option("format")) == ("kafka", "a, b)", "")
    topic = table.options["topic"]
    assert SQL[topic.key.start : topic.literal.end] == "'topic' = 'a, b)'"
    assert str(topic.place) == "t.sql:12:3"


def test_options_without_a_list_of_columns() -> None:
    (statement,) = split("CREATE TABLE t WITH ('topic' = 'a,b', bad, 'x') LIKE u (EXCLUDING OPTIONS)", Path("t.sql"))
    assert {key: option.value for key, option in read_options(statement).items()} == {"topic": "a,b"}


@pytest.mark.parametrize(
    ("sql_type", "number", "text"),
    [
        ("INTEGER", True, False),
        ("REAL", True, False),
        ("DOUBLE PRECISION", True, False),
        ("DECIMAL(5, 2)", True, False),
        ("VARCHAR(10)", False, True),
        ("BOOLEAN", False, False),
        ("ARRAY<INT>", False, False),
    ],
)
def test_numbers_and_text(sql_type: str, *, number: bool, text: bool) -> None:
    (found,) = read(f"CREATE TABLE t (a {sql_type} NOT NULL) WITH ('connector' = 'kafka')").columns
    assert (found.is_number, found.is_text) == (number, text)


@pytest.mark.parametrize("sql", ["CREATE TABLE t LIKE u (INCLUDING ALL)", "CREATE TABLE t AS SELECT f(1)"])
def test_a_table_without_a_list_of_columns(sql: str) -> None:
    assert read_source(split(sql, Path("t.sql"))[0]) is None
