"""A Kafka that asks for a login: `[tool.millstream.kafka]` has it, for all tables and all commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from pyflink_jobs.errors import ProjectError
from pyflink_jobs.local import topics
from pyflink_jobs.local.broker import kafka_properties
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.command_line import millstream
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.running.minicluster import MiniCluster
    from tests.reported.conftest import SecuredKafka

KAFKA = "'connector' = 'kafka', 'format' = 'json', 'topic' = '@run-@name'"
SQL = {
    "sources/events": "CREATE TABLE events (id STRING, v DOUBLE COMMENT 'range 0..100', p INT METADATA FROM 'partition'"
    " VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL)"
    f" WITH ({KAFKA}, 'scan.startup.mode' = 'earliest-offset', 'properties.bootstrap.servers' = '@address')",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
    "sinks/scored": f"CREATE TABLE scored (id STRING, y DOUBLE, p INT, o BIGINT) WITH ({KAFKA})",
    "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, detail STRING, topic STRING,"
    f" `partition` INT, `offset` BIGINT, job STRING) WITH ({KAFKA},"
    " 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}')",
    "features/f": "CREATE VIEW f AS SELECT id, CAST(v AS FLOAT) AS v, p, o FROM events",
    "jobs/score": "INSERT INTO scored SELECT id, y, p, o FROM ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(v, v, v))",
}
# The class as Kafka's documentation has it; in Flink's connector it has another name.
SETTINGS = """
parallelism = 1

[tool.millstream.kafka]
bootstrap.servers = "@address"
security.protocol = "SASL_PLAINTEXT"
sasl.mechanism = "PLAIN"
sasl.jaas.config = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="${PW}";'
"""


def project(folder: Path, kafka: SecuredKafka, run: str) -> Project:
    def filled(text: str, name: str) -> str:
        return text.replace("@run", run).replace("@name", name).replace("@address", kafka.address)

    sql = {name: filled(text, name.rpartition("/")[2]) for name, text in SQL.items()}
    made = make_project(folder, sql, filled(SETTINGS, ""))
    add_model(made, "m", "linear")
    return made


def test_tables_and_commands_have_it(
    secured_kafka: SecuredKafka, cluster: MiniCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = f"run-{uuid4().hex[:6]}"
    monkeypatch.setenv("PW", secured_kafka.password)
    made = project(tmp_path, secured_kafka, run)
    topics.create(secured_kafka.client, {f"{run}-events": 1})
    rows = [{"id": "a", "v": 1.0}, {"id": "b", "v": 500.0}, {"id": "c", "v": 2.0}]
    send_records(secured_kafka.client, f"{run}-events", [json.dumps(row).encode() for row in rows])
    planned = plan_job(declare(made).job("score"), table_environment(made, cluster.options), Run(bounded=True))
    assert execute(made, planned, cluster).state == "FINISHED"
    scored = [json.loads(record.value or b"")["id"] for record in topics.read(secured_kafka.plain, f"{run}-scored")]
    assert scored == ["a", "c"]

    said = {
        words[0]: millstream(tmp_path, *words)
        for words in (
            ["topics"], ["peek", "scored"], ["audit", "score"], ["quarantine", "list", "--json"], ["explain", "score"],
        )
    }  # fmt: skip
    assert f"{run}-scored" in said["topics"].out
    assert [line.split()[4] for line in said["peek"].out.splitlines()[1:]] == ["a", "c"]
    assert said["audit"].code == 0, said["audit"].out + said["audit"].err
    assert json.loads(said["quarantine"].out)["records"] == 1
    assert "'properties.sasl.jaas.config' = '***'" in said["explain"].out
    for name, each in said.items():
        assert secured_kafka.password not in each.out + each.err, name


def test_what_is_missing_is_said(secured_kafka: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(tmp_path, secured_kafka, "run")
    monkeypatch.delenv("PW", raising=False)
    with pytest.raises(ProjectError, match="environment variable PW is not set"):
        kafka_properties(made)
    settings = tmp_path / "pyproject.toml"
    text = settings.read_text()
    settings.write_text(text + 'ssl.truststore.location = "ca.pem"\n')
    monkeypatch.setenv("PW", "x")
    with pytest.raises(ProjectError, match=r"`ssl\.truststore\.location` is ca\.pem, and there is no such file"):
        kafka_properties(Project.find(tmp_path))
    settings.write_text(text.replace("${PW}", "in the file"))
    with pytest.raises(ProjectError, match=r"`sasl\.jaas\.config` has a secret in a file that others read"):
        Project.find(tmp_path)


def test_a_table_with_security_of_its_own_keeps_it(
    secured_kafka: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "x")
    made = project(tmp_path, secured_kafka, "run")
    source = made.sql / "sources" / "events.sql"
    source.write_text(source.read_text().replace("'format'", "'properties.security.protocol' = 'PLAINTEXT', 'format'"))
    sink = made.sql / "sinks" / "scored.sql"
    sink.write_text(sink.read_text().replace("'format'", "'properties.bootstrap.servers' = 'other:1', 'format'"))
    tables = declare(made).tables
    assert "properties.sasl.mechanism" not in tables["events"].values
    assert "properties.sasl.mechanism" not in tables["scored"].values
    assert tables["quarantine"].values["properties.sasl.mechanism"] == "PLAIN"
