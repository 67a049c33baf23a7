"""Rows that a model refuses, at each place of a batch: they are in quarantine, their neighbours are scored."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
SQL = {
    "sources/events": "CREATE TABLE events (a FLOAT, b FLOAT, c FLOAT, o BIGINT METADATA FROM 'offset' VIRTUAL,"
    " p INT METADATA FROM 'partition' VIRTUAL) "
    f"WITH ({KAFKA}, 'topic' = '@events', 'scan.startup.mode' = 'earliest-offset')",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
    "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
    "sinks/scored": f"CREATE TABLE scored (o BIGINT, y DOUBLE) WITH ({KAFKA}, 'topic' = '@scored')",
    "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, detail STRING, `offset` BIGINT) "
    f"WITH ({KAFKA}, 'topic' = '@quarantine')",
    "jobs/score": "INSERT INTO scored SELECT o, y FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c))",
}
BATCH = 3
POISON = [poison for batch in product((False, True), repeat=BATCH) for poison in batch]  # each set of places once


def test_rows_of_every_set_of_places_in_a_batch(
    broker: Broker, cluster: MiniCluster, topic: Callable[[str], str], tmp_path: Path
) -> None:
    names = {kind: topic(kind) for kind in ("events", "scored", "quarantine")}
    sql = dict(SQL)
    for kind, name in names.items():
        sql = {file: text.replace(f"@{kind}", name) for file, text in sql.items()}
    project = make_project(tmp_path, sql, settings=f"kafka = '{broker.bootstrap_servers}'")
    add_model(project, "m", "linear")
    rows = [{"a": n, "b": None if poison else n / 2, "c": 1 - n} for n, poison in enumerate(POISON)]
    topics.create(broker.bootstrap_servers, {names["events"]: 1})
    send_records(broker.bootstrap_servers, names["events"], (json.dumps(row).encode() for row in rows))
    options = {
        **cluster.options,
        "parallelism.default": "1",
        "python.fn-execution.arrow.batch.size": str(BATCH),
        "python.fn-execution.bundle.size": str(BATCH),
        "python.fn-execution.bundle.time": "600000",
    }
    planned = plan_job(declare(project).job("score"), table_environment(project, options), Run(bounded=True))
    assert execute(project, planned, cluster).state == "FINISHED"

    scored, refused = (
        [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, names[kind])]
        for kind in ("scored", "quarantine")
    )
    matrix = np.array([[row["a"], row["b"] or 0, row["c"]] for row in rows], np.float32)
    (expected,) = onnxruntime.InferenceSession(model_path("linear")).run(None, {"X": matrix})
    wanted = {n: None if poison else float(expected[n, 0]) for n, poison in enumerate(POISON)}
    assert len(scored) == len(POISON)
    assert {row["o"]: row["y"] for row in scored} == wanted
    assert sorted(row["offset"] for row in refused) == [n for n, poison in enumerate(POISON) if poison]
    assert {(row["reason"], row["detail"]) for row in refused} == {("refused by model", "input `b` is NULL or NaN")}
