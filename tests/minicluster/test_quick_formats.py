"""The formats quick-json and quick-avro beside Flink's own: the same rows of the same records, and the same bytes."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from itertools import product
from random import Random
from typing import TYPE_CHECKING

import fastavro
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyflink.common import Row

from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.load import LoadedJob, Run, load_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from tests.minicluster.java_formats import Formats
from tests.projects import make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster

COLUMNS = (
    "t BOOLEAN, b TINYINT, h SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, s STRING, z TIMESTAMP_LTZ(3), p TIMESTAMP(3)"
)
VALID = {
    "t": True,
    "b": -7,
    "h": 300,
    "i": 70_000,
    "l": -(2**40),
    "f": 0.1,
    "d": -1.5e-7,
    "s": "J\u00f6rg",
    "z": "2013-04-01 05:15:00.25Z",
    "p": "1969-12-31 23:59:59",
    "more": 1,
}
untimed = settings(deadline=None, suppress_health_check=[*HealthCheck])


@pytest.fixture(scope="module")
def environment(cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory) -> TableEnvironment:
    project = Project(tmp_path_factory.mktemp("quick"), Settings())
    return table_environment(project, {**cluster.options, "parallelism.default": "1"})


TIMES = [
    "".join(parts)
    for parts in product(
        ("1969-12-31", "2012-02-29", "2013-02-29", "2013-4-1"),
        " T",
        ("05:15:00", "23:59:59", "24:00:00", "05:15", "05:60:00"),
        ("", ".", ".5", ".123456789", ".0123456789"),
        ("", "Z", "+01:00"),
    )
]
BREAKING = [b"", b'"', b"}", b",", b"0", b"-", b".", b"e5", b"\\", b" ", b"\xc3", b"\x01"]


def value(chance: Random) -> object:
    """Return something that may stand in any column, and fits some of them."""
    return chance.choice(
        [
            None,
            chance.random() < 0.5,
            chance.randint(-200, 200),
            chance.randint(-(2**70), 2**70),
            chance.gauss(0, 1),
            chance.gauss(0, 1) * 10.0 ** chance.randint(-330, 300),
            round(chance.gauss(0, 100), chance.randint(0, 6)),
            f" {chance.gauss(0, 100)}",
            chance.choice(["", "plain", "J\u00f6rg", 'quo"te', "tab\t", "\U0001f6eb", "\ud800", "true", "null"]),
            chance.choice(TIMES),
            [1, 2],
            {"a": 1},
        ]
    )


def record(chance: Random) -> bytes:
    """Return a JSON object with some of the columns, in any order, valid or nearly."""
    names = chance.sample([*VALID], chance.randint(0, len(VALID)))
    fields = {name: VALID[name] if chance.random() < 0.7 else value(chance) for name in names}
    blank = chance.choice(["", "", " ", "\n\t"])
    text = json.dumps(fields, ensure_ascii=chance.random() < 0.5, separators=(f"{blank},{blank}", f"{blank}:{blank}"))
    made = bytearray(f"{blank}{text}{blank}".encode("utf-8", "surrogatepass"))
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        at = chance.randint(0, len(made))
        made[at : at + chance.randint(0, 2)] = chance.choice(BREAKING)
    return bytes(made)


@settings(untimed, max_examples=20)
@given(seed=st.integers(0, 2**32))
@pytest.mark.usefixtures("environment")
def test_it_reads_what_flink_reads(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - no secrets
    records = [json.dumps(VALID).encode(), *(record(chance) for _ in range(100))]
    formats = Formats(COLUMNS)
    flinks = formats.shown(formats.flink_json(), records)
    assert formats.shown(formats.quick_json(formats.flink_json()), records) == flinks
    assert sum(rows != ["failed"] for rows in flinks) > 10


def halfway() -> list[str]:
    """Return numbers near the middle of two floats, where a detour by a double rounds twice."""
    texts = []
    for single in np.array([1.0, 0.1, 3.4e38, 1.2e-38, 16_777_217, 7.0e-45], np.float32):
        middle = (Fraction(float(single)) + Fraction(float(np.nextafter(single, np.float32(np.inf))))) / 2
        for shift in (-1, 0, 1):
            exact = middle + Fraction(shift, 10**60)
            scaled = exact * 10**70
            digits = str(scaled.numerator // scaled.denominator).rjust(71, "0")
            texts.append(f"{digits[:-70]}.{digits[-70:]}")
    return texts


@pytest.mark.usefixtures("environment")
def test_numbers_are_rounded_once() -> None:
    generator = np.random.default_rng(20130401)
    texts = [
        *halfway(),
        *("0", "-0", "-0.0", "1e22", "1e23", "123456789012345678", "9007199254740993", "1E-5", "1.5e+3", "4.9e-324"),
        *(repr(value) for value in generator.normal(size=200).tolist()),
        *(f"{value:.{places}f}" for places in range(1, 20) for value in generator.normal(size=10).tolist()),
        *(repr(value) for value in np.exp(generator.uniform(-100, 88, 200)).tolist()),
        *(str(value) for value in np.exp(generator.uniform(-100, 88, 200)).astype(np.float32)),
    ]
    formats = Formats("f FLOAT, d DOUBLE")
    records = [f'{{"f":{text},"d":{text}}}'.encode() for text in texts]
    for rows, text in zip(formats.rows(formats.quick_json(formats.flink_json()), records), texts, strict=True):
        assert rows is not None
        [row] = rows
        assert repr(row.getDouble(1)) == repr(float(text))
        found, wanted = np.float32(row.getFloat(0)), Fraction(text)
        below, above = np.nextafter(found, np.float32(-np.inf)), np.nextafter(found, np.float32(np.inf))
        error = abs(Fraction(float(found)) - wanted)
        assert error <= min(abs(Fraction(float(n)) - wanted) for n in (below, above) if np.isfinite(n)), text


integers = st.integers(-(2**31), 2**31 - 1)
fields = {  # by a column in SQL: its type in Avro, and its values
    "t BOOLEAN": ("boolean", st.booleans()),
    "i INT": ("int", integers),
    "l BIGINT": ("long", st.integers(-(2**63), 2**63 - 1)),
    "f FLOAT": ("float", st.floats(width=32)),
    "d DOUBLE": ("double", st.floats()),
    "s STRING": ("string", st.text(st.characters(exclude_categories=["Cs"]), max_size=8)),
    "p TIMESTAMP(3)": (
        {"type": "long", "logicalType": "timestamp-millis"},
        st.integers(-62_000_000_000_000, 250_000_000_000_000),
    ),
    "a ARRAY<INT>": ({"type": "array", "items": ["null", "int"]}, st.lists(st.none() | integers, max_size=3)),
}


@st.composite
def avro(draw: st.DrawFn, columns: list[str]) -> bytes:
    """Return a record, or one with a few bytes changed, left out or put in."""
    names = {column: column.split()[0] for column in columns}
    schema = [{"name": name, "type": ["null", fields[column][0]]} for column, name in names.items()]
    out = io.BytesIO()
    values = {name: draw(st.none() | fields[column][1]) for column, name in names.items()}
    fastavro.schemaless_writer(out, fastavro.parse_schema({"type": "record", "name": "r", "fields": schema}), values)
    made = bytearray(out.getvalue())
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = draw(st.integers(0, len(made)))
        made[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(made)


@pytest.mark.parametrize("columns", [[*fields][:6], [*fields]], ids=["flat", "all"])
@settings(untimed, max_examples=20)
@given(data=st.data())
@pytest.mark.usefixtures("environment")
def test_it_reads_the_avro_that_flink_does(columns: list[str], data: st.DataObject) -> None:
    """Or it fails, where Flink leaves bytes of a record over."""
    formats = Formats(", ".join(columns))
    records = data.draw(st.lists(avro(columns), min_size=20, max_size=20))
    ours = formats.shown(formats.quick_avro(), records)
    for row, record in zip(ours, records, strict=True):
        assert row == ["failed"] or [row] == formats.shown(formats.flink_avro(), [record])


@pytest.mark.parametrize("form", ["json", "avro"])
def test_in_a_job(environment: TableEnvironment, broker: Broker, topic: Callable[[str], str], form: str) -> None:
    """What jobs write and read with our format is what they write and read with Flink's; one row is plain, one not."""
    rows = [Row(1, 0.25, "plain"), Row(2, None, "J\u00f6rg")]
    values = "(1, CAST(0.25 AS FLOAT), 'plain'), (2, CAST(NULL AS FLOAT), 'J\u00f6rg')"
    name = topic(form)
    topics.create(broker.bootstrap_servers, {name: 1})
    for kind in (form, f"quick-{form}"):
        environment.execute_sql(
            f"CREATE TEMPORARY TABLE `{name} {kind}` (id INT, f FLOAT, s STRING) WITH ('connector' = 'kafka', "
            f"'topic' = '{name}', 'format' = '{kind}', 'properties.bootstrap.servers' = '{broker.bootstrap_servers}', "
            "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset')"
        )
        environment.execute_sql(f"INSERT INTO `{name} {kind}` VALUES {values}").wait()
    for kind in (form, f"quick-{form}"):
        with environment.execute_sql(f"SELECT * FROM `{name} {kind}`").collect() as read:
            assert sorted(read, key=lambda row: row[0]) == sorted(2 * rows, key=lambda row: row[0])


