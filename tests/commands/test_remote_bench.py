"""The comparison with a model server runs from end to end: both jobs' scores are checked, then both are timed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pyflink_jobs.local import broker

ROOT = Path(__file__).parents[2]
RECORDS = 5_000
NAMES = ("embedded", "remote_batches")


def test_the_comparison_checks_and_runs_each_contestant(tmp_path: Path) -> None:
    project, file = tmp_path / "project", tmp_path / "figures.json"
    shutil.copytree(ROOT / "bench" / "project", project, ignore=shutil.ignore_patterns(".millstream"))
    command = [sys.executable, "-m", "bench", "remote", "--records", str(RECORDS)]
    chosen = [argument for name in NAMES for argument in ("--only", name)]
    try:
        run = subprocess.run(
            [*command, *chosen, "--project", str(project), "--json", str(file)],
            cwd=ROOT,
            env=os.environ | {"MILLSTREAM_FLINK_CONF": str(ROOT / "flink-conf" / "local.yaml")},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        broker.stop(project / ".millstream", purge=True)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(file.read_text())
    assert list(figures["medians"]) == list(NAMES)
    assert figures["records"] == dict.fromkeys(NAMES, RECORDS)
    assert all(row["seconds"] > 0 for row in figures["medians"].values())
