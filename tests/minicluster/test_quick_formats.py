"""The formats quick-json and quick-avro beside Flink's own: the same rows of the same records, and the same bytes."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from pyflink_jobs.local import topics
from pyflink_jobs.planning.declarations import declare
from pyflink_jobs.planning.loading import load_job
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from tests.projects import make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster

SHOWN = "t, b, l, CAST(f AS STRING), CAST(d AS STRING), s, _o"  # PyFlink cannot show infinity
COLUMNS = "t BOOLEAN, b TINYINT, h SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, s STRING"
SOUND = {"t": True, "b": -7, "h": 300, "i": 70_000, "l": -(2**40), "f": 0.1, "d": -1.5e-7, "s": "J\u00f6rg", "more": 1}
IGNORE = {form: f"'{form}.ignore-parse-errors' = 'true', " for form in ("json", "quick-json")}
PHASES = [Phase.explicit, Phase.generate]  # to shrink a batch takes a Flink job for each try
_HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def environment(cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory) -> TableEnvironment:
    project = Project(tmp_path_factory.mktemp("quick"), Settings())
    return table_environment(project, {**cluster.options, "parallelism.default": "1"})


def read_by(
    environment: TableEnvironment, broker: Broker, topic: str, form: str, columns: str, shown: str = "*"
) -> list[tuple[Any, ...]]:
    """Return the rows of a topic, those that cannot be read left out, with the offset of each in the last column."""
    environment.execute_sql(
        f"CREATE TEMPORARY TABLE `{topic} {form}` ({columns}, _o BIGINT METADATA FROM 'offset' VIRTUAL) "
        f"WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = '{form}', "
        f"{IGNORE.get(form, '')}"
        f"'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', "
        f"'properties.bootstrap.servers' = '{broker.bootstrap_servers}')"
    )
    with environment.execute_sql(f"SELECT {shown} FROM `{topic} {form}`").collect() as rows:
        return sorted((tuple(row) for row in rows), key=lambda row: int(row[-1]))


def send(broker: Broker, topic: str, records: list[bytes]) -> None:
    topics.create(broker.bootstrap_servers, {topic: 1})
    with KafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        for record in records:
            producer.send(topic, record)


def sent(broker: Broker, topic: str) -> list[bytes]:
    partition = TopicPartition(topic, 0)
    with KafkaConsumer(bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest") as consumer:
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        found: list[bytes] = []
        while len(found) < end:
            found += [record.value for record in consumer.poll(1000).get(partition, [])]
        return found


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-200, 200),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.lists(st.integers(0, 1), max_size=2),
)


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """Return a JSON object with some of the columns, in any order, sound or nearly."""
    names = draw(st.lists(st.sampled_from([*SOUND]), max_size=9))
    fields = {name: draw(st.just(SOUND[name]) | values) for name in names}
    blank = draw(st.sampled_from(["", " ", "\n\t"]))
    text = json.dumps(fields, ensure_ascii=draw(st.booleans()), separators=(f"{blank},{blank}", f"{blank}:{blank}"))
    record = bytearray(f"{blank}{text}{blank}".encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(record) - 1))
        by = draw(st.sampled_from([b"", b'"', b"}", b",", b"0", b"-", b".", b"e5", b"\\", b" ", b"\xc3", b"\x01"]))
        record[at : at + draw(st.integers(0, 2))] = by
    return bytes(record)


@settings(max_examples=3, deadline=None, phases=PHASES, suppress_health_check=_HEALTH)
@given(batch=st.lists(records(), min_size=150, max_size=150))
def test_it_reads_what_flink_reads(
    environment: TableEnvironment, broker: Broker, topic: Callable[[str], str], batch: list[bytes]
) -> None:
    name = topic("records")
    send(broker, name, [json.dumps(SOUND).encode(), *batch])
    flinks, ours = (
        read_by(environment, broker, name, form, COLUMNS, f"h, i, {SHOWN}") for form in ("json", "quick-json")
    )
    assert [repr(row) for row in ours] == [repr(row) for row in flinks]  # -0.0 is not 0.0
    assert len(ours) > 1


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


def test_numbers_are_rounded_once(environment: TableEnvironment, broker: Broker, topic: Callable[[str], str]) -> None:
    generator = np.random.default_rng(20130401)
    texts = [
        *halfway(),
        *("0", "-0", "-0.0", "1e22", "1e23", "123456789012345678", "9007199254740993", "1E-5", "1.5e+3", "4.9e-324"),
        *(repr(value) for value in generator.normal(size=200).tolist()),
        *(f"{value:.{places}f}" for places in range(1, 20) for value in generator.normal(size=10).tolist()),
        *(repr(value) for value in np.exp(generator.uniform(-100, 88, 200)).tolist()),
        *(str(value) for value in np.exp(generator.uniform(-100, 88, 200)).astype(np.float32)),
    ]
    name = topic("numbers")
    send(broker, name, [f'{{"f":{text},"d":{text}}}'.encode() for text in texts])
    rows = read_by(environment, broker, name, "quick-json", "f FLOAT, d DOUBLE")
    assert [repr(row[1]) for row in rows] == [repr(float(text)) for text in texts]
    exact = [Fraction(text) for text in texts]
    for (single, *_), wanted, text in zip(rows, exact, texts, strict=True):
        found = np.float32(single)
        below, above = np.nextafter(found, np.float32(-np.inf)), np.nextafter(found, np.float32(np.inf))
        error = abs(Fraction(float(found)) - wanted)
        assert error <= min(abs(Fraction(float(n)) - wanted) for n in (below, above) if np.isfinite(n)), text


rows = st.tuples(
    st.none() | st.booleans(),
    st.none() | st.integers(-128, 127),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(width=32),
    st.none() | st.floats(),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.none() | st.integers(-62_000_000_000_000, 250_000_000_000_000),
)
TYPES = "t BOOLEAN, b TINYINT, l BIGINT, f FLOAT, d DOUBLE, s STRING"


def write_by(
    environment: TableEnvironment, broker: Broker, topic: str, form: str, batch: list[tuple[Any, ...]], standard: str
) -> list[bytes]:
    """Return the records that become of rows, in the order of their bytes."""
    from pyflink.table import DataTypes  # noqa: PLC0415 - PyFlink is slow to import

    kinds = {
        "t": DataTypes.BOOLEAN(),
        "b": DataTypes.TINYINT(),
        "l": DataTypes.BIGINT(),
        "f": DataTypes.FLOAT(),
        "d": DataTypes.DOUBLE(),
        "s": DataTypes.STRING(),
        "ms": DataTypes.BIGINT(),
    }
    schema = DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in kinds.items()])
    topics.create(broker.bootstrap_servers, {topic: 1})
    json_alone = f"'{form}.timestamp-format.standard' = '{standard}', " if standard else ""
    columns = f"{TYPES}, z TIMESTAMP_LTZ(3), p TIMESTAMP(3)" if standard else TYPES
    environment.execute_sql(
        f"CREATE TEMPORARY TABLE `{topic}` ({columns}) WITH ('connector' = 'kafka', 'topic' = '{topic}', {json_alone}"
        f"'format' = '{form}', 'properties.bootstrap.servers' = '{broker.bootstrap_servers}')"
    )
    times = ", TO_TIMESTAMP_LTZ(ms, 3), CAST(TO_TIMESTAMP_LTZ(ms, 3) AS TIMESTAMP(3))" if standard else ""
    rows = environment.from_elements(batch, schema)
    environment.execute_sql(f"INSERT INTO `{topic}` SELECT t, b, l, f, d, s{times} FROM {rows}").wait()
    return sorted(sent(broker, topic))


@settings(max_examples=3, deadline=None, phases=PHASES, suppress_health_check=_HEALTH)
@given(batch=st.lists(rows, min_size=100, max_size=100), standard=st.sampled_from(["SQL", "ISO-8601"]))
def test_it_writes_the_json_that_flink_writes(
    environment: TableEnvironment,
    broker: Broker,
    topic: Callable[[str], str],
    batch: list[tuple[Any, ...]],
    standard: str,
) -> None:
    flinks, ours = (
        write_by(environment, broker, topic(form), form, batch, standard) for form in ("json", "quick-json")
    )
    assert len(flinks) == len(batch)
    assert ours == flinks


@settings(max_examples=3, deadline=None, phases=PHASES, suppress_health_check=_HEALTH)
@given(batch=st.lists(rows, min_size=100, max_size=100))
def test_it_writes_and_reads_the_avro_that_flink_does(
    environment: TableEnvironment, broker: Broker, topic: Callable[[str], str], batch: list[tuple[Any, ...]]
) -> None:
    names = [topic(form) for form in ("avro", "quick-avro")]
    written = [
        write_by(environment, broker, name, form, batch, "")
        for name, form in zip(names, ("avro", "quick-avro"), strict=True)
    ]
    assert len(written[0]) == len(batch)
    assert written[1] == written[0]
    read = [read_by(environment, broker, names[0], form, TYPES, SHOWN) for form in ("avro", "quick-avro")]
    assert [repr(row) for row in read[1]] == [repr(row) for row in read[0]]
    assert sorted(str(row[2]) for row in read[0]) == sorted(str(row[2]) for row in batch)


def test_jobs_get_it(cluster: MiniCluster, tmp_path: Path) -> None:
    """Options of Flink's format go with it; keys, and formats of other names, stay."""
    project = make_project(
        tmp_path,
        {
            "sources/events": "CREATE TABLE events (a INT) WITH ('connector' = 'kafka', 'topic' = 'events', "
            "'properties.bootstrap.servers' = 'localhost:1', 'scan.startup.mode' = 'earliest-offset', "
            "'quarantine' = 'off', 'format' = 'json', 'json.ignore-parse-errors' = 'true');",
            "sinks/counts": "CREATE TABLE counts (a INT, b INT) WITH ('connector' = 'kafka', 'topic' = 'counts', "
            "'properties.bootstrap.servers' = 'localhost:1', 'key.format' = 'json', 'key.fields' = 'a', "
            "'value.format' = 'json', 'value.json.timestamp-format.standard' = 'ISO-8601');",
            "jobs/count": "INSERT INTO counts SELECT a, a FROM events;",
        },
    )
    environment = table_environment(project, cluster.options)
    load_job(declare(project), "count", environment)
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
