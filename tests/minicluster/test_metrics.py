"""A job's metrics as Prometheus scrapes them, against what was sent; and what alerts and dashboard ask for is there."""

from __future__ import annotations

import json
import re
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pyflink
import pytest
from kafka import KafkaProducer

from pyflink_jobs.local import topics
from pyflink_jobs.planning.compile.plan import plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from pyflink_jobs.running.jvm import prepare_jvm
from pyflink_jobs.running.minicluster import minicluster
from tests.exposition import Sample, scrape, total
from tests.monitoring import ROOT, alerts, dashboard_queries, labels_of_records, records
from tests.projects import add_model, make_project
from tests.promql import Query, read_query
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.project.settings import Project

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
SQL = {
    "sources/events": "CREATE TABLE events (a FLOAT COMMENT 'range 0..', b FLOAT, c FLOAT, ms BIGINT,"
    " ts AS TO_TIMESTAMP_LTZ(ms, 3), p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL,"
    # A watermark behind each row: what is late does not hang on the clock of this machine.
    f" WATERMARK FOR ts AS ts - INTERVAL '10' SECOND) WITH ({KAFKA}, 'topic' = '@events',"
    " 'scan.startup.mode' = 'earliest-offset', 'scan.watermark.emit.strategy' = 'on-event')",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) "
    "WITH ('provider' = 'onnx', 'null-inputs' = 'refuse')",
    "sinks/scored": f"CREATE TABLE scored (y DOUBLE, ts TIMESTAMP_LTZ(3)) WITH ({KAFKA}, 'topic' = '@scored')",
    "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, `partition` INT, `offset` BIGINT) "
    f"WITH ({KAFKA}, 'topic' = '@quarantine')",
    "jobs/score": "INSERT INTO scored SELECT y, ts FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c))",
}
PARTITIONS = 2
BATCH = 8  # rows, at most
VALID = 40  # rows in each partition
NULLS = {"a": 0, "b": 5, "c": 3}  # among them; c is NULL where b is, so five rows are refused
BAD = {"undecodable": 4, "contract": 3, "invalid event time": 2, "late": 1}  # in each partition
REFUSED = "refused by model"
QUARANTINED = {**{reason: PARTITIONS * n for reason, n in BAD.items()}, REFUSED: PARTITIONS * NULLS["b"]}
PATIENCE = 300.0  # seconds
MODEL = "flink_taskmanager_job_task_operator_millstream_model_version_"
COUNTED = "flink_taskmanager_job_task_operator_millstream_source_reason_quarantined"
OF_PROMETHEUS = {"up": {"job", "instance"}}


def values_of_a_partition(start: int) -> list[bytes]:
    """Return records whose first event time is `start`, in milliseconds since 1970; the last are late and bad."""
    row: dict[str, Any] = {"a": 1.0, "b": 2.0, "c": 3.0, "ms": start}
    rows = [
        {**row, "ms": start + n, **{name: None for name, nulls in NULLS.items() if n < nulls}} for n in range(VALID)
    ]
    bad = {
        "undecodable": b"{",
        "contract": json.dumps({**row, "a": -1.0}).encode(),
        "invalid event time": json.dumps({**row, "ms": 0}).encode(),
        "late": json.dumps({**row, "ms": start - 3_600_000}).encode(),
    }
    return [*(json.dumps(row).encode() for row in rows), *(bad[reason] for reason, n in BAD.items() for _ in range(n))]


class Scraped:
    """What was scraped when all records were through, and when they were sent."""

    def __init__(self, samples: list[Sample], sent: int, began: float) -> None:
        self.samples = samples
        self.sent = sent  # the first event time, milliseconds
        self.seconds = time.monotonic() - began

    def total(self, name: str, **labels: str) -> float | None:
        """Return the sum of a metric over the samples that have some labels."""
        return total(self.samples, name, **labels)


