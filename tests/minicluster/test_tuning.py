"""Delays measured at a pace of their own, and the rows that a model gets, on a real broker and cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.tuning import measure_latency
from pyflink_jobs.tuning.bench import Bench
from pyflink_jobs.tuning.model_rows import rows_of_models
from pyflink_jobs.tuning.options import current
from pyflink_jobs.tuning.sample import take_sample
from pyflink_jobs.tuning.search import Search
from pyflink_jobs.tuning.trial_runs import TrialRuns
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.running.minicluster import MiniCluster

ROWS = [{"id": i, "n": None if i % 3 == 0 else i, "a": None if i % 4 == 0 else i / 7} for i in range(300)]
CALL = "ML_PREDICT((SELECT id, n, CAST(a AS FLOAT) + 1 AS x FROM events), MODEL gather, DESCRIPTOR(n, x))"
JOBS = {
    "each": f"INSERT INTO scored SELECT id, y FROM {CALL}",
    "some": f"INSERT INTO scored SELECT id, y FROM {CALL} WHERE MOD(id, 2) = 0",
    "view": "INSERT INTO scored SELECT id, y FROM calls",
    "gone": f"INSERT INTO nowhere SELECT id, y FROM {CALL}",
}


@pytest.fixture
def trial_runs(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    broker: Broker,
    cluster: MiniCluster,
    topic: Callable[[str], str],
) -> TrialRuns:
    """Make a trial_runs for the job that a test names."""
    source = topic("events")
    kafka = f"'connector' = 'kafka', 'properties.bootstrap.servers' = '{broker.bootstrap_servers}', 'format' = 'json'"
    project = make_project(
        tmp_path,
        {
            "sources/events": "CREATE TABLE events (id BIGINT, n BIGINT, a DOUBLE) "
            f"WITH ({kafka}, 'topic' = '{source}', 'scan.startup.mode' = 'latest-offset')",
            "models/gather": "CREATE MODEL gather INPUT (i BIGINT, x FLOAT) OUTPUT (y FLOAT) "
            "WITH ('provider' = 'onnx')",
            "features/calls": f"CREATE VIEW calls AS SELECT id, y FROM {CALL}",
            "sinks/scored": f"CREATE TABLE scored (id BIGINT, y FLOAT) WITH ({kafka}, 'topic' = '{topic('scored')}')",
            "sinks/nowhere": "CREATE TABLE nowhere (id BIGINT, y FLOAT) WITH ('connector' = 'blackhole')",
            **{f"jobs/{name}": text for name, text in JOBS.items()},
        },
        settings=f"kafka = '{broker.bootstrap_servers}'",
    )
    add_model(project, "gather", "gather")
    topics.create(broker.bootstrap_servers, {source: 2})
    send_records(broker.bootstrap_servers, source, (json.dumps(row).encode() for row in ROWS))
    job = declare(project).job(getattr(request, "param", "each"))
    return TrialRuns(project, job, take_sample(job, 200), cluster)


@pytest.mark.parametrize("trial_runs", ["each", "view", "gone"], indirect=True)
def test_a_run_reads_the_sample_alone_whatever_the_source_begins_with(trial_runs: TrialRuns) -> None:
    trial = trial_runs.run({"parallelism.default": "2"})
    assert trial.records == 200
    assert trial.rate > 0
    assert trial.us > 0
    assert not trial.steady


@pytest.mark.slow
def test_a_sample_is_as_long_as_the_job_is_fast(trial_runs: TrialRuns) -> None:
    first, more = trial_runs.sample, 300_000
    send_records(first.bootstrap, first.topic, (json.dumps(row).encode() for row in ROWS * (more // len(ROWS))))
    trial_runs.sample = take_sample(trial_runs.job, more)
    bench = Bench(trial_runs, Search(current(trial_runs.project)), lambda *_: None, sized=False)
    trial = bench.warm_up(0.5)
    assert 0 < trial.records < more, "it was not cancelled"
    assert bench.sample.records == pytest.approx(trial.rate / 2, abs=2)
    assert trial_runs.run({}).records == bench.sample.records


def test_the_models_rows_are_those_that_sql_gives_it(trial_runs: TrialRuns) -> None:
    with trial_runs.planned({}, trial_runs.sample.reads) as planned:
        [(spec, (n, x))] = rows_of_models(planned)
    assert spec.name == "gather"
    offsets = trial_runs.sample.offsets
    read = topics.read_between(trial_runs.sample.bootstrap, trial_runs.sample.topic, offsets)
    rows = [json.loads(record.value or b"") for record in read]
    expected = [(row["n"], None if row["a"] is None else float(np.float32(row["a"]) + np.float32(1))) for row in rows]
    assert isinstance(n, np.ma.MaskedArray)
    columns = zip(n.data, n.mask, x, strict=True)
    found = [(None if null else int(i), None if np.isnan(y) else float(y)) for i, null, y in columns]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


@pytest.mark.parametrize(
    ("trial_runs", "mode"),
    [
        ("each", "process"),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in (("each", "thread"), ("some", "process"))),
        ("gone", "process"),
    ],
    indirect=["trial_runs"],
)
def test_delays_are_measured_where_each_record_has_a_row(
    trial_runs: TrialRuns, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure_latency, "_SECONDS", 3.0)
    monkeypatch.setattr(measure_latency, "_STRAGGLERS", 3.0)
    options = {"python.fn-execution.bundle.time": "10", "python.execution-mode": mode}
    found = measure_latency.measure(trial_runs, options, rate=100)
    if trial_runs.job.name == "each":
        assert found is not None
        assert found.records == 150
        assert 0 < found.p50 <= found.p99
    else:
        assert found is None
