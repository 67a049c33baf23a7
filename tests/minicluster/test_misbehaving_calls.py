"""Model calls that hang, give NaN or the wrong shape, or ask for too much memory, and a worker that grows: in jobs."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from pyflink.java_gateway import get_gateway

from pyflink_jobs.errors import JobError
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.interpreter import EXECUTION_MODE
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path
from tests.waiting import wait_until
from udfs.flink import scoring as flink

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table.udf import UserDefinedScalarFunctionWrapper

    from pyflink_jobs.local.broker import Broker
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster
    from udfs.scoring.model import ModelSpec
    from udfs.scoring.rider import Rider

KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
ONCE = "'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix'"
BATCH = 7
WORDS = {
    "hang": "the model did not answer within 1 s",
    "shape": "output `y` has shape [4, 4] for 16 rows; one value per row is wanted for `y`",
    "memory": "the model asked for 4,000,000,000 bytes at once, and all its calls together may hold 1,073,741,824: "
    "half of worker_memory",
    "nan": "output `y` is NaN",
}
POISON: dict[str, dict[str, float]] = {
    "hang": {"steps": 1e15},
    "shape": {"columns": 3},
    "memory": {"counts": 1e9},
    "nan": {"x": -1},
}
PLACES = {0: "hang", 6: "nan", 8: "shape", 9: "memory", 13: "hang", 21: "nan", 22: "hang", 23: "memory", 24: "shape"}
PLACES |= dict.fromkeys(range(4 * BATCH, 5 * BATCH), "nan")  # all of a batch


def project_of(
    folder: Path, bootstrap: str, names: dict[str, str], onnx: str, inputs: str, options: str = "", settings: str = ""
) -> Project:
    columns = ", ".join(name.split()[0] for name in inputs.split(", "))
    project = make_project(
        folder,
        {
            "sources/events": f"CREATE TABLE events ({inputs}, o BIGINT METADATA FROM 'offset' VIRTUAL, "
            "p INT METADATA FROM 'partition' VIRTUAL) "
            f"WITH ({KAFKA}, 'topic' = '{names['events']}', 'scan.startup.mode' = 'earliest-offset', "
            "'quarantine' = 'off')",
            "models/m": f"CREATE MODEL m INPUT ({inputs}) OUTPUT (y FLOAT) WITH ('provider' = 'onnx'{options})",
            "sinks/scored": "CREATE TABLE scored (o BIGINT, y FLOAT) "
            f"WITH ({KAFKA}, 'topic' = '{names['scored']}', {ONCE} = '{names['scored']}')",
            "sinks/quarantine": "CREATE TABLE quarantine (reason STRING, detail STRING, `offset` BIGINT) "
            f"WITH ({KAFKA}, 'topic' = '{names['quarantine']}', {ONCE} = '{names['quarantine']}')",
            "jobs/score": "INSERT INTO scored SELECT o, y "
            f"FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR({columns}))",
        },
        f"kafka = '{bootstrap}'\n{settings}",
    )
    add_model(project, "m", onnx)
    return project


def options_of(cluster: MiniCluster, **more: str) -> dict[str, str]:
    return {
        **cluster.options,
        "parallelism.default": "1",
        "python.fn-execution.arrow.batch.size": str(BATCH),
        "python.fn-execution.bundle.size": str(BATCH),
        "python.fn-execution.bundle.time": "600000",
        **more,
    }


def read(broker: Broker, topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in topics.read(broker.bootstrap_servers, topic)]


def send(broker: Broker, topic: str, rows: list[dict[str, Any]]) -> None:
    topics.create(broker.bootstrap_servers, {topic: 1})
    send_records(broker.bootstrap_servers, topic, (json.dumps(row).encode() for row in rows))


def three(topic: Callable[[str], str]) -> dict[str, str]:
    return {kind: topic(kind) for kind in ("events", "scored", "quarantine")}


@pytest.mark.parametrize("mode", ["process", "thread"])
def test_each_kind_of_bad_row_is_refused_with_its_reason_and_its_neighbours_are_scored(
    mode: str, broker: Broker, cluster: MiniCluster, topic: Callable[[str], str], tmp_path: Path
) -> None:
    names = three(topic)
    inputs = "steps FLOAT, columns FLOAT, counts FLOAT, x FLOAT"
    # Its loop asks how long the slowest row takes, so a NaN would change its neighbours: NULL is refused.
    limit = ", 'time-limit' = '1 s', 'null-inputs' = 'refuse'"
    project = project_of(tmp_path, broker.bootstrap_servers, names, "misbehaving", inputs, limit)
    healthy: list[dict[str, float]] = [
        {"steps": n % 5, "columns": 0, "counts": n % 3, "x": n / 7} for n in range(5 * BATCH)
    ]
    rows = [{**row, **POISON.get(PLACES.get(n, ""), {})} for n, row in enumerate(healthy)]
    send(broker, names["events"], rows)
    options = options_of(cluster) | {EXECUTION_MODE: mode}
    planned = plan_job(declare(project).job("score"), table_environment(project, options), Run(bounded=True))
    assert execute(project, planned, cluster).state == "FINISHED"  # without checkpoints, Flink restarts nothing

    matrix = np.array([list(row.values()) for row in healthy], np.float32)
    [expected] = onnxruntime.InferenceSession(model_path("misbehaving")).run(None, {"X": matrix})
    wanted = {n: None if n in PLACES else expected[n, 0] for n in range(len(rows))}
    scored = read(broker, names["scored"])
    assert len(scored) == len(rows)
    assert {row["o"]: None if row["y"] is None else np.float32(row["y"]) for row in scored} == wanted
    refused = sorted((row["offset"], row["reason"], row["detail"]) for row in read(broker, names["quarantine"]))
    assert refused == [(n, "refused by model", WORDS[kind]) for n, kind in sorted(PLACES.items())]


def leaking_function(marks: Path) -> Callable[..., UserDefinedScalarFunctionWrapper]:
    """Return what makes a scoring function whose first worker grows with each batch; each writes its process id."""

    def scoring_function(
        spec: ModelSpec, riders: tuple[Rider, ...] = (), *, pandas: bool = True
    ) -> UserDefinedScalarFunctionWrapper:
        class Leaking(flink._Score):  # noqa: SLF001 - as a local class it travels to the worker
            def open(self, function_context: Any) -> None:  # noqa: ANN401 - Flink's
                super().open(function_context)
                self.first = not list(marks.iterdir())
                self.held: list[bytes] = []
                (marks / str(os.getpid())).touch()

            def eval(self, *arguments: Any) -> Any:  # noqa: ANN401 - as the function it stands for
                if self.first:
                    self.held.append(b"\1" * 50_000_000)
                return super().eval(*arguments)

        from pyflink.table.udf import udf

        kind = flink.result_type(spec, riders)
        return udf(Leaking(spec, riders, pandas=pandas), result_type=kind, func_type="pandas", name="leaking")

    return scoring_function


def test_a_worker_that_grows_beyond_its_bound_is_replaced_and_each_row_comes_out_once(
    broker: Broker,
    cluster: MiniCluster,
    topic: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    monkeypatch.setattr(flink, "scoring_function", leaking_function(marks))
    names = three(topic)
    project = project_of(
        tmp_path,
        broker.bootstrap_servers,
        names,
        "linear",
        "a FLOAT, b FLOAT, c FLOAT",
        ", 'null-inputs' = 'refuse'",
        "worker_memory = '1 gb'",
    )
    rows = [{"a": n, "b": None if n % 9 == 4 else n / 2, "c": 1 - n} for n in range(40 * BATCH)]
    send(broker, names["events"], rows)
    topics.create(broker.bootstrap_servers, dict.fromkeys((names["scored"], names["quarantine"]), 1))
    options = options_of(cluster) | {
        "execution.checkpointing.interval": "300 ms",
        "execution.checkpointing.dir": (tmp_path / "checkpoints").as_uri(),
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.delay": "100 ms",
        "restart-strategy.fixed-delay.attempts": "3",
    }
    planned = plan_job(declare(project).job("score"), table_environment(project, options), Run(bounded=True))
    job = planned.statements.execute().get_job_client()
    assert job is not None
    url = f"{cluster.url}/jobs/{job.get_job_id()}"
    wait_until(lambda: get(url)["state"] in ("FINISHED", "FAILED", "CANCELED"))
    assert get(url)["state"] == "FINISHED"
    assert len(list(marks.iterdir())) == 2
    [entry] = get(f"{url}/exceptions")["exceptionHistory"]["entries"]
    assert "more than the 1,024 MiB it may" in entry["stacktrace"]

    matrix = np.array([[row["a"], row["b"] or 0, row["c"]] for row in rows], np.float32)
    [expected] = onnxruntime.InferenceSession(model_path("linear")).run(None, {"X": matrix})
    scored = read(broker, names["scored"])
    assert len(scored) == len(rows)
    assert {row["o"]: row["y"] if row["y"] is None else np.float32(row["y"]) for row in scored} == {
        n: None if row["b"] is None else expected[n, 0] for n, row in enumerate(rows)
    }
    refused = sorted(row["offset"] for row in read(broker, names["quarantine"]))
    assert refused == [n for n, row in enumerate(rows) if row["b"] is None]


def test_a_call_that_cannot_be_stopped_ends_the_job_rather_than_hold_it(
    broker: Broker, cluster: MiniCluster, topic: Callable[[str], str], tmp_path: Path
) -> None:
    names = three(topic)
    inputs = "width FLOAT, x FLOAT"
    project = project_of(tmp_path, broker.bootstrap_servers, names, "stubborn", inputs, ", 'time-limit' = '1 s'")
    send(broker, names["events"], [{"width": 8000 if n == 3 else 1, "x": n} for n in range(BATCH)])
    planned = plan_job(
        declare(project).job("score"), table_environment(project, options_of(cluster)), Run(bounded=True)
    )
    with pytest.raises(JobError) as ended:
        execute(project, planned, cluster)
    assert "a Python worker ended without an error" in str(ended.value)
    log = Path(get_gateway().jvm.System.getProperty("log.file")).read_text()
    assert "model m, version 1, did not answer within 1 s, and did not stop within another 2 s" in log


def get(url: str) -> Any:  # noqa: ANN401 - JSON
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own cluster's address
        return json.load(answer)
