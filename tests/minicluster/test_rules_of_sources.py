"""Flights that break a rule of their source: each in quarantine once, all others scored as if those were not there."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
_TIME = "departed_ms is {}, expected 631152000000 to 4102444799999"
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "of no time": ({"departed_ms": None}, "departed_ms is NULL, expected a value"),
    "of 1970": ({"departed_ms": 3_600_000}, _TIME.format(3_600_000)),
    "of 9999": ({"departed_ms": 253_402_300_799_000}, _TIME.format(253_402_300_799_000)),
    "below zero": ({"departed_ms": -(2**62)}, _TIME.format(-(2**62))),
    "from elsewhere": ({"origin": "BOS"}, "origin is BOS, expected one of EWR, JFK, LGA"),
    "to nowhere": ({"dest": "Bos"}, "dest is Bos, expected a text like [A-Z]{3}"),
    "wrong twice": (
        {"carrier": "United", "distance": 0},
        "carrier is United, expected at most 2 characters; distance is 0, expected 1 to 10000",
    ),
}


def test_flights_that_break_a_rule_are_quarantined_and_hold_no_other_flight_back(
    cluster: MiniCluster, tmp_path: Path
) -> None:
    for name in ("sql", "models"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("train"))
    broker = start(tmp_path / ".millstream", port=0)
    try:
        (tmp_path / "pyproject.toml").write_text(f"[tool.millstream]\nkafka = '{broker.bootstrap_servers}'\n")
        topics.create(broker.bootstrap_servers, {name: topic.partitions for name, topic in TOPICS.items()})
        day = events(datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 2, tzinfo=UTC))
        ms = day.topics["departures"]["departed_ms"].min()
        flight = {"carrier": "UA", "origin": "EWR", "dest": "BOS", "distance": 200, "dep_delay": 1}
        flight |= {"scheduled_ms": int(ms), "departed_ms": int(ms)}
        broken = [{**flight, "flight_id": name, **changes} for name, (changes, _) in BROKEN.items()]
        # Before all others, so that a watermark that goes by them makes every flight late.
        send_records(broker.bootstrap_servers, "departures", (json.dumps(row).encode() for row in broken * 4))
        replay(day, broker.bootstrap_servers)
        project = Project.find(tmp_path)
        environment = table_environment(project, {**cluster.options, "parallelism.default": "2"})
        planned = plan_job(declare(project), "score", environment, bounded=True)
        assert execute(project, planned, cluster).state == "FINISHED"
        quarantined = [json.loads(r.value or b"") for r in topics.read(broker.bootstrap_servers, "quarantine")]
        sent = {(r.partition, r.offset): r for r in topics.read(broker.bootstrap_servers, "departures")}
        scored = [json.loads(r.value or b"") for r in topics.read(broker.bootstrap_servers, "predictions")]
        drift = [json.loads(r.value or b"") for r in topics.read(broker.bootstrap_servers, "drift")]
    finally:
        stop(tmp_path / ".millstream", purge=True)
    assert len(quarantined) == 4 * len(BROKEN)
    for row in quarantined:
        where = sent.pop((row["partition"], row["offset"]))  # each record once
        original = json.loads(where.value or b"")
        assert row["detail"] == BROKEN[original["flight_id"]][1]
        kept = json.loads(row["record"])
        assert {name: value for name, value in kept.items() if value is not None} == {
            name: value for name, value in original.items() if value is not None
        }
        assert (row["source"], row["reason"], row["topic"], row["job"]) == (
            "departures",
            "contract",
            "departures",
            "score",
        )
        assert abs(datetime.fromisoformat(row["ingested_at"]) - datetime.now(UTC)) < timedelta(hours=1)
    assert not any(json.loads(r.value or b"")["flight_id"] in BROKEN for r in sent.values())
    flights = day.topics["departures"]["flight_id"]
    assert sorted(row["flight_id"] for row in scored) == sorted(flights)
    assert all(row["p_late"] is not None for row in scored)
    assert {row["verdict"] for row in drift} <= {"stable", "drift", "too few"}
    single = [row for row in drift if row["feature"] == "temp" and row["window_end"][8:10] in ("02", "03")]
    assert sum(row["n"] + row["nulls"] for row in single) >= len(flights)
