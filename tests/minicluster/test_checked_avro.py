"""The format 'checked-avro': what Flink's Avro format reads, and every other record is a row too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from tests.minicluster.checked_rows import decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table import TableEnvironment

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster


@pytest.fixture(scope="module")
def environment(cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory) -> TableEnvironment:
    project = Project(tmp_path_factory.mktemp("checked"), Settings())
    return table_environment(project, {**cluster.options, "parallelism.default": "1"})


def test_plain_columns(environment: TableEnvironment, broker: Broker, topic: Callable[[str], str]) -> None:
    """Written by hand from Avro's specification: a union's branch, then zigzag varints, IEEE 754, length and text."""
    records: dict[bytes | None, tuple[Any, ...]] = {
        b"\x02\x18\x02\x00\x00\x80\x3f\x02\x04ab": (12, 1.0, "ab", None),
        b"\x02\x03\x00\x02\x06J\xc3\xb6": (-2, None, "J\u00f6", None),  # not ASCII: read by Flink's format
        b"\x00\x00\x00": (None, None, None, None),
    }
    found = decoded(environment, broker, topic("plain"), "avro", [*records], "a INT, f FLOAT, s STRING")
    assert found == [*records.values()]


def test_what_cannot_be_read(environment: TableEnvironment, broker: Broker, topic: Callable[[str], str]) -> None:
    begin = "the record is not the source's columns in Avro: "
    broken: list[bytes | None] = [
        b"",
        b"\x02",  # cut off
        b"\x04\x18",  # a third branch of a union of two
        b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",  # a varint without end
        b"\x02\x18\x02\x0fab",  # text of a length below zero
        None,
    ]
    found = decoded(environment, broker, topic("broken"), "avro", broken, "a INT, s STRING")
    assert all(row[:2] == (None, None) for row in found)
    assert all(row[2].startswith(begin) and len(row[2]) > len(begin) for row in found[:-1])
    assert found[-1][2] == "the record has no value (a tombstone)"


def test_columns_that_are_not_plain(environment: TableEnvironment, broker: Broker, topic: Callable[[str], str]) -> None:
    """An array of two integers is read by Flink's format alone, and what it cannot read has its error."""
    valid, broken = b"\x02\x04\x02\x0a\x02\x0e\x00", b"\x02\x04\x02\x0a"
    found = decoded(environment, broker, topic("nested"), "avro", [valid, broken], "n ARRAY<INT>")
    assert found[0] == ([5, 7], None)
    assert found[1][0] is None
    assert found[1][1].startswith("the record is not the source's columns in Avro: ")
