"""No decoder keeps anything of a record: each valid one gives the row it gives alone, whatever comes before it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from tests.minicluster.java_formats import Formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.running.minicluster import MiniCluster

    Values = tuple[str | None, int | None, bool | None]

COLUMNS = "s STRING, l BIGINT, t BOOLEAN"
SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "event",
        "fields": [
            {"name": name, "type": ["null", kind]} for name, kind in (("s", "string"), ("l", "long"), ("t", "boolean"))
        ],
    }
)
HEADER = b"\0\0\0\0\2"
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "framed": lambda body: HEADER + body,
    "trailing": lambda body: body + b"\n!",
    "cut": lambda body: body[:-1],
    "of another schema": lambda body: b"\x04" + body,  # a third branch of a union of two
    "json": lambda _: b'{"id": "e100"}x',
    "empty": lambda _: b"",
}

valid = st.tuples(
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
)
sequences = st.lists(st.tuples(valid, st.none() | st.sampled_from([*DAMAGE])), min_size=2, max_size=12)


@pytest.fixture(scope="module")
def formats(cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory) -> Formats:
    table_environment(Project(tmp_path_factory.mktemp("alone"), Settings()), cluster.options)
    return Formats(COLUMNS)


def as_json(values: Values) -> bytes:
    return json.dumps(dict(zip("slt", values, strict=True))).encode()


def as_avro(values: Values) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, dict(zip("slt", values, strict=True)))
    return out.getvalue()


def shown(values: tuple[str | int | None, ...]) -> str:
    """Return a row as Flink shows it."""
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return f"+I({','.join(texts)})"


def check(rows: list[list[str]], sequence: list[tuple[Values, str | None]], *, refused: set[str]) -> None:
    for found, (values, damage) in zip(rows, sequence, strict=True):
        [row] = found
        if damage is None:
            assert row == shown((*values, None))
        elif damage in refused:
            assert row.startswith("+I(null,null,null,")
            assert row != "+I(null,null,null,null)", "it has an error"


@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=sequences)
def test_json(formats: Formats, sequence: list[tuple[Values, str | None]]) -> None:
    records = [DAMAGE[damage](as_json(values)) if damage else as_json(values) for values, damage in sequence]
    decoder = formats.checked(formats.quick_json(formats.strict_json()))
    check(formats.shown(decoder, records), sequence, refused={*DAMAGE})


@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=sequences)
def test_avro(formats: Formats, sequence: list[tuple[Values, str | None]]) -> None:
    records = [DAMAGE[damage](as_avro(values)) if damage else as_avro(values) for values, damage in sequence]
    found = formats.shown(formats.checked(formats.quick_avro()), records)
    check(found, sequence, refused={*DAMAGE})
    # Without quarantine the job fails at a bad record: no row of it, and the others as they are.
    alone = formats.shown(formats.quick_avro(), records)
    for rows, (values, damage) in zip(alone, sequence, strict=True):
        assert rows == (["failed"] if damage else [shown(values)])


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=sequences)
def test_any_decoder_that_keeps_state(formats: Formats, sequence: list[tuple[Values, str | None]]) -> None:
    """Flink's own decoder of Avro keeps what a record that fails leaves in its buffer; a new one replaces it."""
    failing = [(values, damage and "of another schema") for values, damage in sequence]
    records = [DAMAGE[damage](as_avro(values)) if damage else as_avro(values) for values, damage in failing]
    decoder = formats.checked(formats.flink_avro(), keeps_state=True)
    check(formats.shown(decoder, records), failing, refused={"of another schema"})


Change = tuple["Values | None", "Values"]


def as_object(values: Values | None) -> dict[str, str | int | bool | None] | None:
    return dict(zip("slt", values, strict=True)) if values else None


def debezium(before: Values | None, after: Values) -> object:
    return {"before": as_object(before), "after": as_object(after), "op": "u" if before else "c"}


def canal(before: Values | None, after: Values) -> object:
    kind = "UPDATE" if before else "INSERT"
    return {"data": [as_object(after)], "old": [as_object(before)] if before else None, "type": kind}


def maxwell(before: Values | None, after: Values) -> object:
    old = {"old": as_object(before)} if before else {}
    return {"data": as_object(after), "type": "update" if before else "insert", **old}


def ogg(before: Values | None, after: Values) -> object:
    return {"before": as_object(before), "after": as_object(after), "op_type": "U" if before else "I"}


CHANGES = {"debezium-json": debezium, "canal-json": canal, "maxwell-json": maxwell, "ogg-json": ogg}
changes = st.tuples(st.none() | valid, valid)


def check_valid(formats: Formats, name: str, records: list[bytes], expected: list[list[str] | None]) -> None:
    """Compare the rows of valid records; of what a damaged one is (None), each format has its own opinion.

    Flink's decoder goes on where it may ignore what it cannot read, or where ours makes a row of that.
    """
    ignoring = formats.shown(formats.flinks(name, ignore=True), records) if name != "raw" else expected
    checked = formats.shown(formats.checked(formats.flinks(name), keeps_state=True), records)
    for rows, also, wanted in zip(ignoring, checked, expected, strict=True):
        if wanted is not None:
            assert rows == wanted
            assert also == [f"{row[:-1]},null)" for row in wanted]


def damaged(record: bytes, damage: str | None) -> bytes:
    return DAMAGE[damage](record) if damage else record


@pytest.mark.parametrize("name", CHANGES)
@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=st.lists(st.tuples(changes, st.none() | st.sampled_from([*DAMAGE])), min_size=2, max_size=12))
def test_changes_of_a_database(formats: Formats, name: str, sequence: list[tuple[Change, str | None]]) -> None:
    records = [damaged(json.dumps(CHANGES[name](*change)).encode(), damage) for change, damage in sequence]
    check_valid(formats, name, records, [None if damage else changed(*change) for change, damage in sequence])


def changed(before: Values | None, after: Values) -> list[str]:
    kinds = [("-U", before), ("+U", after)] if before else [("+I", after)]
    return [kind + shown(values).removeprefix("+I") for kind, values in kinds if values]


full = st.tuples(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(-(2**63), 2**63 - 1), st.booleans()
)


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=st.lists(st.tuples(full, st.none() | st.sampled_from([*DAMAGE])), min_size=2, max_size=12))
def test_csv(formats: Formats, sequence: list[tuple[tuple[str, int, bool], str | None]]) -> None:
    def line(text: str, number: int, truth: bool) -> bytes:  # noqa: FBT001 - a column
        quoted = text.replace('"', '""')
        return f'"{quoted}",{number},{json.dumps(truth)}'.encode()

    records = [damaged(line(*values), damage) for values, damage in sequence]
    check_valid(formats, "csv", records, [None if damage else [shown(values)] for values, damage in sequence])


@pytest.fixture(scope="module")
def numbers(formats: Formats) -> Formats:
    del formats  # has started the JVM
    return Formats("l BIGINT")


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.booleans()), min_size=2, max_size=12))
def test_raw(numbers: Formats, sequence: list[tuple[int, bool]]) -> None:
    records = [value.to_bytes(8, "big", signed=True)[: 5 if cut else 8] for value, cut in sequence]
    check_valid(numbers, "raw", records, [None if cut else [shown((value,))] for value, cut in sequence])


def test_a_registry_header_is_named(formats: Formats) -> None:
    [[row]] = formats.shown(formats.checked(formats.quick_avro()), [HEADER + as_avro(("a", 1, True))])
    assert "a schema registry's header (schema id 2)" in row
