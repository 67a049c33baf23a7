"""Workers are forks of a process that has imported all they need, and processes of their own where that cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from pyflink_jobs.causes import summarize
from pyflink_jobs.local.flink_home import scripts
from pyflink_jobs.running.fast_start.worker_forks import forked_workers
from pyflink_jobs.running.fast_start.worker_template import MODULES
from tests.unit.worker_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = "pyflink-udf-runner.sh"


@pytest.fixture
def folder() -> Iterator[Path]:
    with forked_workers(("sqlite3",), "tests.unit.forked_worker") as there:
        yield there


def start(folder: Path, logs: Path, *arguments: str, **variables: str) -> str:
    """Start a worker as Flink does, wait for its end; return what it wrote before it found where to log."""
    environment = {**os.environ, "BOOT_LOG_DIR": str(logs), "python": sys.executable, **variables}
    command = [str(folder / SCRIPT), "--id=1-1", *arguments]
    subprocess.run(command, env=environment, cwd=logs, check=True, capture_output=True)
    return (logs / "flink-python-udf-boot.log").read_text()


def test_a_worker_is_a_fork_and_runs_as_its_own_process_would(folder: Path, tmp_path: Path) -> None:
    templates = [child.pid for child in psutil.Process().children() if "worker_template" in " ".join(child.cmdline())]
    worker: dict[str, Any] = json.loads(start(folder, tmp_path, GIVEN="a value"))
    assert worker["parent"] in templates
    assert worker == {
        "arguments": ["--id=1-1"],
        "folder": str(tmp_path),
        "variable": "a value",
        "parent": worker["parent"],
        "imported": True,
    }


def test_each_worker_is_a_fork_of_its_own(folder: Path, tmp_path: Path) -> None:
    for value in ("one", "two"):
        assert json.loads(start(folder, tmp_path, GIVEN=value))["variable"] == value


def test_a_worker_that_needs_other_modules_is_started_by_flinks_own_script(folder: Path, tmp_path: Path) -> None:
    """Here Flink's worker, which misses its arguments."""
    assert "No provision endpoint provided" in start(folder, tmp_path, PYTHONPATH=str(tmp_path / "job's own"))


def test_a_worker_of_another_python_is_started_by_flinks_own_script(folder: Path, tmp_path: Path) -> None:
    text = start(folder, tmp_path, python="/nowhere/bin/python")
    assert "/nowhere/bin/python: No such file or directory" in text
    # As Flink raises it.
    trace = f"java.lang.RuntimeException: Failed to create stage bundle factory! {text}\n\tat a.B.c(B.java:1)"
    assert summarize(trace) == (
        "the workers' Python, /nowhere/bin/python, cannot be started: No such file or directory; correct the path: "
        "`python` of the target, or python.executable in the Flink configuration"
    )


def test_flinks_worker_asks_for_work_as_a_fork(tmp_path: Path) -> None:
    with forked_workers() as folder, Endpoint() as endpoint:
        text = start(folder, tmp_path, f"--provision_endpoint={endpoint.address}")
        assert endpoint.asked.is_set()
        assert "Starting up Python harness in a standalone process" in text


def test_flinks_own_script_is_where_it_was() -> None:
    """PyFlink's part of the bargain: its script's name, and that it runs beam_boot and logs where ours does."""
    text = (scripts() / SCRIPT).read_text()
    assert "-m pyflink.fn_execution.beam.beam_boot" in text
    assert "$BOOT_LOG_DIR/flink-python-udf-boot.log" in text


def test_what_is_imported_ahead_leaves_the_process_with_one_python_thread() -> None:
    """A fork has no other: numpy's and Arrow's pools know that, ONNX Runtime's thread would be missing."""
    code = "import sys, importlib, threading\nfor m in sys.argv[1:]: importlib.import_module(m)\n"
    code += "print(threading.active_count(), 'onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *MODULES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]
