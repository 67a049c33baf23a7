"""Retention deletes records that a job has not read: the job goes on at the oldest that is left, and says what is gone.

Records 0 to 799 are in one partition; a job is stopped at 100, and the topic begins at 400 when it goes on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from pyflink_jobs.cluster.expired_records import expired_records
from pyflink_jobs.cluster.jobs import cancel, job_named, stop_with_savepoint, wait_until_running
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.rest import Rest
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from pyflink_jobs.running.progress import expired_words
from tests.command_line import millstream
from tests.projects import add_model, make_project
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
READ, FIRST, LAST = 100, 400, 800
STARTS = {
    "latest": "'scan.startup.mode' = 'latest-offset'",
    "group": "'scan.startup.mode' = 'group-offsets', 'properties.auto.offset.reset' = 'latest'",
    "time": "'scan.startup.mode' = 'timestamp', 'scan.startup.timestamp-millis' = '1600000000000'",
}

GATE = """import time
from pathlib import Path

from pyflink.table.udf import udf


@udf(result_type="INT")
def wait(n):
    while n == {at} and not Path({opened!r}).exists():
        Path({waits!r}).touch()
        time.sleep(0.01)
    return n
"""


def send(kafka: str, topic: str, numbers: range, *, alone: bool = False) -> None:
    """Send records; `alone`, each in a batch of its own: a broker returns whole batches."""
    with KafkaProducer(bootstrap_servers=kafka, **({"batch_size": 0} if alone else {})) as producer:
        for number in numbers:
            producer.send(topic, json.dumps({"n": number}).encode(), partition=0)


def expire(kafka: str, topic: str, before: int = FIRST) -> None:
    with KafkaAdminClient(bootstrap_servers=kafka) as admin:
        admin.delete_records({TopicPartition(topic, 0): before})


def start(project: Project, cluster: MiniCluster, job: str, savepoint: str = "", **more: str) -> str:
    options = {**cluster.options, "execution.attached": "false", "parallelism.default": "1", **more}
    if savepoint:
        options["execution.state-recovery.path"] = savepoint
    environment = table_environment(project, options)
    client = plan_job(declare(project).job(job), environment).statements.execute().get_job_client()
    return str(client.get_job_id())


def numbers(kafka: str, topic: str) -> list[int]:
    return sorted(json.loads(record.value or b"")["n"] for record in topics.read(kafka, topic))


@pytest.mark.slow
def test_a_restored_job_goes_on_at_the_oldest_record_that_is_left(
    tmp_path: Path, kafka: str, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    names = {start: (topic(start), topic(f"read-{start}")) for start in STARTS}
    every = [name for pair in names.values() for name in pair]
    topics.create(kafka, dict.fromkeys(every, 1))
    sql = {}
    for name, (source, sink) in names.items():
        group = f"'properties.group.id' = '{source}'"
        options = f"{KAFKA}, 'topic' = '{source}', {STARTS[name]}, {group}"
        sql[f"sources/{name}"] = f"CREATE TABLE of_{name} (n INT) WITH ({options})"
        sql[f"sinks/{name}"] = f"CREATE TABLE read_{name} (n INT) WITH ({KAFKA}, 'topic' = '{sink}')"
    parts = [f"INSERT INTO read_{name} SELECT n FROM of_{name};" for name in names]
    project = make_project(tmp_path, {**sql, "jobs/copy": "\n".join(parts)}, settings=f"kafka = '{kafka}'")
    rest = Rest(cluster.url)
    job = start(project, cluster, "copy")
    wait_until_running(rest, job, 60)
    sent = 0

    def all_read() -> bool:  # a start at the end is only found once the job has asked for it
        nonlocal sent
        if sent == 0 or not all(numbers(kafka, sink) for _, sink in names.values()):
            sent += 1
            for source, _ in names.values():
                send(kafka, source, range(sent - 1, sent))
            return False
        return True

    wait_until(all_read)
    for source, _ in names.values():
        send(kafka, source, range(sent, READ))
    wait_until(lambda: all(READ - 1 in numbers(kafka, sink) for _, sink in names.values()))
    savepoint = stop_with_savepoint(rest, job_named(rest, job), (tmp_path / "savepoints").as_uri())
    for source, _ in names.values():
        send(kafka, source, range(READ, LAST))
        expire(kafka, source)
    job = start(project, cluster, "copy", savepoint)
    wait_until_running(rest, job, 60)
    wait_until(lambda: all(LAST - 1 in numbers(kafka, sink) for _, sink in names.values()))
    for _, sink in names.values():
        found = numbers(kafka, sink)
        assert [number for number in found if number >= READ] == [*range(FIRST, LAST)]  # each once
    expired = expired_records(rest, job)
    assert expired == {(source, 0): FIRST - READ for source, _ in names.values()}
    cancel(rest, job)
    one = expired_words(expired)[0]
    assert one.startswith("300 records of `")
    assert ", partition 0, expired before they were read" in one


@pytest.mark.slow
def test_what_expires_ahead_of_a_slow_job_is_counted(
    tmp_path: Path, kafka: str, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    """A function waits at record 100 until the records to 399 are gone; the reader has read few beyond it by then."""
    source, sink = topic("source"), topic("sink")
    topics.create(kafka, {source: 1, sink: 1})
    little = "'properties.max.partition.fetch.bytes' = '500', 'properties.max.poll.records' = '5'"
    sql = {
        "features/wait": "CREATE FUNCTION wait_at AS 'functions.gates.wait' LANGUAGE PYTHON",
        "sources/events": f"CREATE TABLE events (n INT) WITH ({KAFKA}, 'topic' = '{source}', {little},"
        " 'scan.startup.mode' = 'earliest-offset')",
        "sinks/seen": f"CREATE TABLE seen (n INT) WITH ({KAFKA}, 'topic' = '{sink}')",
        "jobs/copy": "INSERT INTO seen SELECT wait_at(n) FROM events",
    }
    project = make_project(tmp_path, sql, settings=f"kafka = '{kafka}'")
    waits, opened = tmp_path / "waits", tmp_path / "opened"
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "gates.py").write_text(GATE.format(waits=str(waits), opened=str(opened), at=READ))
    send(kafka, source, range(LAST), alone=True)
    rest = Rest(cluster.url)
    job = start(project, cluster, "copy", **{"python.fn-execution.bundle.size": "5"})
    wait_until(waits.exists)
    expire(kafka, source)
    opened.touch()
    wait_until(lambda: LAST - 1 in numbers(kafka, sink))
    found = numbers(kafka, sink)
    before = [number for number in found if number < FIRST]
    assert found == [*range(len(before)), *range(FIRST, LAST)]
    assert READ < len(before) < FIRST
    wait_until(lambda: expired_records(rest, job) == {(source, 0): FIRST - len(before)})
    cancel(rest, job)


def test_a_group_starts_where_its_options_say_and_goes_on_at_the_oldest_record(
    tmp_path: Path, kafka: str, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    source, sink = topic("source"), topic("sink")
    topics.create(kafka, {source: 1, sink: 1})
    send(kafka, source, range(LAST))
    reads = f"'topic' = '{source}', 'properties.group.id' = '{source}', 'properties.auto.offset.reset' = 'latest'"
    sql = {
        "sources/events": f"CREATE TABLE events (n INT) WITH ({KAFKA}, {reads}, 'scan.startup.mode' = 'group-offsets')",
        "sinks/seen": f"CREATE TABLE seen (n INT) WITH ({KAFKA}, 'topic' = '{sink}')",
        "jobs/copy": "INSERT INTO seen SELECT n FROM events",
    }
    project = make_project(tmp_path, sql, settings=f"kafka = '{kafka}'")

    def read() -> list[int]:
        environment = table_environment(project, {**cluster.options, "parallelism.default": "1"})
        execute(project, plan_job(declare(project).job("copy"), environment, Run(bounded=True)), cluster)
        return numbers(kafka, sink)

    assert read() == []  # without an offset of its group, at the end
    part = TopicPartition(source, 0)
    with KafkaConsumer(bootstrap_servers=kafka, group_id=source) as consumer:
        consumer.assign([part])
        consumer.commit({part: OffsetAndMetadata(READ, "", -1)})
    expire(kafka, source)
    assert read() == [*range(FIRST, LAST)]


def test_an_audit_counts_what_expired(tmp_path: Path, kafka: str, topic: Callable[[str], str]) -> None:
    names = {name: topic(name) for name in ("things", "scored", "quarantine")}
    topics.create(kafka, dict.fromkeys(names.values(), 1))
    where = {name: f"WITH ({KAFKA}, 'topic' = '{made}'" for name, made in names.items()}
    position = "p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL"
    sql = {
        "sources/things": f"CREATE TABLE things (n INT, a FLOAT, {position})"
        f" {where['things']}, 'scan.startup.mode' = 'earliest-offset')",
        "models/m": "CREATE MODEL m INPUT (k FLOAT, l FLOAT, m FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
        "sinks/scored": f"CREATE TABLE scored (n INT, y DOUBLE, p INT, o BIGINT) {where['scored']})",
        "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, topic STRING, `partition` INT,"
        f" `offset` BIGINT, job STRING, model STRING) {where['quarantine']})",
        "jobs/score": "INSERT INTO scored SELECT n, y, p, o"
        " FROM ML_PREDICT(TABLE things, MODEL m, DESCRIPTOR(a, a, a))",
    }
    project = make_project(tmp_path, sql, settings=f"kafka = '{kafka}'")
    add_model(project, "m", "linear")
    send(kafka, names["things"], range(LAST))
    scored = [*range(READ), *range(FIRST, LAST)]
    send_records(kafka, names["scored"], [json.dumps({"n": o, "y": 0.5, "p": 0, "o": o}).encode() for o in scored])
    expire(kafka, names["things"])

    ran = millstream(tmp_path, "audit", "--json")
    account = json.loads(ran.out)
    assert ran.code == 1
    assert (account["read"], account["scored"], account["missing"], account["filtered"]) == (400, 400, [], 0)
    assert (account["expired"], account["first"]) == (300, 400)
    shown = millstream(tmp_path, "audit").out
    assert "partition 0: expired: 300 offsets before 400, where the topic begins now, have no result" in shown
    assert "every record is accounted for" not in shown
    expire(kafka, names["things"], 600)  # retention goes on: what is lost is not forgotten
    account = json.loads(millstream(tmp_path, "audit", "--json").out)
    assert (account["read"], account["expired"], account["certain"]) == (200, 300, True)
