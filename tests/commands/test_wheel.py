"""The wheel is complete: installed into an empty environment, it makes a project and runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from pyflink_jobs.local.jars import cache_folder

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
EVENTS = "".join(f'{{"id": "{i}", "event_ms": {1_767_261_600_000 + i}, "a": {i}, "b": 1, "c": 2}}\n' for i in range(50))

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command with nothing of this repository or its settings in the environment; return what it printed."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MILLSTREAM_K", "KAFKA", "PYTHON", "JVM_"))}
    done = subprocess.run(command, cwd=cwd, env={**inherited, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the command that people use."""
    dist = tmp_path_factory.mktemp("dist")
    run("make", "wheel", f"DIST={dist}", cwd=ROOT)
    (built,) = dist.glob("*.whl")
    return built


def test_it_has_each_file_of_the_packages_and_no_other(wheel: Path) -> None:
    tracked = set(run("git", "ls-files", "pyflink_jobs", "udfs", cwd=ROOT).splitlines())
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == tracked | {"pyflink_jobs/java/millstream.jar"}


def test_a_project_made_with_it_runs(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    run(UV, "venv", "--quiet", "--python", sys.executable, environment, cwd=tmp_path)
    pinned = ("--constraints", ROOT / "requirements" / "all.lock")
    run(UV, "pip", "install", "--quiet", "--python", environment / "bin/python", *pinned, wheel, cwd=tmp_path)
    cache = tmp_path / "cache"  # what makes Flink start quickly is for this environment alone
    cache.mkdir()
    (cache / "jars").symlink_to(cache_folder() / "jars")

    def millstream(*words: str | Path, cwd: Path = tmp_path / "machines") -> str:
        return run(environment / "bin" / "millstream", *words, cwd=cwd, MILLSTREAM_CACHE=str(cache))

    model = ROOT / "tests" / "unit" / "models" / "linear.onnx"
    millstream("new", "machines", "--model", model, "--columns", "a,b,c", cwd=tmp_path)
    (tmp_path / "machines" / "events.jsonl").write_text(EVENTS)
    where = "import pyflink_jobs; print(pyflink_jobs.__file__)"
    assert Path(run(environment / "bin/python", "-c", where, cwd=tmp_path)).is_relative_to(environment)
    assert millstream("check").startswith("ok: ")
    try:
        millstream("up", "--port", "0")
        millstream("send", "events", "events.jsonl")
        assert "wrote 50 predictions" in millstream("run", "score", "--bounded")
    finally:
        millstream("down", "--purge")
