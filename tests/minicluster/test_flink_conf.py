"""Each file of flink-conf/ starts a job that scores; production.yaml on a real cluster, with its memory and metrics."""

from __future__ import annotations

import json
import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.errors import JobError
from pyflink_jobs.java.build import java_classes
from pyflink_jobs.local import flink_cluster, topics
from pyflink_jobs.local.jars import jars
from pyflink_jobs.local.kafka_server import free_port
from pyflink_jobs.local.send import send_records
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.rest import Rest
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import Outcome, execute
from pyflink_jobs.running.jvm import prepare_jvm, start_jvm
from pyflink_jobs.running.minicluster import MiniCluster, minicluster
from tests.projects import add_model, make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pyflink_jobs.local.broker import Broker

ROOT = Path(__file__).parents[2]
FILES = sorted(file.name for file in (ROOT / "flink-conf").iterdir())
PRODUCTION = "production.yaml"
ELSEWHERE = {PRODUCTION, "metrics-prometheus.yaml"}  # a job runs under them below, and in test_metrics.py
ROWS = [{"id": str(i), "a": i / 7, "b": -i / 3, "c": 1.5} for i in range(200)]
MIB = 2**20
SLOW = pytest.mark.slow
WORKER = 190  # MiB, in production.yaml; one a slot
STATE = 512  # MiB a slot


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, broker: Broker, topic: Callable[[str], str]) -> Project:
    """Make a project that scores ROWS, with the file of flink-conf/ that a test names, else production.yaml."""
    name = getattr(request, "param", PRODUCTION)
    source = topic("events")
    topics.create(broker.bootstrap_servers, {source: 2})
    send_records(broker.bootstrap_servers, source, (json.dumps(row).encode() for row in ROWS))
    kafka = f"'connector' = 'kafka', 'properties.bootstrap.servers' = '{broker.bootstrap_servers}', 'format' = 'json'"
    made = make_project(
        tmp_path / "project",
        {
            "sources/events": "CREATE TABLE events (id STRING, a FLOAT, b FLOAT, c FLOAT) "
            f"WITH ({kafka}, 'topic' = '{source}', 'scan.startup.mode' = 'earliest-offset')",
            "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
            "sinks/scored": f"CREATE TABLE scored (id STRING, y DOUBLE) WITH ({kafka}, 'topic' = '{topic('scored')}')",
            "jobs/score": "INSERT INTO scored SELECT id, y FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c))",
        },
        settings=f"kafka = '{broker.bootstrap_servers}'\nflink_conf = 'flink-conf/{name}'",
    )
    add_model(made, "m", "linear")
    shutil.copytree(ROOT / "flink-conf", made.root / "flink-conf")
    return made


def run(
    project: Project,
    cluster: MiniCluster,
    options: Mapping[str, str],
    *,
    bounded: bool = True,
    stop: Event | None = None,
) -> Outcome:
    environment = table_environment(project, {**cluster.options, "parallelism.default": "1", **options})
    return execute(
        project, plan_job(declare(project).job("score"), environment, Run(bounded=bounded)), cluster, stop=stop
    )


def sink(project: Project) -> str:
    return (project.sql / "sinks" / "scored.sql").read_text().split("'topic' = '")[1].split("'")[0]


def scores(project: Project, bootstrap: str) -> dict[str, float]:
    rows = [json.loads(record.value or b"") for record in topics.read(bootstrap, sink(project))]
    return {row["id"]: row["y"] for row in rows}


def expected() -> dict[str, float]:
    session = onnxruntime.InferenceSession(model_path("linear"))
    matrix = np.array([[row["a"], row["b"], row["c"]] for row in ROWS], dtype=np.float32)
    return {str(row["id"]): float(y) for row, y in zip(ROWS, session.run(None, {"X": matrix})[0][:, 0], strict=True)}


@pytest.mark.parametrize(
    "project",
    [pytest.param(name, marks=SLOW if name.startswith("metrics") else ()) for name in FILES if name not in ELSEWHERE],
    indirect=True,
)
def test_a_job_scores_under_each_configuration(project: Project, broker: Broker) -> None:
    with minicluster(project, 1) as cluster:
        assert run(project, cluster, {}).state == "FINISHED"
    assert scores(project, broker.bootstrap_servers) == expected()


@pytest.fixture
def ports() -> tuple[int, int]:
    """Choose where the JobManager and the TaskManager of one machine show their metrics."""
    return free_port(0), free_port(0)


@pytest.fixture
def production(project: Project, ports: tuple[int, int]) -> Iterator[flink_cluster.Cluster]:
    """Start a JobManager and a TaskManager, as processes of the sizes that production.yaml gives."""
    own = {
        "execution.checkpointing.dir": (project.root / "checkpoints").as_uri(),
        "metrics.reporter.prom.port": "{},{}".format(*ports),
    }
    options = tuple({**read_configuration(project), **own}.items())
    try:
        yield flink_cluster.start(project.state, flink_cluster.Layout(taskmanagers=1, options=options), port=0)
    finally:
        flink_cluster.stop(project.state)


