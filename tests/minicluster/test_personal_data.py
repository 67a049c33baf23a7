"""Personal data: hashes are HMAC-SHA-256, and no sink and no quarantine has the values."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
KEY = "a key of this test alone"
NAMES = ["Ada Lovelace", "J\u00f6rg", "Kim", "", None]


def test_values_reach_no_topic(
    tmp_path: Path,
    broker: Broker,
    cluster: MiniCluster,
    topic: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MILLSTREAM_PII_KEY", KEY)
    names = {name: topic(name) for name in ("people", "scored", "quarantine")}
    topics.create(broker.bootstrap_servers, {names["people"]: 1})
    valid = [{"id": i, "name": n, "card": f"4000-00{i}", "age": 40 + i, "a": 1.0} for i, n in enumerate(NAMES)]
    bad = [
        {**valid[0], "card": "5000-001"},
        {**valid[0], "age": 999},
        {**valid[0], "a": "Ada Lovelace"},
        {**valid[0], "a": None},  # which the model refuses
    ]
    send_records(broker.bootstrap_servers, names["people"], (json.dumps(row).encode() for row in valid + bad))
    project = make_project(tmp_path, pipeline(names), settings=f"kafka = '{broker.bootstrap_servers}'")
    add_model(project, "m", "linear")
    environment = table_environment(project, {**cluster.options, "parallelism.default": "1"})
    planned = plan_job(declare(project).job("score"), environment, Run(bounded=True))
    assert KEY not in planned.statements.explain()
    assert execute(project, planned, cluster).state == "FINISHED"
    scored = [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, names["scored"])]
    assert [(row["name"], row["card"]) for row in scored][: len(NAMES)] == [
        (None if name is None else hmac.digest(KEY.encode(), name.encode(), "sha256").hex(), f"***0{i}")
        for i, name in enumerate(NAMES)
    ]
    quarantined = [r.value or b"" for r in topics.read(broker.bootstrap_servers, names["quarantine"])]
    found = {json.loads(value)["reason"]: json.loads(value) for value in quarantined}
    assert [json.loads(value)["reason"] for value in quarantined].count("contract") == 2
    assert found.keys() == {"contract", "undecodable", "refused by model"}
    assert found["undecodable"]["detail"].startswith("cannot be decoded, and may have personal data at byte ")
    for secret in (b"Ada", b"Lovelace", b"5000-001", b"4000-00", b"999"):
        assert not any(secret in value for value in quarantined), secret


def pipeline(names: dict[str, str]) -> dict[str, str]:
    """Return the SQL of a project that scores people."""
    return {
        "sources/people": "CREATE TABLE people (id INT, name STRING COMMENT 'pii hash', "
        "card STRING COMMENT 'pii mask; pattern 4.*', age INT COMMENT 'pii drop; range 0..120', a FLOAT) "
        f"WITH ({KAFKA}, 'topic' = '{names['people']}', 'scan.startup.mode' = 'earliest-offset')",
        "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
        "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
        "sinks/scored": "CREATE TABLE scored (id INT, name STRING, card STRING, y DOUBLE) "
        f"WITH ({KAFKA}, 'topic' = '{names['scored']}')",
        "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, detail STRING, record BYTES, `columns` STRING) "
        f"WITH ({KAFKA}, 'topic' = '{names['quarantine']}')",
        "jobs/score": "INSERT INTO scored SELECT id, name, card, y FROM ML_PREDICT("
        "TABLE (SELECT id, name, card, a, a AS b, a AS c FROM people), MODEL m, DESCRIPTOR(a, b, c))",
    }
