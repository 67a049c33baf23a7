"""The format 'checked-json' against Python's JSON: it reads what that reads, and every other record is a row too."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from tests.minicluster.checked_rows import decoded
from tests.minicluster.java_formats import Formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table import TableEnvironment

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster

COLUMNS = "a INT, b BIGINT, s STRING"
SOUND = json.dumps({"a": 12, "b": -7, "s": "J\u00f6rg", "x": {"y": [1, None, "z"]}}, ensure_ascii=False).encode()
UNKNOWN = object()
RANGES = {"a": 2**31, "b": 2**63}


def truth(record: bytes) -> object:
    """Return a record's columns a, b and s as Python's JSON reads them; None if it cannot be read."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    def none(literal: str) -> float:
        raise ValueError(literal)

    try:
        read = json.loads(record.decode(), object_pairs_hook=once, parse_constant=none, strict=False)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    columns = [read.get("a"), read.get("b"), read.get("s")]
    for value, limit in zip(columns[:2], RANGES.values(), strict=True):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < limit):
            # What Flink takes for an integer beside integers is told by the tests with examples.
            return UNKNOWN if isinstance(value, str | float) else None
    if columns[2] is not None and not isinstance(columns[2], str):
        return UNKNOWN
    return UNKNOWN if b"\\u" in record else columns  # half of a pair, written as an escape


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a valid record with some bytes changed, left out or put in."""
    record = bytearray(SOUND)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(record) - 1))
        by = draw(st.binary(max_size=2) | st.sampled_from([b'"', b"}", b"{", b",", b":", b"1", b"\xc3", b" "]))
        record[at : at + draw(st.integers(0, 2))] = by
    return bytes(record)


@pytest.fixture(scope="module")
def environment(cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory) -> TableEnvironment:
    project = Project(tmp_path_factory.mktemp("checked"), Settings())
    return table_environment(project, {**cluster.options, "parallelism.default": "1"})


@settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
@given(records=st.lists(damaged(), min_size=15, max_size=15))
@pytest.mark.usefixtures("environment")
def test_it_reads_what_json_reads(records: list[bytes]) -> None:
    found = checked(records, COLUMNS)
    for record, (*columns, error) in zip(records, found, strict=True):
        expected = truth(record)
        if expected is None:
            assert error, (record, columns)
            assert columns == [None, None, None]
        elif expected is not UNKNOWN:
            assert (columns, error) == (expected, None), record


def checked(records: list[bytes], columns: str) -> list[tuple[Any, ...]]:
    """Return the columns of each record and its error."""
    formats = Formats(columns)
    return formats.fields(formats.checked(formats.quick_json(formats.strict_json())), records)


def test_what_it_says_in_a_job(environment: TableEnvironment, broker: Broker, topic: Callable[[str], str]) -> None:
    said = {
        b'{"a": "far"}': "a is far, expected INT, at byte 11",
        b'{"a": 1.5}': "a is 1.5, expected INT, at byte 9",
        b'{"a": 1, "a": 2}': "field a is there twice, at byte 15",
        b'{"a": NaN}': "Non-standard token 'NaN', at byte 9",
        b'{"a": 1': "Unexpected end-of-input, at byte 7",
        b'{"a": 1} 2': "there is more after the JSON object, at byte 10",
        b"\x00\x01": "expected a JSON object, found byte 0x00 at its start",
        b"[1]": "expected a JSON object, found '[' at its start",
        b'{"s": "\xff"}': "the record is not UTF-8, at byte 7",
        b'{\x00"\x00': "the record is UTF-16 or UTF-32, expected UTF-8",
        b'{"x": ' + b"[" * 1001: "Document nesting depth is above 1000, at byte 1006",
        b"": "the record is empty",
    }
    assert [row[3] for row in decoded(environment, broker, topic("said"), "json", [*said], COLUMNS)] == [*said.values()]


@pytest.mark.usefixtures("environment")
def test_what_counts_as_an_integer() -> None:
    taken = {b'{"a": "12"}': 12, b'{"a": 2.0}': 2, b'{"a": 1e3}': 1000, b'{"a": -2147483648}': -(2**31), b"{}": None}
    found = checked([*taken], COLUMNS)
    assert [(row[0], row[3]) for row in found] == [(value, None) for value in taken.values()]


@pytest.mark.usefixtures("environment")
def test_what_counts_as_another_number() -> None:
    columns = "f FLOAT, d DOUBLE, m DECIMAL(4, 2), t TINYINT"
    taken: dict[bytes, tuple[Any, ...]] = {
        b'{"f": 0.25, "d": "1e300", "m": 12.25, "t": -128}': (0.25, 1e300, "12.25", -128),
        b'{"f": 3.4028235e38, "d": 1.7976931348623157e308}': (3.4028235e38, sys.float_info.max, None, None),
        b'{"f": null, "d": null, "m": null, "t": null}': (None, None, None, None),
    }
    refused = {
        b'{"f": "NaN"}': "f is NaN, expected FLOAT, at byte 11",
        b'{"d": "-Infinity"}': "d is -Infinity, expected DOUBLE, at byte 17",
        b'{"f": 1e39}': "f is 1e39, expected FLOAT, at byte 10",
        b'{"d": -1e309}': "d is -1e309, expected DOUBLE, at byte 12",
        b'{"m": 100}': "m is 100, expected DECIMAL(4, 2), at byte 9",
        b'{"t": 128}': "t is 128, expected TINYINT, at byte 9",
    }
    found = checked([*taken, *refused], columns)
    assert found[: len(taken)] == [(*values, None) for values in taken.values()]
    assert found[len(taken) :] == [(None,) * 4 + (error,) for error in refused.values()]
