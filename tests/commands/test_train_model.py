"""The rows that the model is trained on; training itself has an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from pyflink_jobs.demo.flights import events

ROOT = Path(__file__).parents[2]
START, END = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 2, tzinfo=UTC)
COMPUTE = """
import sys
from datetime import datetime
from pathlib import Path
from pyflink_jobs.demo.train_model import training_data
training_data(Path(sys.argv[1]), *map(datetime.fromisoformat, sys.argv[2:]))
"""


def test_each_flight_that_arrived_is_a_row_with_its_label(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MILLSTREAM", "KAFKA"))}
    arguments = [str(tmp_path / "rows"), START.isoformat(), END.isoformat()]
    subprocess.run([sys.executable, "-c", COMPUTE, *arguments], cwd=ROOT, env=environment, check=True)
    files = [file for file in (tmp_path / "rows").rglob("*") if file.is_file()]
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    flights = events(START, END).topics
    arrivals = flights["arrivals"]
    late = dict(zip(arrivals["flight_id"], arrivals["late"], strict=True))
    departed = set(flights["departures"]["flight_id"])
    assert {row["flight_id"]: row["late"] for row in rows} == {id_: late[id_] for id_ in departed & set(late)}
    assert len(rows) > 700
    assert all(row["dep_delay"] is not None and row["carrier_departures_3h"] >= 1 for row in rows)
