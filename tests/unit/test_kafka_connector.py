"""What is particular to Kafka: options for its clients, and that the reference says so; names, places, trial runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.connectors.kafka import Kafka

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
FULL = Kafka().reading({}, bounded=False, remembered=True) | Kafka().writing({}, replays=False)


def test_a_tables_own_options_win() -> None:
    own = {"properties.max.poll.records": "7", "properties.batch.size": "9", "format": "json"}
    assert Kafka().reading(own, bounded=False, remembered=True) == {
        "properties.max.partition.fetch.bytes": "4194304",
        "properties.receive.buffer.bytes": "1048576",
    }
    assert Kafka().writing(own, replays=False) == {}
    assert Kafka().writing({}, replays=False) == {"properties.batch.size": "262144"}


@pytest.mark.parametrize(("option", "value"), FULL.items())
def test_the_reference_names_it(option: str, value: str) -> None:
    [line] = [line for line in REFERENCE.splitlines() if line.startswith(f"| `'{option}'`")]
    assert line.endswith(f" | {value} |")


def test_the_connector_of_a_table() -> None:
    assert isinstance(connector_of({"connector": "upsert-kafka"}), Kafka)
    unknown = connector_of({"connector": "jdbc", "path": "p"})
    assert (unknown.names({}), unknown.client({}), unknown.address({"connector": "jdbc"})) == ([], {}, "jdbc")
    assert not unknown.replayable


def test_what_other_clients_need() -> None:
    options = {"topic": "a;b", "properties.bootstrap.servers": "h:1", "properties.sasl.mechanism": "PLAIN"}
    assert Kafka().names(options) == ["a", "b"]
    assert Kafka().names({"topic-pattern": "a.*"}) == []
    assert Kafka().client(options) == {"bootstrap.servers": "h:1", "sasl.mechanism": "PLAIN"}


def test_a_trial_run_writes_to_a_topic_and_in_transactions_of_its_own() -> None:
    assert Kafka().dry_run({}, "trial-x") == {"topic": "trial-x"}
    exactly_once = {"sink.transactional-id-prefix": "p"}
    assert Kafka().dry_run(exactly_once, "t") == {"topic": "t", "sink.transactional-id-prefix": "t"}
    assert Kafka().writing(exactly_once, replays=True)["sink.transactional-id-prefix"] == "p-replay"