@pytest.fixture(scope="module")
def project(broker: Broker, topic: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("metrics")
    names = {kind: topic(kind) for kind in ("events", "scored", "quarantine")}
    sql = {file: re.sub("@([a-z]+)", lambda found: names[found[1]], text) for file, text in SQL.items()}
    settings = f"kafka = '{broker.bootstrap_servers}'\nflink_conf = 'metrics-prometheus.yaml'"
    project = make_project(folder, sql, settings)
    shutil.copy(ROOT / "flink-conf" / "metrics-prometheus.yaml", folder)
    add_model(project, "m", "linear")
    topics.create(broker.bootstrap_servers, {names["events"]: PARTITIONS, names["scored"]: 1, names["quarantine"]: 1})
    return project


@pytest.fixture(scope="module")
def scraped(project: Project, broker: Broker) -> Scraped:
    """Run the job until all records are counted and a checkpoint is complete, scrape, and cancel it."""
    declarations = declare(project)
    prepare_jvm(project)
    _put_reporter_on_class_path()
    port = _free_port()
    options = {"metrics.reporter.prom.port": str(port)}
    began, sent = time.monotonic(), round(1000 * time.time())
    with minicluster(project, PARTITIONS, options) as cluster:
        job = {
            "parallelism.default": str(PARTITIONS),
            "pipeline.name": "score",
            "python.fn-execution.arrow.batch.size": str(BATCH),
            "execution.checkpointing.interval": "1 s",
        }
        planned = plan_job(declarations.job("score"), table_environment(project, {**cluster.options, **job}))
        topic = planned.sources["events"]["topic"]
        with KafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
            for partition in range(PARTITIONS):
                for value in values_of_a_partition(sent):
                    producer.send(topic, value, partition=partition)
        stop, found = Event(), list[Sample]()

        def follow() -> None:
            def complete() -> bool:
                with suppress(OSError):  # on a busy machine it may be slow to answer
                    found[:] = scrape(f"http://localhost:{port}/metrics")
                return _complete(found, sent)

            try:
                wait_until(complete, PATIENCE)
                found[:] = scrape(f"http://localhost:{port}/metrics")  # the last one was read while it still changed
            finally:
                stop.set()

        thread = Thread(target=follow)
        thread.start()
        execute(project, planned, cluster, stop=stop)
        thread.join()
    return Scraped(found, sent, began)


def _complete(samples: list[Sample], sent: int) -> bool:
    """Say whether all is counted; a watermark reaches the sinks behind the rows, so it may be missing longest."""
    counted = [total(samples, COUNTED), total(samples, MODEL + "rows")]
    checkpoints = total(samples, "flink_jobmanager_job_numberOfCompletedCheckpoints") or 0
    rows = [sum(QUARANTINED.values()), PARTITIONS * VALID]
    return counted == rows and checkpoints > 0 and _watermarks(samples) == {_last_watermark(sent)}


def _watermarks(samples: list[Sample]) -> set[float]:
    """Return the watermarks at the sink's writers."""
    return {
        s.value
        for s in samples
        if s.name == "flink_taskmanager_job_task_operator_currentInputWatermark"
        and s.labels["operator_name"].startswith("scored[")
        and s.labels["operator_name"].endswith(": Writer")
    }


def _last_watermark(sent: int) -> int:
    return sent + VALID - 1 - 10_000  # 10 seconds behind the newest row


def _put_reporter_on_class_path() -> None:
    """Put Flink's reporter where a MiniCluster looks for it; a cluster of its own has a folder of plugins."""
    from pyflink.util.java_utils import add_jars_to_context_class_loader

    (jar,) = (Path(pyflink.__file__).parent / "plugins" / "metrics-prometheus").glob("*.jar")
    add_jars_to_context_class_loader([jar.as_uri()])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("reason", QUARANTINED)
def test_quarantined_records_are_counted_by_reason(scraped: Scraped, reason: str) -> None:
    assert scraped.total(COUNTED, job_name="score", source="events", reason=reason) == QUARANTINED[reason]


def test_rows_nulls_and_errors_of_a_model_are_those_sent(scraped: Scraped) -> None:
    labels = {"job_name": "score", "model": "m", "version": "1"}
    assert scraped.total(MODEL + "rows", **labels) == PARTITIONS * VALID
    assert scraped.total(MODEL + "errors", **labels) == QUARANTINED[REFUSED]
    nulls = {name: scraped.total(MODEL + "input_nulls", input=name, **labels) for name in NULLS}
    assert nulls == {name: PARTITIONS * n for name, n in NULLS.items()}


@pytest.mark.parametrize("name", ["batch_rows", "inference_microseconds"])
def test_histograms_are_prometheus_own(scraped: Scraped, name: str) -> None:
    found = [s for s in scraped.samples if s.name == f"{MODEL}le_{name}_bucket"]
    bounds = sorted({s.labels["le"] for s in found}, key=float)
    buckets = [scraped.total(f"{MODEL}le_{name}_bucket", le=bound) for bound in bounds]
    assert bounds[-1] == "+Inf"
    assert buckets == sorted(bucket for bucket in buckets if bucket is not None)
    assert buckets[-1] == scraped.total(f"{MODEL}{name}_count")


def test_batches_have_all_rows_and_are_as_large_as_configured(scraped: Scraped) -> None:
    batches = scraped.total(MODEL + "batch_rows_count") or 0
    assert scraped.total(MODEL + "batch_rows_sum") == PARTITIONS * VALID
    assert PARTITIONS * VALID / BATCH <= batches <= PARTITIONS * VALID
    assert scraped.total(MODEL + "le_batch_rows_bucket", le="10") == batches


def test_times_are_within_the_time_that_passed(scraped: Scraped) -> None:
    limit = 1e6 * scraped.seconds * PARTITIONS
    for name in ("inference_microseconds_sum", "session_load_microseconds"):
        assert 0 < (scraped.total(MODEL + name) or 0) < limit


def test_watermark_and_lag_are_those_of_the_records(scraped: Scraped) -> None:
    assert _watermarks(scraped.samples) == {_last_watermark(scraped.sent)}
    assert scraped.total("flink_taskmanager_job_task_operator_pendingRecords") == 0
    read = "flink_taskmanager_job_task_operator_numRecordsOut"
    sources = [s for s in scraped.samples if s.name == read and s.labels["operator_name"].startswith("Source: ")]
    assert sum(s.value for s in sources) == PARTITIONS * (VALID + sum(BAD.values()))


def test_kafka_clients_own_metrics_are_left_out(scraped: Scraped) -> None:
    assert not any("KafkaProducer" in s.name or "KafkaConsumer" in s.name for s in scraped.samples)


QUERIES = {
    **{f"record {name}": expression for name, expression in records().items()},
    **{f"alert {name}": rule["expr"] for name, rule in alerts().items()},
    **{f"panel {name}": expression for name, expression in dashboard_queries().items()},
}


@pytest.mark.parametrize("name", QUERIES)
def test_what_a_query_asks_for_is_scraped(scraped: Scraped, name: str) -> None:
    query = read_query(QUERIES[name])
    assert query.metrics
    known: dict[str, set[str]] = {**OF_PROMETHEUS, **labels_of_records()}
    for sample in scraped.samples:
        known.setdefault(sample.name, set()).update(sample.labels)
    there = {label for metric, _ in query.metrics for label in known.get(metric, ())}
    assert [metric for metric, _ in query.metrics if metric not in known] == []
    assert query.grouped <= there | {new for new, _, _ in query.replaced}
    for metric, matchers in query.metrics:
        assert {matcher.label for matcher in matchers} <= known[metric]
        if metric not in OF_PROMETHEUS and metric not in records():
            assert _matching(scraped, query, metric), f"no sample of {metric} matches"


def _matching(scraped: Scraped, query: Query, metric: str) -> list[Sample]:
    """Return the samples that a query takes of a metric; a variable of the dashboard stands for any value."""
    found = [s for s in scraped.samples if s.name == metric]
    for matcher in (matcher for name, matchers in query.metrics if name == metric for matcher in matchers):
        if not matcher.value.startswith("$"):
            assert matcher.operator == "=~"
            found = [s for s in found if re.fullmatch(matcher.value, s.labels[matcher.label])]
    return found


@pytest.mark.parametrize("name", [name for name in QUERIES if read_query(QUERIES[name]).replaced])
def test_sources_are_named_as_their_tables(scraped: Scraped, name: str) -> None:
    query = read_query(QUERIES[name])
    ((metric, _),) = query.metrics
    for new, old, pattern in query.replaced:
        assert new == "source"
        sources = {re.fullmatch(pattern, s.labels[old]) for s in _matching(scraped, query, metric)}
        assert {found[1] for found in sources if found} == {"events"}
