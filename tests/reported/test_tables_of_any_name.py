"""Commands read what the tables say: topics of other names, several of them, in a Kafka that asks for a login.

A login and other secrets are in no output, no file of Millstream's, no plan, and not in Flink's REST interface.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import quote
from uuid import uuid4

import pytest

from pyflink_jobs.cluster.submit import prepare
from pyflink_jobs.cluster.targets import Target
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.rest import Rest
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.command_line import millstream, process_call
from tests.drift_records import drift
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster
    from tests.reported.conftest import SecuredKafka

TOKEN = "token-of-the-registry"  # noqa: S105 - nobody's
KAFKA = (
    "'connector' = '@kind', 'properties.bootstrap.servers' = '@address', 'properties.security.protocol' ="
    " 'SASL_PLAINTEXT', 'properties.sasl.mechanism' = 'PLAIN', 'properties.sasl.jaas.config' ="
    " 'org.apache.flink.kafka.shaded.org.apache.kafka.common.security.plain.PlainLoginModule required"
    ' username="me" password="${EVENTS_PASSWORD}";\','
    " 'properties.registry.url' = 'http://me:${REGISTRY_TOKEN}@localhost:1',"
    " 'properties.ssl.key.password' = 'it''s short'"
)
EVENTS = (
    "CREATE TABLE events (id STRING, v DOUBLE COMMENT 'range 0..100', t STRING METADATA FROM 'topic' VIRTUAL,"
    " p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL) "
    f"WITH ({KAFKA}, 'format' = 'json', @topics, 'scan.startup.mode' = 'earliest-offset')"
)
SQL = {
    "sources/events": EVENTS,
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
    "sinks/scored": "CREATE TABLE scored (id STRING, y DOUBLE, t STRING, p INT, o BIGINT,"
    " PRIMARY KEY (id) NOT ENFORCED)"
    f" WITH ({KAFKA.replace('@kind', 'upsert-kafka')}, 'key.format' = 'json', 'value.format' = 'json',"
    " 'topic' = '@run-scored')",
    "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, detail STRING, topic STRING,"
    " `partition` INT, `offset` BIGINT, job STRING, model STRING) "
    f"WITH ({KAFKA}, 'format' = 'json', 'topic' = '@run-quarantine')",
    "sinks/drift": f"CREATE TABLE drift (model STRING) WITH ({KAFKA}, 'format' = 'json', 'topic' = '@run-drift')",
    "jobs/score": "INSERT INTO scored\nSELECT id, y, t, p, o FROM ML_PREDICT(TABLE f, MODEL m, DESCRIPTOR(v, v, v))\n"
    "ON CONFLICT DO DEDUPLICATE -- the newest",
    "features/f": "CREATE VIEW f AS SELECT id, CAST(v AS FLOAT) AS v, t, p, o FROM events",
}
FORMS = {"list": "'topic' = '@run-a;@run-b'", "pattern": "'topic-pattern' = '@run-[ab]'"}


def project(folder: Path, kafka: SecuredKafka, run: str, form: str, limit: int) -> Project:
    named = {"@topics": FORMS[form], "@kind": "kafka", "@address": kafka.address, "@run": run, "0..100": f"0..{limit}"}
    sql = dict(SQL)
    for mark, text in named.items():
        sql = {name: each.replace(mark, text) for name, each in sql.items()}
    made = make_project(folder, sql, settings=f"kafka = '{kafka.address}'")
    if not made.models.exists():
        add_model(made, "m", "linear")
    return made


def scored(kafka: SecuredKafka, run: str) -> list[tuple[str, str, int, int]]:
    values = [json.loads(record.value or b"") for record in topics.read(kafka.plain, f"{run}-scored")]
    return sorted((row["id"], row["t"], row["p"], row["o"]) for row in values)


def refuse(secrets: list[str], text: str, where: str) -> None:
    for secret in secrets:
        for form in (secret, secret.replace("'", "''"), json.dumps(secret)[1:-1], quote(secret)):
            assert form not in text, f"{where} has {form}"


@pytest.mark.parametrize("form", ["list", pytest.param("pattern", marks=pytest.mark.slow)])
def test_quarantine_and_replay_read_what_the_tables_say(
    form: str, secured_kafka: SecuredKafka, cluster: MiniCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka, run = secured_kafka, f"run-{uuid4().hex[:6]}"
    monkeypatch.setenv("EVENTS_PASSWORD", kafka.password)
    monkeypatch.setenv("REGISTRY_TOKEN", TOKEN)
    secrets = [kafka.password, TOKEN, "it's short"]
    topics.create(kafka.client, {f"{run}-a": 1, f"{run}-b": 1})
    for name in "ab":  # the same offsets in both topics
        rows = [{"id": f"{name}{n}", "v": 500.0 if n == 2 else n} for n in range(4)]
        send_records(kafka.client, f"{run}-{name}", [*(json.dumps(row).encode() for row in rows), b'{"id"'])
    made = project(tmp_path, kafka, run, form, 100)
    planned = plan_job(declare(made).job("score"), table_environment(made, cluster.options), Run(bounded=True))
    assert execute(made, planned, cluster).state == "FINISHED"
    kept = [(f"{n}{i}", f"{run}-{n}", 0, i) for n in "ab" for i in (0, 1, 3)]
    assert scored(kafka, run) == kept

    said = [millstream(tmp_path, "quarantine", *words) for words in (["list"], ["list", "--json"], ["show", "--json"])]
    counts = {(r["reason"], r["records"]) for r in map(json.loads, said[1].out.splitlines())}
    assert counts == {("contract", 2), ("undecodable", 2)}
    shown = {(r["topic"], r["offset"]): r["record"] for r in map(json.loads, said[2].out.splitlines())}
    assert shown[f"{run}-b", 2] == '{"id": "b2", "v": 500.0}'
    assert shown[f"{run}-a", 4] == '{"id"'

    project(tmp_path, kafka, run, form, 1000)
    said.append(millstream(tmp_path, "quarantine", "replay", "score", "--reason", "contract", "--json"))
    assert json.loads(said[-1].out)["replayed"] == 2, said[-1].err
    assert scored(kafka, run) == sorted([*kept, ("a2", f"{run}-a", 0, 2), ("b2", f"{run}-b", 0, 2)])
    said.append(millstream(tmp_path, "quarantine", "export", str(tmp_path / "export.jsonl")))
    assert "4 records" in said[-1].out

    words = [
        ["explain", "score"], ["explain", "score", "--json"], ["topics"],
        ["peek", "scored"], ["peek", f"{run}-a"], ["drift", "show"], ["quarantine", "list", "--source", "none"],
    ]  # fmt: skip
    said.append(process_call(tmp_path, "check"))  # it ends its JVM
    assert said[-1].code == 0, said[-1].out
    said += [millstream(tmp_path, *each) for each in words]
    assert "'properties.sasl.jaas.config' = '***'" in said[-7].out
    assert f"{run}-scored" in said[-5].out
    assert said[-4].out.count("\n") > 6
    assert f"topic `{run}-drift`" in said[-2].err
    assert f"topic `{run}-quarantine`" in said[-1].out
    for number, each in enumerate(said):
        refuse(secrets, each.out + each.err, f"command {number}")

    with tempfile.TemporaryDirectory() as folder:
        plan = prepare(made, "score", Target("t", url="http://localhost:1"), Path(folder)).plan
    refuse(secrets, plan.text, "the compiled plan")
    rest = Rest(cluster.url)
    for job in rest.get("/jobs/overview")["jobs"]:
        vertices = [f"/vertices/{vertex['id']}" for vertex in rest.get(f"/jobs/{job['jid']}")["vertices"]]
        for page in ("", "/plan", "/config", "/exceptions", "/accumulators", "/jobmanager/config", *vertices):
            refuse(secrets, json.dumps(rest.get(f"/jobs/{job['jid']}{page}")), f"REST {page}")
        with suppress(HTTPError):  # other tests' jobs are on this cluster as well, and may have no checkpoints
            refuse(secrets, json.dumps(rest.get(f"/jobs/{job['jid']}/checkpoints")), "REST /checkpoints")
    for page in ("/config", "/jobmanager/config", "/jobmanager/environment", "/taskmanagers"):
        refuse(secrets, json.dumps(rest.get(page)), f"REST {page}")
    for file in (file for file in tmp_path.rglob("*") if file.is_file()):
        refuse(secrets, file.read_text(errors="replace").replace("it''s short", ""), str(file))


def test_flinks_log_has_no_secret(jvm_project: Project, secured_kafka: SecuredKafka) -> None:
    logs = [file for file in jvm_project.state.rglob("*") if file.is_file()]
    assert logs
    for file in logs:
        refuse([secured_kafka.password, TOKEN, "it's short"], file.read_text(errors="replace"), str(file))


def test_drift_is_read_from_the_projects_own_topic(
    secured_kafka: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_PASSWORD", secured_kafka.password)
    monkeypatch.setenv("REGISTRY_TOKEN", TOKEN)
    for run, name in (("mine", "temp"), ("theirs", "wind")):  # two projects in one Kafka
        topics.create(secured_kafka.client, {f"{run}-drift": 1})
        send_records(secured_kafka.client, f"{run}-drift", [json.dumps(drift(4, feature=name)).encode()])
    project(tmp_path, secured_kafka, "mine", "list", 100)
    shown = json.loads(millstream(tmp_path, "drift", "show", "--json").out)
    assert shown["features"] == ["temp"]
    done = millstream(tmp_path, "drift", "explain", "2013-07-04", "temp")
    assert "temp in JFK" in done.out, done.err
