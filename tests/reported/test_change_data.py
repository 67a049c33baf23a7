"""Changes of a database (CDC) are scored: the sink ends with the scores of the rows that the database ends with."""

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
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.monitored_project import monitored_project
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

    Row = dict[str, Any]

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}'"
UPSERT = "'connector' = 'upsert-kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}'"
FORMATS = ("debezium-json", "canal-json", "maxwell-json")


def row(name: str, a: float, b: float | None, c: float) -> Row:
    return {"id": name, "a": a, "b": b, "c": c}


CHANGES: list[tuple[Row | None, Row | None]] = [
    (None, row("p", 1, 2, 3)),
    (None, row("q", 4, 5, 6)),
    (row("p", 1, 2, 3), row("p", 2, 2, 2)),
    (None, row("r", 1, None, 1)),
    (row("q", 4, 5, 6), None),
    (row("r", 1, None, 1), row("r", 7, 8, 9)),
    (row("p", 2, 2, 2), row("p", 2, 3, 2)),
    (None, row("s", 0.5, 0, -1)),
    (None, row("t", 1, None, 2)),
]
"""What a row was, and what it is: None before an insert and after a delete."""
LATEST = {"p": (2, 3, 2), "r": (7, 8, 9), "s": (0.5, 0, -1)}
"""By hand. Of t the model refuses the only version, since b is NULL; of r the first."""


def debezium(before: Row | None, after: Row | None) -> Row:
    return {"before": before, "after": after, "op": "u" if before and after else "c" if after else "d"}


def canal(before: Row | None, after: Row | None) -> Row:
    kind = "UPDATE" if before and after else "INSERT" if after else "DELETE"
    old = [changed(before, after)] if before and after else None
    return {"data": [after or before], "old": old, "type": kind, "database": "shop", "table": "customers"}


def maxwell(before: Row | None, after: Row | None) -> Row:
    kind = "update" if before and after else "insert" if after else "delete"
    old = {"old": changed(before, after)} if before and after else {}
    return {"data": after or before, "type": kind, "database": "shop", "table": "customers", **old}


def changed(before: Row, after: Row) -> Row:
    """Return the old values of the columns that are others now: Canal and Maxwell send no more."""
    return {name: value for name, value in before.items() if value != after[name]}


WRITERS = dict(zip(FORMATS, (debezium, canal, maxwell), strict=True))


def project_of(folder: Path, kafka: str, form: str, names: dict[str, str]) -> Project:
    columns = "id STRING, a FLOAT, b FLOAT, c FLOAT, PRIMARY KEY (id) NOT ENFORCED"
    sql = {
        "sources/customers": f"CREATE TABLE customers ({columns}) WITH ({KAFKA}, 'topic' = '{names['customers']}',"
        f" 'scan.startup.mode' = 'earliest-offset', 'format' = '{form}')",
        "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
        "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
        "sinks/rated": "CREATE TABLE rated (id STRING, y DOUBLE, PRIMARY KEY (id) NOT ENFORCED)"
        f" WITH ({UPSERT}, 'topic' = '{names['rated']}', 'key.format' = 'json', 'value.format' = 'json')",
        "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, `columns` STRING) "
        f"WITH ({KAFKA}, 'topic' = '{names['quarantine']}', 'format' = 'json')",
        "jobs/rate": "INSERT INTO rated SELECT id, y FROM ML_PREDICT(TABLE customers, MODEL m, DESCRIPTOR(a, b, c))",
    }
    project = make_project(folder, sql, settings=f"kafka = '{kafka}'")
    add_model(project, "m", "linear")
    return project


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_the_sink_is_the_table_that_results(
    form: str, tmp_path: Path, kafka: str, cluster: MiniCluster, topic: Callable[[str], str]
) -> None:
    names = {name: topic(name) for name in ("customers", "rated", "quarantine")}
    topics.create(kafka, dict.fromkeys(names.values(), 1))
    project = project_of(tmp_path, kafka, form, names)
    with KafkaProducer(bootstrap_servers=kafka) as producer:
        for before, after in CHANGES:
            producer.send(names["customers"], json.dumps(WRITERS[form](before, after)).encode())
    environment = table_environment(project, {**cluster.options, "parallelism.default": "1"})
    planned = plan_job(declare(project).job("rate"), environment, Run(bounded=True))
    assert execute(project, planned, cluster).state == "FINISHED"

    found: dict[str, float | None] = {}
    for record in topics.read(kafka, names["rated"]):
        name = json.loads(record.key or b"")["id"]
        found.pop(name, None)
        if record.value is not None:
            found[name] = json.loads(record.value)["y"]
    rows = np.array([*LATEST.values()], np.float32)
    (scores,) = onnxruntime.InferenceSession(model_path("linear")).run(None, {"X": rows})
    assert found == {**dict(zip(LATEST, map(float, scores[:, 0]), strict=True)), "t": None}
    refused = [json.loads(record.value or b"") for record in topics.read(kafka, names["quarantine"])]
    assert {refusal["reason"] for refusal in refused} == {"refused by model"}
    assert sorted(json.loads(refusal["columns"])["id"] for refusal in refused) == ["r", "t"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_monitor_refuses_changes_of_a_database(form: str, tmp_path: Path, jvm_project: Project) -> None:
    del jvm_project
    kinds = {kind: kind for kind in ("events", "scored", "drift", "alerts")}
    project = monitored_project(tmp_path, "localhost:1", kinds)
    source = project.sql / "sources" / "events.sql"
    source.write_text(source.read_text().replace("'format' = 'json'", f"'format' = '{form}'"))
    [finding] = pyflink_jobs.check(project).findings
    assert finding.message == (
        "model `m` is monitored, and rows of `events` are updated or deleted after they are scored"
    )
    assert str(finding.place) == "sql/models/m.sql:3:3"
    assert "read the topic by a table with 'connector' = 'kafka' and a format of plain records" in finding.fixes
