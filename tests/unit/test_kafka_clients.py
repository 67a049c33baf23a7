"""What a job asks of Kafka's clients, and that the reference says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyflink_jobs.planning.connectors.kafka import SINK, SOURCE, wanting

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()


def test_a_tables_own_options_win() -> None:
    own = {"properties.max.poll.records": "7", "properties.batch.size": "9", "format": "json"}
    assert wanting(own, written=False) == {
        "properties.max.partition.fetch.bytes": "4194304",
        "properties.receive.buffer.bytes": "1048576",
    }
    assert wanting(own, written=True) == {}
    assert wanting({}, written=True) == {"properties.batch.size": "262144"}


@pytest.mark.parametrize(("option", "value"), [*SOURCE.items(), *SINK.items()])
def test_the_reference_names_it(option: str, value: str) -> None:
    [line] = [line for line in REFERENCE.splitlines() if line.startswith(f"| `'{option}'`")]
    assert line.endswith(f" | {value} |")
