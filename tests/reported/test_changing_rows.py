"""Rows that change: scores follow updates and deletes, quarantine has the versions that were refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from kafka import KafkaProducer

import pyflink_jobs
from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.planning.flink.changes import words_of_changes
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.monitored_project import monitored_project
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

BROKERS = "'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}'"
KAFKA = f"'connector' = 'kafka', {BROKERS}, 'format' = 'json'"
UPSERT = f"'connector' = 'upsert-kafka', {BROKERS}, 'key.format' = 'json', 'value.format' = 'json'"
TOPICS = ("events", "customers", "scored", "sums", "rated", "quarantine")
SQL = {
    "sources/events": f"CREATE TABLE events (id STRING, a FLOAT, b FLOAT) WITH ({KAFKA}, 'topic' = '@events',"
    " 'scan.startup.mode' = 'earliest-offset')",
    "sources/customers": "CREATE TABLE customers (id STRING, a FLOAT, b FLOAT, c FLOAT, PRIMARY KEY (id) NOT ENFORCED)"
    f" WITH ({UPSERT}, 'topic' = '@customers')",
    "features/totals": "CREATE VIEW totals AS SELECT id, SUM(a) AS a, MAX(b) AS b, CAST(COUNT(*) AS FLOAT) AS c\n"
    "FROM events GROUP BY id",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
    "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
    "sinks/scored": "CREATE TABLE scored (id STRING, y DOUBLE, PRIMARY KEY (id) NOT ENFORCED)"
    f" WITH ({UPSERT}, 'topic' = '@scored')",
    "sinks/sums": "CREATE TABLE sums (k STRING, y DOUBLE, n BIGINT, PRIMARY KEY (k) NOT ENFORCED)"
    f" WITH ({UPSERT}, 'topic' = '@sums')",
    "sinks/rated": "CREATE TABLE rated (id STRING, y DOUBLE, PRIMARY KEY (id) NOT ENFORCED)"
    f" WITH ({UPSERT}, 'topic' = '@rated')",
    "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, detail STRING, `columns` STRING) "
    f"WITH ({KAFKA}, 'topic' = '@quarantine')",
    "jobs/groups": """INSERT INTO scored SELECT id, y FROM ML_PREDICT(TABLE totals, MODEL m, DESCRIPTOR(a, b, c));
