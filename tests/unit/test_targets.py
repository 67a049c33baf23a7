from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.cluster.targets import Target, read_targets, target_named
from pyflink_jobs.errors import ProjectError
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project


def project(folder: Path, targets: str) -> Project:
    return make_project(folder, {}, targets)


def problems(folder: Path, targets: str) -> str:
    """Return all that is said of wrong targets."""
    with pytest.raises(ProjectError) as raised:
        read_targets(project(folder, targets))
    return "\n".join(str(finding) for finding in raised.value.findings)


def test_a_target_with_all_its_settings(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        "[tool.millstream.targets.production]\nurl = 'http://flink:8081'\npython = '/opt/venv/bin/python'\n"
        "models = 's3://bucket/models'\nflink_conf = 'flink-conf/production.yaml'\nparallelism = 8\n"
        "options = { 'execution.checkpointing.interval' = '30 s', 'state.backend.rocksdb.thread.num' = 2 }",
    )
    assert target_named(made, "production") == Target(
        "production",
        url="http://flink:8081",
        python="/opt/venv/bin/python",
        models="s3://bucket/models",
        flink_conf="flink-conf/production.yaml",
        parallelism=8,
        options={"execution.checkpointing.interval": "30 s", "state.backend.rocksdb.thread.num": "2"},
    )


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        "[tool.millstream.targets.a]\nurll = 'http://flink:8081'\n"
        "[tool.millstream.targets.b]\nkind = 'yarn'\n"
        "[tool.millstream.targets.c]\nkind = 'kubernetes'\nparallelism = '8'\n",
    )
    assert "[tool.millstream.targets.a]: unknown setting `urll`" in said
    assert "write `url`" in said
    assert "a target of kind `session` needs `url`" in said
    assert "kind `yarn`, expected one of session, application, kubernetes" in said
    assert "[tool.millstream.targets.c]: `parallelism` is '8', expected a value of type int" in said
    assert "a target of kind `kubernetes` needs `image`" in said
    assert said.count("pyproject.toml") == 5


def test_a_target_that_there_is_not(tmp_path: Path) -> None:
    made = project(tmp_path, "[tool.millstream.targets.production]\nurl = 'http://flink:8081'\n")
    with pytest.raises(ProjectError, match="there is no target `prodution`") as raised:
        target_named(made, "prodution")
    assert "did you mean production?" in str(raised.value)


def test_the_local_cluster_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="the local Flink cluster does not run") as raised:
        target_named(project(tmp_path, ""), "local")
    assert "millstream up --cluster" in str(raised.value)