def test_jobs_get_it(cluster: MiniCluster, tmp_path: Path) -> None:
    """Options of Flink's format go with it; keys, and formats of other names, stay."""
    project = make_project(
        tmp_path,
        {
            "sources/events": "CREATE TABLE events (a INT) WITH ('connector' = 'kafka', 'topic' = 'events', "
            "'properties.bootstrap.servers' = 'localhost:1', 'scan.startup.mode' = 'earliest-offset', "
            "'properties.max.poll.records' = '7', "
            "'quarantine' = 'off', 'format' = 'json', 'json.ignore-parse-errors' = 'true');",
            "sinks/counts": "CREATE TABLE counts (a INT, b INT) WITH ('connector' = 'kafka', 'topic' = 'counts', "
            "'properties.bootstrap.servers' = 'localhost:1', 'key.format' = 'json', 'key.fields' = 'a', "
            "'value.format' = 'json', 'value.json.timestamp-format.standard' = 'ISO-8601');",
            "jobs/count": "INSERT INTO counts SELECT a, a FROM events;",
        },
    )
    environment = table_environment(project, cluster.options)
    job = declare(project).job("count")
    load_job(LoadedJob.of(job, environment), job, Run())
    shown = {
        name: environment.execute_sql(f"SHOW CREATE TABLE {name}").collect() for name in ("events_unchecked", "counts")
    }
    texts = {name: next(iter(rows))[0] for name, rows in shown.items()}
    assert "'format' = 'quick-json'" in texts["events_unchecked"]
    assert "'quick-json.ignore-parse-errors' = 'true'" in texts["events_unchecked"]
    assert "'json.ignore-parse-errors'" not in texts["events_unchecked"]
    assert "'key.format' = 'json'" in texts["counts"]
    assert "'value.format' = 'quick-json'" in texts["counts"]
    assert "'value.quick-json.timestamp-format.standard' = 'ISO-8601'" in texts["counts"]
    for option in ("max.partition.fetch.bytes' = '4194304'", "max.poll.records' = '7'"):  # the table's own wins
        assert f"'properties.{option}" in texts["events_unchecked"]
    assert "'properties.batch.size' = '262144'" in texts["counts"]
