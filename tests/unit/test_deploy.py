"""What is handed to Flink's command line and to kubectl, word by word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from pyflink_jobs.cluster.deploy import deploy, flink_run, manifest
from pyflink_jobs.cluster.targets import Target
from pyflink_jobs.errors import ClusterError
from pyflink_jobs.job import main
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

OPTIONS = {
    "execution.checkpointing.dir": "s3://bucket/checkpoints",
    "execution.checkpointing.interval": "30 s",
    "high-availability.storageDir": "s3://bucket/ha",
    "high-availability.type": "kubernetes",
    "jobmanager.memory.process.size": "1600m",
    "taskmanager.memory.process.size": "4g",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_project(tmp_path, {"jobs/score": "INSERT INTO t SELECT 1"}, "kafka = 'broker:9092'\nparallelism = 3\n")
    (tmp_path / "flink.yaml").write_text("".join(f"{key}: {value}\n" for key, value in OPTIONS.items()))
    return made


def target(kind: str, **more: object) -> Target:
    return Target("production", kind, image="registry.example/flights:1", flink_conf="flink.yaml", **more)  # type: ignore[arg-type]  # a test's shorthand


def test_the_command_for_application_mode(project: Project) -> None:
    words = flink_run(project, "score_flights", target("application", options={"taskmanager.numberOfTaskSlots": "2"}))
    assert words[0].endswith("/flink")
    assert words[1:4] == ["run", "--target", "kubernetes-application"]
    given = dict(word.removeprefix("-D").split("=", 1) for word in words if word.startswith("-D"))
    assert given == {
        **OPTIONS,
        "kubernetes.cluster-id": "score-flights",
        "kubernetes.container.image.ref": "registry.example/flights:1",
        "kubernetes.namespace": "default",
        "kubernetes.service-account": "flink",
        "parallelism.default": "3",
        "taskmanager.numberOfTaskSlots": "2",
    }


def test_the_entry_point_takes_the_words_that_flink_passes_on(project: Project) -> None:
    """What follows the module is the program's; Flink would take a `--job` in the first place for its own."""
    words = flink_run(project, "score", target("application"))
    entry = words.index("-pym")
    assert words[entry + 1] == "pyflink_jobs.job"
    assert words[entry + 2] == "--project"
    context = main.make_context("job", words[entry + 2 :])
    assert context.params["job"] == "score"


def test_the_manifest_names_the_job_the_broker_and_the_options(project: Project) -> None:
    deployment = YAML(typ="safe").load(manifest(project, "score", target("kubernetes", parallelism=8)))
    spec = deployment["spec"]
    assert spec["image"] == "registry.example/flights:1"
    assert spec["job"]["parallelism"] == 8
    assert spec["flinkConfiguration"]["execution.checkpointing.interval"] == "30 s"
    container = spec["podTemplate"]["spec"]["containers"][0]
    assert {"name": "KAFKA_BOOTSTRAP_SERVERS", "value": "broker:9092"} in container["env"]


def test_a_tool_that_is_missing_is_named(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pyflink_jobs.cluster.deploy.plan_job", lambda *_: None)  # planned elsewhere, on a JVM
    monkeypatch.setattr("pyflink_jobs.cluster.deploy.table_environment", lambda *_: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match="`kubectl` is not installed on this machine") as raised:
        deploy(project, "score", target("kubernetes"), dry_run=False)
    assert "--dry-run" in str(raised.value)
