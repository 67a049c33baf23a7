"""A row that comes when its source was idle and others have gone on is late: it has not a later version's features."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from kafka import KafkaProducer

from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
NOON = int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000
IDLE = ", 'scan.watermark.idle-timeout' = '2 s', 'scan.watermark.emit.strategy' = 'on-event'"


def make(folder: Path, kafka: str, names: dict[str, str]) -> Project:
    """Make a project that scores orders with the rate that was in force at their time."""
    source = f"WITH ({KAFKA}, 'scan.startup.mode' = 'earliest-offset'{IDLE}, 'topic' = "
    project = make_project(
        folder,
        {
            "sources/orders": "CREATE TABLE orders (id BIGINT, ms BIGINT, currency STRING, "
            "order_partition INT METADATA FROM 'partition' VIRTUAL, "
            "order_offset BIGINT METADATA FROM 'offset' VIRTUAL, "
            f"ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts) {source}'{names['orders']}')",
            "sources/rates": "CREATE TABLE rates (currency STRING, ms BIGINT, rate FLOAT, "
            "since AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR since AS since, "
            "PRIMARY KEY (currency) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'key.format' = 'raw', "
            f"'value.format' = 'json', 'topic' = '{names['rates']}', "
            "'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}'" + IDLE + ")",
            "features/rated": "CREATE VIEW rated AS SELECT o.id, o.order_partition, o.order_offset, o.ts, "
            "r.rate AS a, CAST(1 AS FLOAT) AS b, CAST(2 AS FLOAT) AS c "
            "FROM orders AS o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency",
            "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
            "sinks/scored": "CREATE TABLE scored (id BIGINT, order_partition INT, order_offset BIGINT, y DOUBLE) "
            f"WITH ({KAFKA}, 'topic' = '{names['scored']}')",
            "sinks/quarantine": "CREATE TABLE quarantine (source STRING, reason STRING, detail STRING, topic STRING, "
            f"`partition` INT, `offset` BIGINT) WITH ({KAFKA}, 'topic' = '{names['quarantine']}')",
            "jobs/score": "INSERT INTO scored SELECT id, order_partition, order_offset, y "
            "FROM ML_PREDICT(TABLE rated, MODEL m, DESCRIPTOR(a, b, c))",
        },
        settings=f"kafka = '{kafka}'",
    )
    add_model(project, "m", "linear")
    return project


def read(kafka: str, topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in topics.read(kafka, topic)]


def score(rate: float) -> float:
    session = onnxruntime.InferenceSession(model_path("linear"))
    return float(session.run(None, {"X": np.array([[rate, 1, 2]], np.float32)})[0][0, 0])


def test_an_order_after_idleness_is_late_or_has_the_rate_of_its_time(
    kafka: str, cluster: MiniCluster, topic: Callable[[str], str], tmp_path: Path
) -> None:
    names = {name: topic(name) for name in ("orders", "rates", "scored", "quarantine")}
    topics.create(kafka, dict.fromkeys(names.values(), 1))
    project = make(tmp_path, kafka, names)
    environment = table_environment(project, {**cluster.options, "parallelism.default": "2"})
    planned = plan_job(declare(project).job("score"), environment, Run())
    stop, sent = Event(), []

    def follow() -> None:
        with KafkaProducer(bootstrap_servers=kafka) as producer:

            def order(number: int, minutes: float) -> None:
                row = {"id": number, "ms": NOON + round(minutes * MINUTE), "currency": "EUR"}
                producer.send(names["orders"], json.dumps(row).encode()).get()

            def rate(minutes: float, value: float) -> None:
                row = {"currency": "EUR", "ms": NOON + round(minutes * MINUTE), "rate": value}
                producer.send(names["rates"], json.dumps(row).encode(), b"EUR").get()

            try:
                rate(0, 1.5)
                order(1, 1)
                rate(10, 2.5)
                order(2, 11)
                rate(20, 3.5)  # orders are idle from here on, and time goes on by the rates alone
                wait_until(lambda: len(read(kafka, names["scored"])) == 2)
                order(3, 15)
                order(4, 30)
                rate(40, 4.5)
                wait_until(lambda: len(read(kafka, names["scored"])) + len(read(kafka, names["quarantine"])) == 4)
                sent.append("all")
            finally:
                stop.set()

    thread = Thread(target=follow)
    thread.start()
    execute(project, planned, cluster, stop=stop)
    thread.join()
    assert sent == ["all"]
    found = {row["id"]: row["y"] for row in read(kafka, names["scored"])}
    assert found == {
        1: score(1.5),
        2: score(2.5),
        4: score(3.5),
    }
    [late] = read(kafka, names["quarantine"])
    assert (late["source"], late["reason"], late["partition"], late["offset"]) == ("orders", "late", 0, 2)
    assert late["detail"] == "ts is 2024-05-01 12:15:00.000, the watermark of the job 2024-05-01 12:20:00.000"
