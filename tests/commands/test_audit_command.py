"""`millstream audit` on a real broker: topics written by hand, with the gaps that transactions leave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from pyflink_jobs.cli.main import cli
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
SOURCE = "CREATE TABLE things (id BIGINT, a FLOAT, record_partition INT METADATA FROM 'partition' VIRTUAL, "
SOURCE += "record_offset BIGINT METADATA FROM 'offset' VIRTUAL)\n"
JOB = "INSERT INTO scored SELECT id, y, record_partition, record_offset "
JOB += "FROM ML_PREDICT((SELECT * FROM things WHERE id <> 10), MODEL m, DESCRIPTOR(a, a, a))"
START = 1_364_774_400_000  # 2013-04-01; a record has a second a number
OFFSETS = [0, 1, 2, 3, 4, 8, 10, 11, 12]  # of partition 0; ids are the same
PATIENCE = 30.0  # seconds
SCORED = [(0, 0), (0, 1), (0, 2), (0, 3), (0, 8), (0, 11), (1, 0), (1, 1)]
QUARANTINED = {(0, 3): "refused by model", (0, 4): "contract"}


@dataclass(frozen=True)
class World:
    """A project, its broker, and the topics of its tables by the tables' names."""

    folder: Path
    kafka: str
    topics: dict[str, str]

    def score(self, places: Iterable[tuple[int, int]]) -> None:
        """Write scored rows of records of the source."""
        rows = [{"id": 1, "y": 0.5, "record_partition": part, "record_offset": offset} for part, offset in places]
        send_records(self.kafka, self.topics["scored"], [*(json.dumps(row).encode() for row in rows), b"no row"])

    def quarantine(self, places: dict[tuple[int, int], str], job: str = "score") -> None:
        """Write records to quarantine, with their reasons."""
        rows = [
            {"source": "things", "reason": why, "topic": self.topics["things"], "job": job}
            | {"partition": part, "offset": offset, "model": None}
            for (part, offset), why in places.items()
        ]
        send_records(self.kafka, self.topics["quarantine"], [json.dumps(row).encode() for row in rows])

    def audit(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(cli, ["--project", str(self.folder), "audit", *arguments], standalone_mode=False)

    def accounts(self, *arguments: str) -> dict[int, dict[str, Any]]:
        """Run the command, and return what it says of each partition."""
        done = self.audit("--json", *arguments)
        assert done.exception is None, done.exception
        accounts = [json.loads(line) for line in done.output.splitlines()]
        assert done.return_value == int(any(account["missing"] + account["duplicates"] for account in accounts))
        return {account["partition"]: account for account in accounts}


@pytest.fixture
def world(kafka: str, tmp_path: Path, topic: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> World:
    names = {name: topic(name) for name in ("things", "scored", "quarantine")}
    with_topic = {name: f"WITH ({KAFKA}, 'topic' = '{made}'" for name, made in names.items()}
    sql = {
        "sources/things": f"{SOURCE}{with_topic['things']}, 'scan.startup.mode' = 'earliest-offset')",
        "models/m": "CREATE MODEL m INPUT (k FLOAT, l FLOAT, m FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
        "sinks/scored": "CREATE TABLE scored (id BIGINT, y DOUBLE, record_partition INT, record_offset BIGINT) "
        f"{with_topic['scored']})",
        "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, topic STRING, `partition` INT, "
        f"`offset` BIGINT, job STRING, model STRING) {with_topic['quarantine']})",
        "jobs/score": JOB,
    }
    project = make_project(tmp_path, sql, settings=f"kafka = '{kafka}'")
    add_model(project, "m", "linear")
    topics.create(kafka, {names["things"]: 2, names["scored"]: 1, names["quarantine"]: 1})
    fill(kafka, names["things"])
    # Flink finds what the query filters out; that takes seconds, so only the last test asks it.
    monkeypatch.setattr("pyflink_jobs.cli.audit._emitted", lambda _, __, places: places - {(names["things"], 0, 10)})
    return World(tmp_path, kafka, names)


def fill(kafka: str, topic: str) -> None:
    """Write OFFSETS to partition 0, with an aborted and a committed transaction behind 4, and two to partition 1."""
    part = TopicPartition(topic, 0)
    with (
        KafkaProducer(bootstrap_servers=kafka) as plain,
        KafkaProducer(bootstrap_servers=kafka, transactional_id=topic) as careful,
    ):

        def send(producer: KafkaProducer, partition: int, *numbers: int) -> None:
            for number in numbers:
                value = json.dumps({"id": number, "a": 1.0}).encode()
                producer.send(topic, value, partition=partition, timestamp_ms=START + 1000 * number)
            producer.flush()

        send(plain, 1, 0, 1)
        send(plain, 0, 0, 1, 2, 3, 4)
        careful.init_transactions()
        careful.begin_transaction()
        send(careful, 0, 5, 6)
        careful.abort_transaction()
        wait_for_end(kafka, part, 8)
        careful.begin_transaction()
        send(careful, 0, 8)
        careful.commit_transaction()
        wait_for_end(kafka, part, 10)
        send(plain, 0, 10, 11, 12)
    assert [record.offset for record in topics.read(kafka, topic) if record.partition == 0] == OFFSETS


def wait_for_end(kafka: str, part: TopicPartition, end: int) -> None:
    """Wait until a transaction's marker is in the topic: the broker writes it after its answer."""
    deadline = monotonic() + PATIENCE
    with KafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed") as consumer:
        while consumer.end_offsets([part])[part] < end:
            assert monotonic() < deadline


def test_every_record_is_accounted_for(world: World) -> None:
    world.score(SCORED)
    world.quarantine(QUARANTINED)
    world.quarantine(dict.fromkeys(SCORED, "contract"), job="another")
    kinds = {"read": 9, "scored": 5, "quarantined": 2, "filtered": 1, "in_flight": 1, "missing": [], "duplicates": []}
    kinds |= {"expired": 0, "first": 0, "certain": False}
    of_1 = {"read": 2, "scored": 2, "quarantined": 0, "filtered": 0, "in_flight": 0, "certain": True}
    of_topic = {"topic": world.topics["things"]}
    assert world.accounts() == {
        0: {"job": "score", "source": "things", "partition": 0, **kinds, **of_topic},
        1: {"job": "score", "source": "things", "partition": 1, **kinds, **of_1, **of_topic},
    }
    done = world.audit("score")
    assert done.return_value == 0
    header, first, second, total, _, words = done.output.splitlines()
    words_of_header = "read scored quarantined filtered in flight missing duplicates expired"
    assert header.split()[3:] == words_of_header.split()
    assert first.split() == ["score", "things", "0", "9", "5", "2", "1", "1", "0", "0", "0"]
    assert second.split() == ["score", "things", "1", "2", "2", "0", "0", "0", "0", "0", "0"]
    assert total.split() == ["score", "things", "total", "11", "7", "2", "1", "1", "0", "0", "0"]
    assert words == "every record is accounted for"


def test_a_missing_record_is_named(world: World) -> None:
    world.score([place for place in SCORED if place != (0, 8)])
    world.quarantine(QUARANTINED)
    assert world.accounts()[0]["missing"] == [8]
    done = world.audit()
    assert done.return_value == 1
    assert done.output.splitlines()[-1] == "score, things, partition 0: missing: offset 8"


def test_a_duplicate_is_named(world: World) -> None:
    world.score([*SCORED, (0, 2), (0, 4)])
    world.quarantine(QUARANTINED)
    account = world.accounts()[0]
    assert account["duplicates"] == [2, 4]
    assert (account["read"], account["scored"], account["quarantined"]) == (9, 5, 2)
    done = world.audit()
    assert done.return_value == 1
    assert done.output.splitlines()[-1] == "score, things, partition 0: accounted for more than once: offset 2, 4"


def test_from_and_to_choose_records_by_their_time(world: World) -> None:
    world.score([place for place in SCORED if place not in ((0, 1), (0, 8))])
    world.quarantine(QUARANTINED)
    assert world.accounts()[0]["missing"] == [1, 8]
    account = world.accounts("--from", "2013-04-01T00:00:02", "--to", "2013-04-01T00:00:08")[0]
    assert (account["read"], account["scored"], account["quarantined"], account["missing"]) == (3, 1, 2, [])
    assert world.accounts("--from", "2013-04-01T02:00:08+02:00")[0]["missing"] == [8]
    assert "is not a valid time" in str(world.audit("--from", "monday").exception)


def test_what_a_job_has_not_come_to_is_in_flight(world: World) -> None:
    file = world.folder / "sql" / "sources" / "things.sql"
    file.write_text(file.read_text().replace("'topic'", "'properties.group.id' = 'g', 'topic'"))
    world.score([place for place in SCORED if place not in ((0, 2), (0, 8))])
    assert world.accounts()[0]["missing"] == [2, 4, 8]
    part = TopicPartition(world.topics["things"], 0)
    with KafkaConsumer(bootstrap_servers=world.kafka, group_id="g") as consumer:
        consumer.assign([part])
        consumer.commit({part: OffsetAndMetadata(8, "", -1)})
    account = world.accounts()[0]
    assert (account["missing"], account["in_flight"]) == ([2, 4], 3)  # beside 8 those behind the last scored one
    account = world.accounts("--grace", "8")[0]  # the newest scored one is that of second 11
    assert (account["missing"], account["in_flight"]) == ([2], 4)


def test_a_replayed_record_counts_by_its_result(world: World) -> None:
    world.score([*SCORED, (0, 4)])
    world.quarantine(QUARANTINED)
    world.quarantine({(0, 4): "replayed"})
    account = world.accounts()[0]
    assert (account["scored"], account["quarantined"], account["missing"], account["duplicates"]) == (6, 1, [], [])


def test_what_cannot_be_accounted_for_is_named(world: World) -> None:
    sql = world.folder / "sql"
    (sql / "sinks" / "plain.sql").write_text(f"\nCREATE TABLE plain (id BIGINT) WITH ({KAFKA}, 'topic' = 'plain')")
    (sql / "sinks" / "sums.sql").write_text(f"CREATE TABLE sums (n BIGINT) WITH ({KAFKA}, 'topic' = 'sums')")
    calls = "FROM ML_PREDICT(TABLE things, MODEL m, DESCRIPTOR(a, a, a))"
    other = f"INSERT INTO plain SELECT id {calls};\nINSERT INTO sums SELECT COUNT(*) {calls} GROUP BY id"
    (sql / "jobs" / "other.sql").write_text(other)
    message = str(world.audit("other").exception)
    assert "sql/sinks/plain.sql:2:1: `plain` cannot be accounted for: its rows do not say which record" in message
    assert "add record_partition INT, record_offset BIGINT to its columns, and to what sql/jobs/other.sql" in message
    (sql / "jobs" / "part.sql").write_text(f"INSERT INTO scored (id, y) SELECT id, y {calls}")
    assert "name them behind INSERT INTO" in str(world.audit("part").exception)
    (sql / "jobs" / "part.sql").write_text(JOB)
    assert "`scored` cannot be accounted for: job `score` writes to it as well" in str(world.audit("part").exception)
    (sql / "jobs" / "part.sql").unlink()
    assert "sql/jobs/other.sql:2:94: `sums` cannot be accounted for to the record" in message

    world.score(SCORED)
    world.quarantine(QUARANTINED)
    done = world.audit()
    assert done.return_value == 0
    assert "every record is accounted for, except as follows" in done.output
    assert "`plain` cannot be accounted for" in done.output
    rows = [json.loads(line) for line in world.audit("--json").output.splitlines()]
    assert [row["not_accounted_for"]["file"] for row in rows if row["job"] == "other"] == [
        "sql/sinks/plain.sql",
        "sql/jobs/other.sql",
    ]


def test_a_source_must_have_its_records_places_and_be_read_from_the_first(world: World) -> None:
    file = world.folder / "sql" / "sources" / "things.sql"
    whole = file.read_text()
    file.write_text(whole.replace("earliest-offset", "latest-offset"))
    assert "'scan.startup.mode' is 'latest-offset'" in str(world.audit().exception)
    world.score(SCORED)
    assert world.accounts("--from", "2013-04-01T00:00:08")[0]["scored"] == 2
    file.write_text(whole.replace("METADATA FROM 'offset' VIRTUAL", ""))
    message = str(world.audit().exception)
    assert "sql/sources/things.sql:1:1: `things` cannot be accounted for" in message
    assert "things_offset BIGINT METADATA FROM 'offset' VIRTUAL" in message


@pytest.mark.usefixtures("jvm_project")
def test_flink_finds_the_records_that_the_query_filters_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # of what the fixture says in place of Flink
    world.score([place for place in SCORED if place != (0, 8)])
    world.quarantine(QUARANTINED)
    account = world.accounts("score")[0]
    assert (account["missing"], account["filtered"], account["in_flight"]) == ([8], 1, 1)