INSERT INTO sums SELECT 'all', SUM(y), COUNT(y)
FROM ML_PREDICT(TABLE totals, MODEL m, DESCRIPTOR(a, b, c)) GROUP BY 'all';""",
    "jobs/rate": "INSERT INTO rated SELECT id, y FROM ML_PREDICT(TABLE customers, MODEL m, DESCRIPTOR(a, b, c))",
}
EVENTS: list[tuple[str, float, float | None]] = [
    ("v", 1, 2), ("w", 5, 1), ("v", 3, 1), ("x", 2, None), ("v", -1, 4), ("w", 1, 7), ("x", 1, 3), ("z", 4, None),
    ("z", 1, None),
]  # fmt: skip
TOTALS = {"v": (3, 4, 3), "w": (6, 7, 2), "x": (3, 3, 2)}
"""By hand: the sum of a, the greatest b, the number of events. Of z each b is NULL."""
REFUSED = [("x", 2, 1), ("z", 4, 1), ("z", 5, 2)]
"""By hand: id, sum and number of the versions whose b is NULL."""
CUSTOMERS: list[tuple[str, tuple[float, float | None, float] | None]] = [
    ("p", (1, 2, 3)), ("q", (4, 5, 6)), ("p", (2, 2, 2)), ("r", (1, None, 1)), ("q", None), ("r", (7, 8, 9)),
]  # fmt: skip
LATEST = {"p": (2, 2, 2), "r": (7, 8, 9)}


def scores(rows: dict[str, tuple[float, float, float]]) -> dict[str, float]:
    (found,) = onnxruntime.InferenceSession(model_path("linear")).run(
        None, {"X": np.array([*rows.values()], np.float32)}
    )
    return {name: float(score) for name, score in zip(rows, found[:, 0], strict=True)}


@pytest.fixture
def names(topic: Callable[[str], str]) -> dict[str, str]:
    return {kind: topic(kind) for kind in TOPICS}


@pytest.fixture
def project(broker: Broker, names: dict[str, str], tmp_path: Path) -> Project:
    sql = dict(SQL)
    for kind, name in names.items():
        sql = {file: text.replace(f"@{kind}", name) for file, text in sql.items()}
    project = make_project(tmp_path, sql, settings=f"kafka = '{broker.bootstrap_servers}'")
    add_model(project, "m", "linear")
    topics.create(broker.bootstrap_servers, dict.fromkeys(names.values(), 1))
    return project


def send(broker: Broker, topic: str, records: list[tuple[str, dict[str, Any] | None]]) -> None:
    with KafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        for key, value in records:
            body = None if value is None else json.dumps(value).encode()
            producer.send(topic, body, json.dumps({"id": key}).encode())


def run(project: Project, cluster: MiniCluster, job: str) -> None:
    options = {**cluster.options, "parallelism.default": "1"}
    planned = plan_job(declare(project).job(job), table_environment(project, options), Run(bounded=True))
    assert execute(project, planned, cluster).state == "FINISHED"


def table(broker: Broker, topic: str, key: str) -> dict[str, dict[str, Any]]:
    """Return what an upsert topic is as a table: the last value of each key, without those that are deleted."""
    found: dict[str, dict[str, Any]] = {}
    for record in topics.read(broker.bootstrap_servers, topic):
        name = json.loads(record.key or b"{}")[key]
        found.pop(name, None)
        if record.value is not None:
            found[name] = json.loads(record.value)
    return found


def quarantined(broker: Broker, names: dict[str, str]) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, names["quarantine"])]


def test_a_group_without_a_window_is_scored(
    project: Project, broker: Broker, cluster: MiniCluster, names: dict[str, str]
) -> None:
    send(broker, names["events"], [(name, {"id": name, "a": a, "b": b}) for name, a, b in EVENTS])
    run(project, cluster, "groups")
    expected = scores({name: tuple(map(float, row)) for name, row in TOTALS.items()})  # type: ignore[misc]  # three each
    found = {name: row["y"] for name, row in table(broker, names["scored"], "id").items()}
    assert found == {**expected, "z": None}
    # Each version of a row is taken out of the sum by the score that it was added with.
    summed = table(broker, names["sums"], "k")["all"]
    assert summed["n"] == len(expected)
    assert summed["y"] == pytest.approx(sum(expected.values()), abs=1e-9)
    refused = [(row["reason"], row["source"], json.loads(row["columns"])) for row in quarantined(broker, names)]
    assert {(reason, source) for reason, source, _ in refused} == {("refused by model", "totals")}
    assert sorted(row["id"] for _, _, row in refused) == [name for name, _, _ in REFUSED]


def test_updates_and_deletes_of_a_source_reach_the_sink(
    project: Project, broker: Broker, cluster: MiniCluster, names: dict[str, str]
) -> None:
    rows = [(k, None if v is None else {"id": k, **dict(zip("abc", v, strict=True))}) for k, v in CUSTOMERS]
    send(broker, names["customers"], rows)
    run(project, cluster, "rate")
    found = {name: row["y"] for name, row in table(broker, names["rated"], "id").items()}
    assert found == scores({name: tuple(map(float, row)) for name, row in LATEST.items()})  # type: ignore[misc]  # three each
    assert [json.loads(row["columns"])["id"] for row in quarantined(broker, names)] == ["r"]


def test_a_monitor_refuses_rows_that_change(tmp_path: Path, jvm_project: Project) -> None:
    del jvm_project
    project = monitored_project(
        tmp_path, "localhost:1", {kind: kind for kind in ("events", "scored", "drift", "alerts")}
    )
    (project.sql / "features").mkdir()
    (project.sql / "features" / "newest.sql").write_text(
        "CREATE VIEW newest AS SELECT id, MAX(x) AS x, MAX(y) AS y, MAX(z) AS z, MAX(place) AS place, "
        "MAX(happened) AS happened FROM events GROUP BY id"
    )
    job = project.sql / "jobs" / "score.sql"
    job.write_text(job.read_text().replace("TABLE events", "TABLE newest"))
    [finding] = pyflink_jobs.check(project).findings
    assert finding.message == (
        "model `m` is monitored, and rows of `newest` are updated or deleted after they are scored"
    )
    assert str(finding.place) == "sql/models/m.sql:3:3"
    assert finding.fixes[0] == "aggregate over a window: TUMBLE, HOP, CUMULATE or SESSION"


def test_a_sink_of_new_rows_refuses_rows_that_change(tmp_path: Path, jvm_project: Project) -> None:
    del jvm_project
    plain = f"CREATE TABLE scored (id STRING, y DOUBLE) WITH ({KAFKA}, 'topic' = 'scored')"
    project = make_project(tmp_path, {**SQL, "sinks/scored": plain})
    add_model(project, "m", "linear")
    [finding] = pyflink_jobs.check(project).findings
    assert finding.message == "the query updates rows that it has written before, and `scored` accepts new rows only"
    assert str(finding.place) == "sql/jobs/groups.sql:1:1"
    assert finding.fixes[0] == "give `scored` a PRIMARY KEY and 'connector' = 'upsert-kafka'"


def test_the_planners_words_for_rows_that_change() -> None:
    """Texts of Flink 2.3, of operators that accept new rows only."""
    text = (
        "StreamPhysicalIntervalJoin doesn't support consuming update and delete changes which is produced by node "
        "ChangelogNormalize(key=[id])"
    )
    words, fixes = words_of_changes(text) or ("", ())
    assert words == "a join over a span of time accepts new rows only, and what it reads updates and deletes rows"
    assert fixes[-1] == "read the topic by a table with 'connector' = 'kafka' and a format of plain records"
    assert words_of_changes("Object 'a' not found") is None
