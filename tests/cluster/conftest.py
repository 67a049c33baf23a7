"""A standalone Flink cluster whose workers have a Python of their own, for the tests of this folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.local import flink_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.local.flink_cluster import Cluster
    from pyflink_jobs.project.settings import Project

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def worker_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with what workers need and nothing of Millstream, and return its interpreter."""
    home = tmp_path_factory.mktemp("workers") / "venv"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    lock = ROOT / "requirements" / "runtime.lock"
    python = home / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--require-hashes", "-r", lock]
    subprocess.run([str(word) for word in install], check=True)
    return python


@pytest.fixture(scope="module")
def flink(worker_python: Path, jvm_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start a JobManager and two TaskManagers with one slot each, in a folder that is no project."""
    del jvm_project  # it has started the JVM of the commands
    state = tmp_path_factory.mktemp("flink") / ".millstream"
    yield flink_cluster.start(state, flink_cluster.Layout(slots=1, python=str(worker_python)), port=0)
    flink_cluster.stop(state, purge=True)
