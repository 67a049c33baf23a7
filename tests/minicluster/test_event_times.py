"""Flights of times that cannot be: each in quarantine once, and all others scored as if those were not there."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.demo.flights import TOPICS, events
from pyflink_jobs.demo.replay import replay
from pyflink_jobs.local import topics
from pyflink_jobs.local.broker import start, stop
from pyflink_jobs.local.sending import send_records
from pyflink_jobs.planning.declarations import declare
from pyflink_jobs.planning.planner import plan_job
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute

if TYPE_CHECKING:
    from pyflink_jobs.running.minicluster import MiniCluster

ROOT = Path(__file__).parents[2]
ABSURD = {"of no time": None, "of 1970": 3_600_000, "of 9999": 253_402_300_799_000, "below zero": -(2**62)}


def test_flights_of_absurd_times_are_quarantined_and_hold_no_other_flight_back(
    cluster: MiniCluster, tmp_path: Path
) -> None:
    for name in ("sql", "models"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("train"))
    broker = start(tmp_path / ".millstream", port=0)
    try:
        (tmp_path / "pyproject.toml").write_text(f"[tool.millstream]\nkafka = '{broker.bootstrap_servers}'\n")
        topics.create(broker.bootstrap_servers, {name: topic.partitions for name, topic in TOPICS.items()})
        day = events(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 2, tzinfo=UTC))
        flight = {"carrier": "UA", "origin": "EWR", "dest": "BOS", "distance": 200, "dep_delay": 1}
        absurd = [{**flight, "flight_id": name, "scheduled_ms": ms, "departed_ms": ms} for name, ms in ABSURD.items()]
        # Before all others, so that a watermark that goes by them makes every flight late.
        send_records(broker.bootstrap_servers, "departures", (json.dumps(row).encode() for row in absurd * 4))
        replay(day, broker.bootstrap_servers)
        project = Project.find(tmp_path)
        environment = table_environment(project, {**cluster.options, "parallelism.default": "2"})
        planned = plan_job(declare(project), "score", environment, bounded=True)
        assert execute(project, planned, cluster).state == "FINISHED"
        quarantined = [json.loads(r.value or b"") for r in topics.read(broker.bootstrap_servers, "quarantine")]
        scored = [json.loads(r.value or b"") for r in topics.read(broker.bootstrap_servers, "predictions")]
        drift = [json.loads(r.value or b"") for r in topics.read(broker.bootstrap_servers, "drift")]
    finally:
        stop(tmp_path / ".millstream", purge=True)
    found = sorted(json.loads(row["record"])["flight_id"] for row in quarantined)
    assert found == sorted([*ABSURD] * 4)
    assert {row["source"] for row in quarantined} == {"departures"}
    flights = day.topics["departures"]["flight_id"]
    assert sorted(row["flight_id"] for row in scored) == sorted(flights)
    assert all(row["p_late"] is not None for row in scored)
    assert {row["verdict"] for row in drift} <= {"stable", "drift", "too few"}
    single = [row for row in drift if row["feature"] == "temp" and row["window_end"][8:10] in ("02", "03")]
    assert sum(row["n"] + row["nulls"] for row in single) >= len(flights)