@pytest.mark.slow
def test_production_on_a_cluster_scores_checkpoints_and_shows_metrics(
    project: Project, production: flink_cluster.Cluster, ports: tuple[int, int], broker: Broker
) -> None:
    address, port = production.url.removeprefix("http://").split(":")
    cluster = MiniCluster(address, int(port))
    rest = Rest(production.url)
    checkpoints = project.root / "checkpoints"
    topics.create(broker.bootstrap_servers, {sink(project): 2})
    seen: dict[str, Any] = {}
    stop = Event()

    def look() -> None:
        """Set `stop` when all is scored and a checkpoint is complete, or when looking has failed."""
        try:
            while not stop.wait(0.2):
                jobs = rest.get("/jobs")["jobs"]
                if jobs and len(scores(project, broker.bootstrap_servers)) == len(ROWS):
                    job = f"/jobs/{jobs[0]['id']}/checkpoints"
                    seen["checkpoints"], seen["config"] = rest.get(job), rest.get(f"{job}/config")
                    if seen["checkpoints"]["counts"]["completed"]:
                        seen["metrics"] = "".join(Rest(f"http://{address}:{port}").text("/metrics") for port in ports)
                        return
        finally:
            stop.set()

    Thread(target=look, daemon=True).start()
    soon = {"execution.checkpointing.interval": "1 s", "execution.checkpointing.min-pause": "0 s"}
    # This process's JVM has the connector among its own jars, the cluster's have not.
    sent = ";".join(jar.as_uri() for jar in (*jars("flink-kafka"), java_classes()))
    where = {"execution.checkpointing.dir": checkpoints.as_uri(), "pipeline.jars": sent}
    outcome = run(project, cluster, {**where, **soon}, bounded=False, stop=stop)
    assert outcome.state == "CANCELED"
    assert scores(project, broker.bootstrap_servers) == expected()
    assert any(checkpoints.glob("*/chk-*/_metadata")), "a cancelled job's checkpoint stays"
    assert seen["checkpoints"]["counts"]["completed"] >= 1
    assert seen["checkpoints"]["counts"]["restored"] == 0
    config = seen["config"]
    assert (config["mode"], config["unaligned_checkpoints"]) == ("exactly_once", False)
    assert (config["state_backend"], config["checkpoint_storage"]) == (
        "HashMapStateBackend",
        "FileSystemCheckpointStorage",
    )
    assert config["externalization"] == {"enabled": True, "delete_on_cancellation": False}
    assert "flink_jobmanager_job_numberOfCompletedCheckpoints" in seen["metrics"]
    assert "flink_taskmanager_job_task_operator_numRecordsOut" in seen["metrics"]


def test_production_without_a_folder_for_checkpoints_does_not_start(project: Project) -> None:
    with minicluster(project, 1) as cluster, pytest.raises(JobError) as caught:
        run(project, cluster, {})
    assert "checkpoint" in str(caught.value).lower()


@pytest.fixture(scope="module")
def jvm(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - py4j's view of the JVM
    """Return the JVM with Flink on its class path."""
    prepare_jvm(Project(tmp_path_factory.mktemp("jvm"), Settings()))
    return start_jvm().jvm


def options_of(file: str) -> dict[str, str]:
    return read_configuration(Project(ROOT, Settings()), f"flink-conf/{file}")


def known_options(jvm: Any) -> set[str]:  # noqa: ANN401
    """Return the keys of all options that Flink's own classes declare."""
    spec = find_spec("pyflink")
    assert spec is not None
    home = Path(str(spec.origin)).parent
    loader = jvm.Thread.currentThread().getContextClassLoader()
    names = [
        name.removesuffix(".class").replace("/", ".")
        for jar in ("flink-dist", "flink-table-api-java-uber", "flink-python")
        for file in home.glob(f"*/{jar}-*.jar")
        for name in zipfile.ZipFile(file).namelist()
        if name.startswith("org/apache/flink/") and name.endswith("Options.class") and "/shaded/" not in name
    ]
    kind = "org.apache.flink.configuration.ConfigOption"
    fields = [f for name in names for f in loader.loadClass(name).getDeclaredFields()]
    public_and_static = 9
    return {
        field.get(None).key()
        for field in fields
        if field.getType().getName() == kind and field.getModifiers() & public_and_static == public_and_static
    }


def test_each_option_is_one_that_flink_knows(jvm: Any) -> None:  # noqa: ANN401
    known = known_options(jvm)
    assert len(known) > 900
    # Flink's documentation declares these for a reporter of any name.
    reporter = {"metrics.reporter.prom.factory.class", "metrics.reporter.prom.port"}
    assert "restart-strategy.typo" not in known
    for file in FILES:
        own = {key for key in options_of(file) if not (file.startswith("metrics-") and key.startswith("metrics."))}
        assert own <= known | reporter, file


def test_memory_of_production_holds_the_python_workers(jvm: Any) -> None:  # noqa: ANN401
    configuration = jvm.org.apache.flink.configuration.Configuration()
    options = options_of(PRODUCTION)
    for key, value in options.items():
        configuration.setString(key, value)
    runtime = jvm.org.apache.flink.runtime
    task_manager = runtime.clusterframework.TaskExecutorProcessUtils.processSpecFromConfig(configuration)
    slots = int(options["taskmanager.numberOfTaskSlots"])
    assert task_manager.getTotalProcessMemorySize().getBytes() == 3456 * MIB
    assert task_manager.getTaskOffHeapSize().getBytes() >= slots * WORKER * MIB
    assert task_manager.getManagedMemorySize().getBytes() > 0  # without any, Flink starts no Python worker
    assert task_manager.getTaskHeapSize().getBytes() >= (512 + slots * STATE) * MIB  # sources, sinks, network clients
    job_manager = runtime.jobmanager.JobManagerProcessUtils.processSpecFromConfig(configuration)
    assert job_manager.getTotalProcessMemorySize().getBytes() == 2048 * MIB
    assert job_manager.getJvmHeapMemorySize().getBytes() >= 1024 * MIB
