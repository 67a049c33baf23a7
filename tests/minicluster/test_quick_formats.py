"""The formats quick-json and quick-avro beside Flink's own: the same rows of the same records, and the same bytes."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.load import LoadedJob, Run, catalog_of, load_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
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
TYPES = "t BOOLEAN, b TINYINT, l BIGINT, f FLOAT, d DOUBLE, s STRING"
SOUND = {
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
IGNORE = {form: f"'{form}.ignore-parse-errors' = 'true', " for form in ("json", "quick-json")}
PHASES = [Phase.explicit, Phase.generate]  # to shrink a batch takes a Flink job for each try
_HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def environment(cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory) -> TableEnvironment:
    project = Project(tmp_path_factory.mktemp("quick"), Settings())
    return table_environment(project, {**cluster.options, "parallelism.default": "1"})


def read_by(
    environment: TableEnvironment, broker: Broker, topic: str, form: str, columns: str, *, as_text: bool = True
) -> list[tuple[Any, ...]]:
    """Return the rows of a topic, those that cannot be read left out, with the offset of each in the last column.

    As text, each value is what Flink makes of it: pandas has no integers beside NULL.
    """
    names = [column.split()[0] for column in columns.split(", ")]
    shown = ", ".join(f"CAST({name} AS STRING)" if as_text else name for name in names)
    environment.execute_sql(
        f"CREATE TEMPORARY TABLE `{topic} {form}` ({columns}, _o BIGINT METADATA FROM 'offset' VIRTUAL) "
        f"WITH ('connector' = 'kafka', 'topic' = '{topic}', 'format' = '{form}', "
        f"{IGNORE.get(form, '')}"
        f"'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', "
        f"'properties.bootstrap.servers' = '{broker.bootstrap_servers}')"
    )
    frame = environment.sql_query(f"SELECT {shown}, _o FROM `{topic} {form}`").to_pandas()
    return sorted(frame.itertuples(index=False, name=None), key=lambda row: int(row[-1]))


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
    names = chance.sample([*SOUND], chance.randint(0, len(SOUND)))
    fields = {name: SOUND[name] if chance.random() < 0.7 else value(chance) for name in names}
    blank = chance.choice(["", "", " ", "\n\t"])
    text = json.dumps(fields, ensure_ascii=chance.random() < 0.5, separators=(f"{blank},{blank}", f"{blank}:{blank}"))
    made = bytearray(f"{blank}{text}{blank}".encode("utf-8", "surrogatepass"))
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        at = chance.randint(0, len(made))
        made[at : at + chance.randint(0, 2)] = chance.choice(BREAKING)
    return bytes(made)


@settings(max_examples=3, deadline=None, phases=PHASES, suppress_health_check=_HEALTH)
@given(seed=st.integers(0, 2**32))
def test_it_reads_what_flink_reads(
    environment: TableEnvironment, broker: Broker, topic: Callable[[str], str], seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - no secrets
    name = topic("records")
    send(broker, name, [json.dumps(SOUND).encode(), *(record(chance) for _ in range(1000))])
    flinks, ours = (read_by(environment, broker, name, form, COLUMNS) for form in ("json", "quick-json"))
    assert ours == flinks
    assert len(ours) > 100


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
    rows = read_by(environment, broker, name, "quick-json", "f FLOAT, d DOUBLE", as_text=False)
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


def write_by(
    environment: TableEnvironment, broker: Broker, topic: str, form: str, batch: list[tuple[Any, ...]], standard: str
) -> list[bytes]:
    """Return the records that become of rows, in the order of their bytes."""
    from pyflink.table import DataTypes

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
    read = [read_by(environment, broker, names[0], form, TYPES) for form in ("avro", "quick-avro")]
    assert read[1] == read[0]
    assert sorted(str(row[2]) for row in read[0]) == sorted(str(row[2]) for row in batch)


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
    load_job(LoadedJob(catalog_of(job, environment)), job, Run())
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
