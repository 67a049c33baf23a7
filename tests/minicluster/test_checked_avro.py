"""The format 'checked-avro': what Flink's Avro format reads, and every other record is a row too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from tests.minicluster.checked_rows import decoded
from tests.minicluster.java_formats import Formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table import TableEnvironment

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster


@pytest.fixture(scope="module")
def environment(cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory) -> TableEnvironment:
    project = Project(tmp_path_factory.mktemp("checked"), Settings())
    return table_environment(project, {**cluster.options, "parallelism.default": "1"})


@pytest.mark.usefixtures("environment")
def test_plain_columns() -> None:
    """Written by hand from Avro's specification: a union's branch, then zigzag varints, IEEE 754, length and text."""
    records: dict[bytes | None, tuple[Any, ...]] = {
        b"\x02\x18\x02\x00\x00\x80\x3f\x02\x04ab": (12, 1.0, "ab", None),
        b"\x02\x03\x00\x02\x06J\xc3\xb6": (-2, None, "J\u00f6", None),
        b"\x00\x00\x00": (None, None, None, None),
    }
    found = checked([*records], "a INT, f FLOAT, s STRING")
    assert found == [*records.values()]


def test_what_cannot_be_read_in_a_job(
    environment: TableEnvironment, broker: Broker, topic: Callable[[str], str]
) -> None:
    begin = "the record is not the source's columns in Avro: "
    broken: list[bytes | None] = [
        b"",
        b"\x02",  # cut off
        b"\x04\x18",  # a third branch of a union of two
        b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",  # a varint without end
        b"\x02\x18\x02\x0fab",  # text of a length below zero
        b"\x02\x18\x02\x04ab!",  # a byte left over
        None,
    ]
    found = decoded(environment, broker, topic("broken"), "avro", broken, "a INT, s STRING")
    assert all(row[:2] == (None, None) for row in found)
    assert all(row[2].startswith(begin) and len(row[2]) > len(begin) for row in found[:-1])
    assert found[-1][2] == "the record has no value (a tombstone)"


@pytest.mark.usefixtures("environment")
def test_nested_columns() -> None:
    valid, broken = b"\x02\x04\x02\x0a\x02\x0e\x00", b"\x02\x04\x02\x0a"
    formats = Formats("n ARRAY<INT>")
    found = formats.rows(formats.checked(formats.quick_avro()), [valid, broken])
    row, error = (row for [row] in filter(None, found))
    numbers = row.getArray(0)
    assert [numbers.getInt(index) for index in range(numbers.size())] == [5, 7]
    assert row.isNullAt(1)
    assert error.isNullAt(0)
    assert error.getString(1).toString().startswith("the record is not the source's columns in Avro: ")


@pytest.mark.usefixtures("environment")
def test_avro_in_json() -> None:
    record = b'{"a": {"int": 5}, "s": null}'
    formats = Formats("a INT, s STRING")
    found = formats.fields(formats.checked(formats.quick_avro("JSON")), [record, record + b"1", record[:-1], record])
    assert found[0] == found[3] == (5, None, None)
    assert found[1][2].endswith("there is more after the JSON object")
    assert found[2][:2] == (None, None)
    assert found[2][2].startswith("the record is not the source's columns in Avro: ")


def checked(records: list[bytes | None], columns: str) -> list[tuple[Any, ...]]:
    """Return the columns of each record and its error."""
    formats = Formats(columns)
    return formats.fields(formats.checked(formats.quick_avro()), records)
