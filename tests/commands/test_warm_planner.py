"""The JVM that `millstream up` keeps: commands use it, it holds nothing of theirs, and an old one is not used."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import psutil
import pytest

from pyflink_jobs.local.processes import running
from pyflink_jobs.running.warm import keeper
from tests.command_line import process_call, run_python
from tests.projects import add_model, make_project
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.project.settings import Project

pytestmark = pytest.mark.slow

SQL = {
    "sources/events": "CREATE TABLE events (id BIGINT, a FLOAT, b FLOAT, c FLOAT) WITH ('connector' = 'datagen')",
    "features/doubled": "CREATE VIEW doubled AS SELECT id, a * 2 AS a FROM events",
    "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
    "sinks/scored": "CREATE TABLE scored (id BIGINT, y DOUBLE) WITH ('connector' = 'blackhole')",
    "jobs/score": "INSERT INTO scored SELECT id, y FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c))",
}
FEATURE = """\
twice as much:
  view: doubled
  given:
    events: [{id: 1, a: 1.5}]
  expect: [{id: 1, a: 3}]
"""
BORROW = """\
from pathlib import Path
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.jvm import start_jvm
from pyflink_jobs.running.warm.borrow import borrow_jvm
project = Project.find(Path.cwd())
print(borrow_jvm(project), flush=True)
"""
WHICH = BORROW + "print(start_jvm().jvm.java.lang.ProcessHandle.current().pid())"
DIES = (
    BORROW
    + """\
import os
from pyflink_jobs.running.minicluster import StartingCluster
print(StartingCluster(project, 1).wait().port, flush=True)
os._exit(1)
"""
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Make a project whose planner is ready."""
    made = make_project(tmp_path_factory.mktemp("warm"), SQL)
    add_model(made, "m", "linear")
    features = made.root / "tests" / "features"
    features.mkdir(parents=True)
    (features / "doubled.yaml").write_text(FEATURE)
    keeper.start(made)
    wait_until((keeper.folder(made) / keeper.ADDRESS).exists)
    yield made
    keeper.stop(made)
    assert keeper.alive(made) is None


def run(project: Project, program: str) -> list[str]:
    return run_python(program, project.root).stdout.split()


def test_commands_use_it_and_say_the_same(project: Project) -> None:
    kept = keeper.alive(project)
    assert kept is not None
    lent, pid = run(project, WHICH)
    assert lent == "True"
    assert psutil.Process(int(pid)).ppid() == kept.pid
    assert process_call(project.root, "check").out == "ok: 4 statements, 1 models, 1 jobs planned and checked\n"
    assert "1 passed" in process_call(project.root, "test").out
    assert "1 Python operator" in process_call(project.root, "explain", "score").out
    job = project.sql / "jobs" / "score.sql"
    right = job.read_text()
    job.write_text(right.replace("SELECT id, y", "SELECT idd, y"))
    wrong = process_call(project.root, "check")
    job.write_text(right)
    assert wrong.code == 1
    assert "sql/jobs/score.sql:1" in wrong.out
    assert "idd" in wrong.out


def test_a_cluster_ends_with_its_command_however_that_ends(project: Project) -> None:
    lent, port = run(project, DIES)
    assert lent == "True"

    def refused() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(port))) != 0

    wait_until(refused)


def test_a_project_with_functions_of_its_own_and_one_without_speedups_start_their_own(project: Project) -> None:
    view = project.sql / "features" / "doubled.sql"
    right = view.read_text()
    view.write_text(f"CREATE TEMPORARY FUNCTION f AS 'functions.f' LANGUAGE PYTHON;\n{right}")
    assert run(project, BORROW) == ["False"]
    view.write_text(right)
    settings = project.root / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.millstream]", "[tool.millstream]\nspeedups = false"))
    assert run(project, BORROW) == ["False"]
    settings.write_text(settings.read_text().replace("\nspeedups = false", ""))
    assert run(project, BORROW) == ["True"]


def test_one_that_is_out_of_date_ends_and_is_not_used(project: Project) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect((keeper.folder(project) / keeper.ADDRESS).read_text())
        connection.sendall(b"what another version of Millstream sends\n")
        assert connection.recv(1) == b""
    wait_until(lambda: keeper.alive(project) is None)
    assert run(project, BORROW) == ["False"]


def test_down_ends_it_with_its_jvm_and_workers(project: Project) -> None:
    keeper.start(project)
    wait_until((keeper.folder(project) / keeper.ADDRESS).exists)
    kept = keeper.alive(project)
    assert kept is not None
    started = kept.children(recursive=True)
    assert {process.name() for process in started} >= {"java", "python"}
    ended = process_call(project.root, "down")
    assert (ended.code, ended.out) == (0, "no local Kafka was running\n")
    assert keeper.alive(project) is None
    assert not any(running(process) for process in started)
