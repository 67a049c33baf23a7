"""The rows that the model is trained on; training itself has an environment of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pyflink_jobs.demo.flights import events
from pyflink_jobs.demo.train_model import training_data

ROOT = Path(__file__).parents[2]
START, END = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 2, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.usefixtures("jvm_project")
def test_each_flight_that_arrived_is_a_row_with_its_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("MILLSTREAM_KAFKA", "TRAINING_DATA"):  # it sets them for its process
        monkeypatch.setenv(name, "")
    training_data(tmp_path / "rows", START, END)
    files = [file for file in (tmp_path / "rows").rglob("*") if file.is_file()]
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    flights = events(START, END).topics
    arrivals = flights["arrivals"]
    late = dict(zip(arrivals["flight_id"], arrivals["late"], strict=True))
    departed = set(flights["departures"]["flight_id"])
    assert {row["flight_id"]: row["late"] for row in rows} == {id_: late[id_] for id_ in departed & set(late)}
    assert len(rows) > 700
    assert all(row["dep_delay"] is not None and row["carrier_departures_3h"] >= 1 for row in rows)
