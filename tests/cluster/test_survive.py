"""A job on a standalone cluster with ZooKeeper goes through one fault of each kind, and every flight is scored once.

`make soak` is the long form. The program counts by itself; tests/unit/test_survival_tally.py shows that it sees losses.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KILLS = [f"kill -9 {what}" for what in ("TaskManager", "Python worker", "JobManager", "ZooKeeper", "broker")]
NEED_NAMESPACES = ["checkpoint folder read-only for 10 s", "network to the broker cut for 20 s"]
RESCALED = "savepoint, parallelism 2 -> 4 -> 1"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the program once, with each fault."""
    file = tmp_path_factory.mktemp("survival") / "figures.json"
    chosen = [word for name in (*KILLS, *NEED_NAMESPACES, RESCALED) for word in ("--only", name)]
    command = [sys.executable, "-m", "bench.survival", "--tries", "1", "--rate", "60", *chosen, "--json", str(file)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("fault", [*KILLS, *NEED_NAMESPACES, RESCALED])
def test_nothing_is_lost_or_there_twice(figures: dict[str, Any], fault: str) -> None:
    if fault in figures["skipped"]:
        pytest.skip("this system gives no namespaces of our own")
    row = next(row for row in figures["rows"] if row["fault"] == fault)
    assert row["tries"] == len(row["recovery"]) == (2 if fault == RESCALED else 1)
    assert row["records"] == row["scored"] + row["quarantined"] > 0
    assert (row["lost"], row["duplicated"]) == (0, 0)


@pytest.mark.parametrize("topic", ["predictions", "quarantine", "drift", "alerts"])
def test_each_topic_has_the_bytes_of_the_undisturbed_run(figures: dict[str, Any], topic: str) -> None:
    compared = figures["differences"][topic]
    assert (compared["missing"], compared["extra"]) == (0, 0), compared["example"]
    assert compared["rows"] > 0 or topic == "alerts"
