"""`python -m bench NAME`, run on a copy of its project, so that a developer's own filled topics stay."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyflink_jobs.local import broker

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ROOT", "run_bench"]

ROOT = Path(__file__).parents[2]


def run_bench(folder: Path, name: str, *arguments: str, only: Sequence[str], keep: bool = False) -> dict[str, Any]:
    """Run a bench in a new folder, and return its figures; where it is not kept, the broker ends with it."""
    project, file = folder / "project", folder / "figures.json"
    shutil.copytree(ROOT / "bench" / "project", project, ignore=shutil.ignore_patterns(".millstream"))
    chosen = [word for one in only for word in ("--only", one)]
    command = [sys.executable, "-m", "bench", name, *arguments, *chosen, *(["--keep"] if keep else [])]
    run = subprocess.run(
        [*command, "--project", str(project), "--json", str(file)],
        cwd=ROOT,
        env=os.environ | {"MILLSTREAM_FLINK_CONF": str(ROOT / "flink-conf" / "local.yaml")},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode or not keep:
        broker.stop(project / ".millstream", purge=True)
    assert run.returncode == 0, run.stdout + run.stderr
    figures: dict[str, Any] = json.loads(file.read_text())
    return figures
