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


@settings(max_examples=100, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=sequences)
def test_json(formats: Formats, sequence: list[tuple[Values, str | None]]) -> None:
    records = [DAMAGE[damage](as_json(values)) if damage else as_json(values) for values, damage in sequence]
    decoder = formats.checked(formats.quick_json(formats.strict_json()))
    check(formats.shown(decoder, records), sequence, refused={*DAMAGE})


@settings(max_examples=100, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=sequences)
def test_avro(formats: Formats, sequence: list[tuple[Values, str | None]]) -> None:
    records = [DAMAGE[damage](as_avro(values)) if damage else as_avro(values) for values, damage in sequence]
    found = formats.shown(formats.checked(formats.quick_avro()), records)
    check(found, sequence, refused={*DAMAGE})
    # Without quarantine the job fails at a bad record: no row of it, and the others as they are.
    alone = formats.shown(formats.quick_avro(), records)
    for rows, (values, damage) in zip(alone, sequence, strict=True):
        assert rows == (["failed"] if damage else [shown(values)])


@settings(max_examples=50, deadline=None, suppress_health_check=[*HealthCheck])
@given(sequence=sequences)
def test_any_decoder_that_keeps_state(formats: Formats, sequence: list[tuple[Values, str | None]]) -> None:
    """Flink's own decoder of Avro keeps what a record that fails leaves in its buffer; a new one replaces it."""
    failing = [(values, damage and "of another schema") for values, damage in sequence]
    records = [DAMAGE[damage](as_avro(values)) if damage else as_avro(values) for values, damage in failing]
    decoder = formats.checked(formats.flink_avro(), keeps_state=True)
    check(formats.shown(decoder, records), failing, refused={"of another schema"})


def test_a_registry_header_is_named(formats: Formats) -> None:
    [[row]] = formats.shown(formats.checked(formats.quick_avro()), [HEADER + as_avro(("a", 1, True))])
    assert "a schema registry's header (schema id 2)" in row
