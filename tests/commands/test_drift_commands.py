"""The commands of docs/drift.md, as they stand there, on a real broker and real rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pyflink_jobs.local import topics
from pyflink_jobs.local.sending import send_records
from tests.drift_records import alert, drift

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(r"^millstream (.+)$", (ROOT / "docs" / "drift.md").read_text(), re.MULTILINE)
INPUTS = re.findall(r"^  (\w+) +FLOAT", (ROOT / "sql" / "models" / "late_arrival.sql").read_text(), re.MULTILINE)


def run(folder: Path, kafka: str, command: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-c", "from pyflink_jobs.cli import main; main()", "--project", str(ROOT)]
    environment = os.environ | {"MILLSTREAM_KAFKA": kafka}
    return subprocess.run(
        [*call, *command.split()], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def filled(kafka: str) -> str:
    """Fill both topics: on 4 July temp has drifted, and its alarm is open."""
    topics.create(kafka, {"drift": 1, "alerts": 1})  # one partition: a job's key orders records, these have none
    found = [drift(day, feature=name) for day in range(1, 8) for name in ("temp", "dep_delay")]
    found.append(drift(4, feature="temp", d_lo=0.98, d_hi=0.99, verdict="drift"))  # the newer one of that day
    send_records(kafka, "drift", (json.dumps(record).encode() for record in found))
    send_records(kafka, "alerts", [json.dumps(alert(feature="temp")).encode()])
    return kafka


def test_the_document_has_the_commands() -> None:
    assert [command.split()[:2] for command in COMMANDS] == [
        ["reference", "build"],
        ["drift", "show"],
        ["drift", "explain"],
    ]


def test_a_profile_is_built_from_rows(kafka: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = {name: generator.normal(size=5000).astype(np.float32) for name in INPUTS}
    days = np.datetime64("2013-01-01T00:00:00", "ms") + generator.integers(0, 60 * 86_400, 5000).astype(
        "timedelta64[s]"
    )
    pq.write_table(pa.table({**rows, "departed_at": days, "origin": ["EWR", "JFK"] * 2500}), tmp_path / "rows.parquet")
    done = run(tmp_path, kafka, f"{COMMANDS[0]} --out {tmp_path / 'reference.parquet'} --json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["season"], told["slices"]) == (5000, "day of week", ["EWR", "JFK", "(rest)", "(null)"])
    assert [*told["bounds"]] == [*INPUTS, "p_late"]
    assert max(told["bounds"].values()) <= 0.01


def test_a_column_that_the_rows_have_not_is_named(kafka: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"dep_delay": [1.0]}), tmp_path / "rows.parquet")
    done = run(tmp_path, kafka, f"{COMMANDS[0]} --out {tmp_path / 'reference.parquet'}")
    assert done.returncode == 1
    assert "the rows have no column `distance`; they have: dep_delay" in done.stderr
    assert not (tmp_path / "reference.parquet").exists()


def test_rows_that_cannot_be_read_are_named(kafka: str, tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"neither")
    (tmp_path / "rows.txt").write_bytes(b"neither")
    for name, words in (("rows.parquet", "cannot be read as Parquet"), ("rows.txt", "neither a Parquet file nor JSON")):
        command = COMMANDS[0].replace("rows.parquet", name)
        done = run(tmp_path, kafka, f"{command} --out {tmp_path / 'reference.parquet'}")
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_drift_is_shown_with_its_open_alarm(filled: str, tmp_path: Path) -> None:
    done = run(tmp_path, filled, COMMANDS[1])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = [line.split()[0] for line in lines if line.startswith(("temp", "dep_delay"))]
    assert rows == ["temp", "dep_delay"]  # the worst on top
    assert "Open alarms: 1" in done.stdout


def test_a_window_is_explained(filled: str, tmp_path: Path) -> None:
    done = run(tmp_path, filled, COMMANDS[2])
    assert done.returncode == 0, done.stderr
    assert "temp in JFK" in done.stdout
    assert "0.98" in done.stdout
