"""Drift in a running job: the same at any parallelism and batch size, equal to what is counted offline."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import psutil
import pyarrow.parquet as pq
import pytest
import scipy.stats

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.monitored_project import MINUTE, START, events, line, monitored_project
from tests.unit.onnx_models import model_path
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster

EDGES = ("window_start", "window_end")

Records = list[dict[str, Any]]
EVENTS = events(3000)
RUNS = {  # parallelism, rows of an Arrow batch and a bundle
    "sevens": (1, 7),
    "thousands": (4, 1000),
    "shuffled": (2, 5000),
}


def run(project: Project, cluster: MiniCluster, parallelism: int, batch: int) -> None:
    options = {
        **cluster.options,
        "parallelism.default": str(parallelism),
        "python.fn-execution.arrow.batch.size": str(batch),
        "python.fn-execution.bundle.size": str(batch),
    }
    environment = table_environment(project, options)
    assert (
        execute(project, plan_job(declare(project).job("score"), environment, Run(bounded=True)), cluster).state
        == "FINISHED"
    )


def read(broker: Broker, topic: str) -> Records:
    return [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, topic)]


def sort(records: Records) -> Records:
    return sorted(
        records, key=lambda r: [str(r.get(name)) for name in ("window_start", "window_end", "slice", "feature")]
    )


@pytest.fixture(scope="module")
def results(
    broker: Broker, cluster: MiniCluster, topic: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Records]]:
    """Run the job in each way; return what is in each topic, by run."""
    found = {}
    straight = topic("events")
    shuffled = topic("events")
    topics.create(broker.bootstrap_servers, {straight: 3, shuffled: 2})
    send_records(broker.bootstrap_servers, straight, map(line, EVENTS))
    windows = np.array([event["ms"] // MINUTE for event in EVENTS])
    within = np.lexsort((np.random.default_rng(3).random(len(EVENTS)), windows))
    send_records(broker.bootstrap_servers, shuffled, (line(EVENTS[i]) for i in within))
    for name, (parallelism, batch) in RUNS.items():
        names = {kind: topic(kind) for kind in ("scored", "drift", "alerts")}
        names["events"] = shuffled if name == "shuffled" else straight
        folder = tmp_path_factory.mktemp(name)
        project = monitored_project(folder, broker.bootstrap_servers, names)
        run(project, cluster, parallelism, batch)
        found[name] = {kind: read(broker, names[kind]) for kind in ("scored", "drift", "alerts")}
    return found


def test_results_are_the_same_at_any_parallelism_batch_size_and_order(results: dict[str, dict[str, Records]]) -> None:
    first = sort(results["sevens"]["drift"])
    assert len(first) > 30 * 4 * 4
    for name in RUNS:
        assert sort(results[name]["drift"]) == first, name
        assert sort(results[name]["alerts"]) == sort(results["sevens"]["alerts"]), name


def test_a_monitor_does_not_change_a_score(results: dict[str, dict[str, Records]]) -> None:
    columns = {name: np.array([np.nan if e[name] is None else e[name] for e in EVENTS], np.float32) for name in "xyz"}
    directly = zip((event["id"] for event in EVENTS), scores(columns).tolist(), strict=True)
    unmonitored = sorted((number, score) for number, score in directly if not np.isnan(score))
    assert len(unmonitored) > 2800
    for name in RUNS:
        found = sorted((row["id"], row["score"]) for row in results[name]["scored"] if row["score"] is not None)
        assert found == unmonitored, name


def test_each_window_is_what_is_counted_offline(
    results: dict[str, dict[str, Records]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    reference = pq.read_table(next(tmp_path_factory.getbasetemp().glob("sevens*")) / "rows.parquet")
    labels = {None: "(null)", "rare": "(rest)"}
    then_places = np.array([labels.get(p, p) for p in reference["place"].to_pylist()])
    then = {name: reference[name].to_numpy() for name in "xyz"}
    then["score"] = scores(then)
    now = {name: np.array([np.nan if e[name] is None else e[name] for e in EVENTS], np.float32) for name in "xyz"}
    now["score"] = scores(now)
    places = np.array([labels.get(event["place"], event["place"]) for event in EVENTS])
    ms = np.array([event["ms"] for event in EVENTS])
    tested = 0
    for record in results["sevens"]["drift"]:
        start, end = (
            np.datetime64(record[edge].rstrip("Z"), "ms").astype(int) for edge in ("window_start", "window_end")
        )
        rows = (places == record["slice"]) & (ms >= start) & (ms < end)
        sample = now[record["feature"]][rows]
        values = sample[~np.isnan(sample)]
        assert (record["n"], record["nulls"], record["late"]) == (len(values), np.isnan(sample).sum(), 0)
        if record["d_lo"] is not None:
            others = then[record["feature"]][then_places == record["slice"]]
            exact = scipy.stats.ks_2samp(others, values).statistic
            assert record["d_lo"] - 1e-9 <= exact <= record["d_hi"] + 1e-9
            tested += 1
    assert tested > 400


def scores(columns: dict[str, Any]) -> Any:  # noqa: ANN401 - an array
    matrix = np.stack([columns[name] for name in "xyz"], axis=1).astype(np.float32)
    return onnxruntime.InferenceSession(model_path("linear")).run(None, {"X": matrix})[0][:, 0]


def test_the_shift_opens_an_alarm_and_nothing_else_does(results: dict[str, dict[str, Records]]) -> None:
    alerts = results["sevens"]["alerts"]
    assert {(a["feature"], a["event"]) for a in alerts} <= {("x", "opens"), ("score", "opens")}
    assert ("a", "x") in {(a["slice"], a["feature"]) for a in alerts}
    assert "has drifted since 2023-11-15 00:20 UTC" in next(a["message"] for a in alerts if a["slice"] == "a")


def test_late_rows_are_counted_or_added_and_invalid_times_break_nothing(
    broker: Broker, cluster: MiniCluster, topic: Callable[[str], str], tmp_path: Path
) -> None:
    """Row by row in one partition, so that the watermark is where the row before has put it."""
    names = {kind: topic(kind) for kind in ("events", "scored", "drift", "alerts")}
    more = ", 'monitor.allowed-lateness' = '2 MINUTES', 'monitor.columns' = 'x'"
    project = monitored_project(tmp_path, broker.bootstrap_servers, names, more=more)
    minutes = [0.1, 0.5, 1.5, 0.6, 2.5, 4.5, 0.7, 0.8, 5.5]  # the fourth is late, within two minutes; two are lost
    rows = [{**EVENTS[1], "id": i, "place": "a", "ms": START + round(at * MINUTE)} for i, at in enumerate(minutes)]
    for at, invalid in ((3, 253_402_300_799_000), (5, 0)):
        rows.insert(at, {**EVENTS[1], "id": 100 + at, "place": "a", "ms": invalid})
    topics.create(broker.bootstrap_servers, {names["events"]: 1})
    send_records(broker.bootstrap_servers, names["events"], map(line, rows))
    run(project, cluster, 1, 1)
    assert sorted(row["id"] for row in read(broker, names["scored"])) == sorted(row["id"] for row in rows)
    drift = read(broker, names["drift"])
    minute = "2023-11-15 00:0{}:00Z".format
    single = [r for r in drift if r["window_end"] <= minute(int(r["window_start"][15]) + 1)]
    # The late row may overtake the result of its window; the newest result is the one that counts.
    newest = {
        r["window_start"]: (r["n"], r["late"]) for r in sorted(single, key=lambda r: r["n"]) if r["feature"] == "x"
    }
    assert newest == {minute(0): (3, 1), **{minute(at): (1, 0) for at in (1, 2, 4, 5)}}
    lost = [(r["window_start"], r["n"]) for r in single if r["feature"] == "(late)"]
    assert lost == [(minute(0), 1)] * 2


def test_a_restart_from_a_checkpoint_in_the_midst_of_a_window_changes_nothing(
    results: dict[str, dict[str, Records]],
    broker: Broker,
    cluster: MiniCluster,
    topic: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """The Python workers are killed; Flink restarts the job, and writes again what it wrote since the checkpoint."""
    names = {kind: topic(kind) for kind in ("events", "scored", "drift", "alerts")}
    project = monitored_project(tmp_path, broker.bootstrap_servers, names)
    topics.create(broker.bootstrap_servers, dict.fromkeys(names.values(), 2))
    half = len(EVENTS) // 2
    assert EVENTS[half - 1]["ms"] // MINUTE == EVENTS[half]["ms"] // MINUTE
    send_records(broker.bootstrap_servers, names["events"], map(line, EVENTS[:half]))
    options = {
        **cluster.options,
        "parallelism.default": "2",
        "execution.checkpointing.interval": "300 ms",
        "execution.checkpointing.dir": (tmp_path / "checkpoints").as_uri(),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.delay": "100 ms",
    }
    client = plan_job(declare(project).job("score"), table_environment(project, options)).statements.execute()
    job = client.get_job_client()
    assert job is not None
    url = f"{cluster.url}/jobs/{job.get_job_id()}"
    wait_until(lambda: len(read(broker, names["scored"])) >= half)
    before = get(f"{url}/checkpoints")["counts"]["completed"]
    wait_until(lambda: get(f"{url}/checkpoints")["counts"]["completed"] > before + 1)
    for process in workers():
        process.kill()
    # Two hours later, in each partition, the watermark passes the end of all windows.
    after = [{**EVENTS[0], "id": -i, "ms": START + 120 * MINUTE} for i in range(1, 9)]
    send_records(broker.bootstrap_servers, names["events"], map(line, EVENTS[half:] + after))
    whole = within_half_an_hour(results["sevens"]["drift"])
    wait_until(lambda: len(within_half_an_hour(read(broker, names["drift"]))) >= len(whole))
    # Flink's answers are up to three seconds old.
    wait_until(lambda: get(f"{url}/checkpoints")["counts"]["restored"] >= 1)
    assert "HashMap" in get(f"{url}/checkpoints/config")["state_backend"]
    job.cancel().result()
    assert within_half_an_hour(read(broker, names["drift"])) == whole
    assert {row["id"] for row in read(broker, names["scored"])} >= {event["id"] for event in EVENTS}


def workers() -> list[psutil.Process]:
    """Return the Python workers of this process's jobs: forks of the template process."""
    [template] = [p for p in psutil.Process().children() if "worker_template" in " ".join(p.cmdline())]
    found = template.children()
    assert found
    return found


def within_half_an_hour(records: Records) -> Records:
    """Return the results of the events' half hour, each once, in order."""
    unique = {json.dumps(record): record for record in records if record["window_end"] <= "2023-11-15 00:30:00Z"}
    return sort([*unique.values()])


def get(url: str) -> Any:  # noqa: ANN401 - JSON
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own cluster's address
        return json.load(answer)
