"""What is handed to Flink's command line and to kubectl, word by word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from pyflink_jobs.cluster.deploy import deploy, manifest
from pyflink_jobs.cluster.flink_run import flink_run
from pyflink_jobs.cluster.kubernetes import PROJECT
from pyflink_jobs.cluster.targets import Target
from pyflink_jobs.errors import ClusterError
from pyflink_jobs.job import main
from pyflink_jobs.masking import remember_options
from tests.projects import make_project

if TYPE_CHECKING:
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


FLINK = """#!/bin/sh
tr '\\0' ' ' < /proc/$$/cmdline
echo
stat -c %a "$FLINK_CONF_DIR" "$FLINK_CONF_DIR/config.yaml"
cat "$FLINK_CONF_DIR/config.yaml"
ls "$FLINK_CONF_DIR"
echo "$FLINK_CONF_DIR"
"""


@pytest.fixture
def _planned_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a JVM, in other tests."""
    monkeypatch.setattr("pyflink_jobs.cluster.deploy.plan_job", lambda *_: None)
    monkeypatch.setattr("pyflink_jobs.cluster.deploy.table_environment", lambda *_: None)


@pytest.mark.usefixtures("_planned_elsewhere")
def test_no_option_is_on_the_command_line_of_application_mode(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A script in place of Flink's shows its process as others see it, and the configuration that it was given."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.yaml").write_text("rest:\n  port: 8099\npipeline.jars: file:///own.jar\n")
    (tmp_path / "own" / "log4j-cli.properties").touch()
    (tmp_path / "flink").write_text(FLINK)
    (tmp_path / "flink").chmod(0o700)
    monkeypatch.setenv("FLINK_CONF_DIR", str(tmp_path / "own"))
    monkeypatch.setattr("pyflink_jobs.local.flink_home.scripts", lambda: tmp_path)
    more = {"s3.secret-key": "not-for-others: 'me'", "pipeline.jars": "file:///more.jar"}
    to = target("application", options=more)
    command, *rest, folder = deploy(project, "score", to, dry_run=False).splitlines()
    assert command.split()[2:] == [
        *("run", "--target", "kubernetes-application"),
        *("-pym", "pyflink_jobs.job", "--project", PROJECT, "--job", "score"),
    ]
    modes, lines = rest[:2], rest[2:]
    assert modes == ["700", "600"]
    assert lines[-2:] == ["config.yaml", "log4j-cli.properties"]
    assert not Path(folder).exists()
    assert YAML(typ="safe").load("\n".join(lines[:-2])) == {
        **OPTIONS,
        **more,
        "pipeline.jars": "file:///own.jar;file:///more.jar",
        "rest.port": "8099",
        "kubernetes.cluster-id": "score",
        "kubernetes.container.image.ref": "registry.example/flights:1",
        "kubernetes.namespace": "default",
        "kubernetes.service-account": "flink",
        "parallelism.default": "3",
    }


@pytest.mark.usefixtures("_planned_elsewhere")
def test_a_dry_run_prints_the_file_and_the_command(project: Project) -> None:
    remember_options({"a.password": "of-this-test"})
    shown = deploy(project, "score", target("application", options={"a.password": "of-this-test"}), dry_run=True)
    assert shown.startswith("# *** stands for a secret: fill it in where you use this\n# add to config.yaml in a copy")
    assert "\na.password: '***'\n" in shown or "\na.password: ***\n" in shown
    assert "\nkubernetes.cluster-id: score\n" in shown
    assert shown.splitlines()[-1].startswith("FLINK_CONF_DIR=COPY ")


def test_the_entry_point_takes_the_words_that_flink_passes_on() -> None:
    """What follows the module is the program's; Flink would take a `--job` in the first place for its own."""
    words = flink_run("score")
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


@pytest.mark.usefixtures("_planned_elsewhere")
def test_a_tool_that_is_missing_is_named(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match="`kubectl` is not installed on this machine") as raised:
        deploy(project, "score", target("kubernetes"), dry_run=False)
    assert "--dry-run" in str(raised.value)
