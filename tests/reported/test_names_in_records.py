"""A record's names are not those of the columns: the columns are NULL in each row, and nothing else says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaProducer

from pyflink_jobs.api import check
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.parsing.create_table import read_source
from pyflink_jobs.parsing.statements import split
from pyflink_jobs.planning.checks.absent_columns import Absent, absent_columns
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.connectors.kafka import Kafka
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.command_line import process_call
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyflink_jobs.local.topics import Record
    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'topic' = 't', 'format' = 'json'"


def table(columns: str, options: str = KAFKA) -> SourceTable:
    (statement,) = split(f"CREATE TABLE readings (\n{columns}\n) WITH ({options})", Path("s.sql"))
    found = read_source(statement)
    assert found
    return found


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Absent]]:
    """Return a function that compares a table with records: their values, and their keys where these count."""

    def compare(read: SourceTable, *values: Any, keys: tuple[Any, ...] = ()) -> list[Absent]:  # noqa: ANN401 - JSON
        texts = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
        of_keys: list[bytes | None] = [json.dumps(key).encode() for key in keys] or [None for _ in texts]

        def sample(_: Kafka, __: Mapping[str, str], ___: int) -> list[Record]:
            pairs = zip(of_keys, texts, strict=True)
            return [topics.Record(0, n, 0, key, value) for n, (key, value) in enumerate(pairs)]

        monkeypatch.setattr(Kafka, "sample", sample)
        return absent_columns([read])

    return compare


@pytest.mark.parametrize(
    ("columns", "record", "wanted"),
    [
        ("temperature DOUBLE, id INT", {"id": 1, "Temperature": 20.5}, ("`temperature`", "`Temperature`")),
        ("arr_delay INT", {"arrDelay": 3, "carrier": "UA"}, ("`arr_delay`", "`arrDelay`")),
        ("ArrDelay INT", {"arr-delay": 3}, ("`ArrDelay`", "`arr-delay`")),
        ("temprature DOUBLE", {"temperature": 1.0}, ("`temprature`", "`temperature`")),
        (
            "payload ROW<temperature DOUBLE, at BIGINT>",
            {"payload": {"Temperature": 1.0, "at": 7}},
            ("field `/payload/temperature`", "`Temperature`"),
        ),
        (
            "a ROW(b ROW<c_d INT>, x INT)",
            {"a": {"b": {"cD": 1}, "x": 2}},
            ("field `/a/b/c_d`", "`cD`"),
        ),
        ("list ARRAY<ROW<item_id INT>>", {"list": [{"itemId": 1}]}, ("field `/list/*/item_id`", "`itemId`")),
    ],
)
def test_a_key_of_a_similar_name_is_a_finding(
    sampled: Callable[..., list[Absent]], columns: str, record: dict[str, Any], wanted: tuple[str, str]
) -> None:
    (absent,) = sampled(table(columns), *[record] * 100)
    shown, near = wanted
    assert absent.near
    assert f"{shown} of `readings` is NULL in each of the newest 100 records" in absent.finding.message
    assert f"they have {near}" in absent.finding.message
    assert absent.finding.fixes[0].startswith(f"name it {near}")
    assert absent.finding.place
    assert absent.finding.place.line == 2


@pytest.mark.parametrize(
    ("columns", "records"),
    [
        ("wind_gust DOUBLE, id INT", [{"id": 1}]),
        ("wind_gust DOUBLE, id INT", [{"id": 1, "wind_gust": None, "windGust": 3}]),  # it is there: NULL by right
        ("arrival INT, arrivals INT", [{"arrivals": 1}]),  # what is similar is another column's
        ("value_1 INT, value_2 INT", [{"value_1": 1}]),
        ("gust_1h INT", [{"gust_3h": 1}]),
        ("lat INT", [{"late": 1}]),
    ],
)
def test_a_column_that_may_be_absent_by_right_is_a_remark(
    sampled: Callable[..., list[Absent]], columns: str, records: list[dict[str, Any]]
) -> None:
    (absent,) = sampled(table(columns), *records)
    assert not absent.near
    assert not absent.finding.fixes


@pytest.mark.parametrize(
    ("columns", "records"),
    [
        ("t DOUBLE, id INT", [{"id": 1}, {"id": 2, "t": 3.0}]),  # one record has it
        ("t DOUBLE, place AS UPPER('x'), o BIGINT METADATA FROM 'offset' VIRTUAL", [{"t": 1.0}]),
        ("t DOUBLE", []),
        ("t DOUBLE", [b"{not json", b"[1]", b""]),  # quarantine has these
        ("p ROW<t DOUBLE>", [{"p": {"t": 1}}, {"p": None}]),
    ],
)
def test_what_is_there_or_cannot_be_known_is_not_named(
    sampled: Callable[..., list[Absent]], columns: str, records: list[Any]
) -> None:
    assert sampled(table(columns), *records) == []


def test_columns_of_the_key_are_looked_for_in_the_key(sampled: Callable[..., list[Absent]]) -> None:
    keyed = f"{KAFKA}, 'key.format' = 'json', 'key.fields' = 'k_id', 'key.fields-prefix' = 'k_'"
    apart = f"{keyed}, 'value.fields-include' = 'EXCEPT_KEY'"
    assert sampled(table("k_id INT, v INT", apart), {"v": 1}, keys=({"id": 1},)) == []
    (absent,) = sampled(table("k_id INT, v INT", apart), {"v": 1}, keys=({"Id": 1},))
    assert "they have `Id`" in absent.finding.message
    upsert = "'connector' = 'upsert-kafka', 'topic' = 't', 'key.format' = 'json', 'value.format' = 'json'"
    versioned = table(
        "id INT, v INT, PRIMARY KEY (id) NOT ENFORCED", f"{upsert}, 'value.fields-include' = 'EXCEPT_KEY'"
    )
    assert sampled(versioned, {"v": 1}, keys=({"id": 1},)) == []
    (absent,) = sampled(
        table("id INT, v INT, PRIMARY KEY (id) NOT ENFORCED", upsert), {"ID": 1, "v": 1}, keys=({"id": 1},)
    )
    assert "column `id`" in absent.finding.message  # by default the value has all columns
    assert sampled(table("id INT", KAFKA.replace("json", "avro")), b"\x02") == []


def hundred_readings(folder: Path, kafka: str, topic: Callable[[str], str]) -> Project:
    """Write records of one source's topic, none of another's, and a project whose job reads both."""
    names = [topic("readings"), topic("others"), topic("copies")]
    topics.create(kafka, dict.fromkeys(names[:2], 2))
    with KafkaProducer(bootstrap_servers=kafka) as producer:
        for number in range(100):
            producer.send(names[0], json.dumps({"id": number, "Temperature": 20.5}).encode())
    options = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
    sql = {
        f"sources/{name}": f"CREATE TABLE {name} (id INT,\n  temperature DOUBLE,\n  wind DOUBLE) WITH ({options},"
        f" 'topic' = '{made}', 'scan.startup.mode' = 'earliest-offset')"
        for name, made in zip(("readings", "others"), names, strict=False)
    }
    sql["sinks/copies"] = f"CREATE TABLE copies (id INT, temperature DOUBLE) WITH ({options}, 'topic' = '{names[2]}')"
    sql["jobs/copy"] = "INSERT INTO copies SELECT id, temperature FROM readings UNION ALL SELECT id, wind FROM others"
    return make_project(folder, sql, settings=f"kafka = '{kafka}'")


def test_the_newest_records_of_a_topic_that_is_there_are_read(
    tmp_path: Path, kafka: str, topic: Callable[[str], str]
) -> None:
    sources = declare(hundred_readings(tmp_path, kafka, topic)).job("copy").sources
    found = {absent.finding.message.split(": ")[0]: absent.near for absent in absent_columns(sources.values())}
    null = "of `readings` is NULL in each of the newest 100 records"
    assert found == {f"column `temperature` {null}": True, f"column `wind` {null}": False}


@pytest.mark.slow
def test_check_and_run_say_so(tmp_path: Path, kafka: str, topic: Callable[[str], str]) -> None:
    project = hundred_readings(tmp_path, kafka, topic)
    checked = check(project)
    (finding,) = checked.findings
    assert str(finding.place) == "sql/sources/readings.sql:2:3"
    assert "they have `Temperature`" in finding.message
    (remark,) = checked.warnings
    assert remark.message.startswith("column `wind` of `readings` is NULL in each of the newest 100 records")
    assert check(project, offline=True).ok
    ran = process_call(tmp_path, "run", "copy", "--bounded")
    assert ran.code == 0, ran.err
    assert "column `temperature` of `readings` is NULL in each of the newest 100 records" in ran.err
    assert "they have `Temperature`" in ran.err


def test_quarantine_names_the_near_key_of_a_required_column(
    tmp_path: Path, kafka: str, topic: Callable[[str], str], cluster: MiniCluster
) -> None:
    records: list[tuple[dict[str, Any], str]] = [
        ({"id": 1, "ArrDelay": 20.5}, "; the record has the key ArrDelay"),
        ({"x": {"arr_delay": 1}, "arr-delay": 3}, "; the record has the key arr-delay"),
        ({"arr_delay": None, "ARR_DELAY": 1}, "; the record has the key ARR_DELAY"),
        ({"id": 1, "delay": 3}, ""),
    ]
    source, copies, quarantine = topic("readings"), topic("copies"), topic("quarantine")
    topics.create(kafka, {source: 1})
    send_records(kafka, source, [json.dumps(record).encode() for record, _ in records])
    options = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
    sql = {
        "sources/readings": "CREATE TABLE readings (id INT, arr_delay DOUBLE COMMENT 'required', x ROW<y INT>)"
        f" WITH ({options}, 'topic' = '{source}', 'scan.startup.mode' = 'earliest-offset')",
        "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
        "sinks/copies": f"CREATE TABLE copies (y DOUBLE) WITH ({options}, 'topic' = '{copies}')",
        "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, detail STRING)"
        f" WITH ({options}, 'topic' = '{quarantine}')",
        "jobs/copy": "INSERT INTO copies SELECT y"
        " FROM ML_PREDICT(TABLE readings, MODEL m, DESCRIPTOR(arr_delay, arr_delay, arr_delay))",
    }
    project = make_project(tmp_path, sql, settings=f"kafka = '{kafka}'")
    add_model(project, "m", "linear")
    environment = table_environment(project, {**cluster.options, "parallelism.default": "1"})
    execute(project, plan_job(declare(project).job("copy"), environment, Run(bounded=True)), cluster)
    rows = [json.loads(r.value or b"") for r in topics.read(kafka, quarantine)]
    details = [f"arr_delay is NULL, expected a value{named}" for _, named in records]
    assert sorted(row["detail"] for row in rows) == sorted(details)
    assert {row["reason"] for row in rows} == {"contract"}
