"""The commands of docs/drift.md, as the page has them, on a real broker and real rows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from tests.command_line import millstream, process_call
from tests.drift_records import alert, drift

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(r"^millstream (.+)$", (ROOT / "docs" / "drift.md").read_text(), re.MULTILINE)
INPUTS = re.findall(r"^  (\w+) +FLOAT", (ROOT / "sql" / "models" / "late_arrival.sql").read_text(), re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which the commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def filled(kafka: str) -> str:
    """Fill both topics: on 4 July temp has drifted, and its alarm is open."""
    delete(kafka, ["drift", "alerts"])
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


def test_a_profile_is_built_from_rows(folder: Path) -> None:
    generator = np.random.default_rng(0)
    rows = {name: generator.normal(size=5000).astype(np.float32) for name in INPUTS}
    days = np.datetime64("2013-01-01T00:00:00", "ms") + generator.integers(0, 60 * 86_400, 5000).astype(
        "timedelta64[s]"
    )
    pq.write_table(pa.table({**rows, "departed_at": days, "origin": ["EWR", "JFK"] * 2500}), folder / "rows.parquet")
    done = millstream(ROOT, *f"{COMMANDS[0]} --out {folder / 'reference.parquet'} --json".split())
    assert done.code == 0, done.err
    built = json.loads(done.out)
    assert (built["rows"], built["season"], built["slices"]) == (
        5000,
        "day of week",
        ["EWR", "JFK", "(rest)", "(null)"],
    )
    assert [*built["bounds"]] == [*INPUTS, "p_late"]
    assert max(built["bounds"].values()) <= 0.01


def test_a_column_that_the_rows_have_not_is_named(folder: Path) -> None:
    pq.write_table(pa.table({"dep_delay": [1.0]}), folder / "rows.parquet")
    done = millstream(ROOT, *f"{COMMANDS[0]} --out {folder / 'reference.parquet'}".split())
    assert done.code == 1
    assert "the rows have no column `distance`; they have: dep_delay" in done.err
    assert not (folder / "reference.parquet").exists()


def test_rows_that_cannot_be_read_are_named(folder: Path) -> None:
    (folder / "rows.parquet").write_bytes(b"neither")
    (folder / "rows.txt").write_bytes(b"neither")
    for name, words in (("rows.parquet", "cannot be read as Parquet"), ("rows.txt", "neither a Parquet file nor JSON")):
        command = COMMANDS[0].replace("rows.parquet", name)
        done = millstream(ROOT, *f"{command} --out {folder / 'reference.parquet'}".split())
        assert done.code == 1
        assert words in done.err
        assert "Traceback" not in done.err


def test_drift_is_shown_with_its_open_alarm(filled: str, tmp_path: Path) -> None:
    done = process_call(ROOT, *COMMANDS[1].split(), cwd=tmp_path, MILLSTREAM_KAFKA=filled)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    rows = [line.split()[0] for line in lines if line.startswith(("temp", "dep_delay"))]
    assert rows == ["temp", "dep_delay"]  # the worst on top
    assert "Open alarms: 1" in done.out


def test_a_window_is_explained(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLSTREAM_KAFKA", filled)
    done = millstream(ROOT, *COMMANDS[2].split())
    assert done.code == 0, done.err
    assert "temp in JFK" in done.out
    assert "0.98" in done.out
