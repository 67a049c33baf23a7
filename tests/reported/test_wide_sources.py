"""A source of 180 columns, each with rules: as many expressions as Flink's planner and Java's methods have to bear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pyflink_jobs
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project

WIDTH = 180
KINDS = [
    ("FLOAT", "required; range -1.5..9"),
    ("STRING", "required; max length 20; pattern [A-Z]{3}"),
    ("DOUBLE", "one of 1, 2, 3.5"),
    ("STRING", f"required; one of {', '.join(f'value {number}' for number in range(30))}"),
    ("INT", "range 0.."),
    ("BIGINT", "required; range ..100"),
    ("TIMESTAMP_LTZ(3)", "required"),
    ("BOOLEAN", "required"),
    ("DECIMAL(20, 4)", "range 0..1e6"),
    ("STRING", "required; max length 40; pii hash"),
    ("STRING", "pii mask; pattern .+@.+"),
    ("STRING", "required; pii drop"),
    ("TINYINT", "one of 1, 2"),
    ("DOUBLE", f"one of {', '.join(map(str, range(20)))}"),  # each a constant of the plan
]
"""Every kind of rule, and of personal data."""
KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = 'localhost:1', 'format' = 'json'"
QUARANTINE = Path(__file__).parents[2] / "sql" / "sinks" / "quarantine.sql"


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("MILLSTREAM_PII_KEY", "of-this-test-alone")
    of = [KINDS[number % len(KINDS)] for number in range(WIDTH)]
    declared = ", ".join(f"c{n} {kind} COMMENT 'column {n}; {rules}'" for n, (kind, rules) in enumerate(of))
    kept = {f"c{n}": kind for n, (kind, rules) in enumerate(of) if "pii drop" not in rules}
    sql = {
        "sources/events": f"CREATE TABLE events (a FLOAT, b FLOAT, c FLOAT, ms BIGINT, {declared},"
        " t AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR t AS t - INTERVAL '5' SECOND)"
        f" WITH ({KAFKA}, 'topic' = 'events', 'scan.startup.mode' = 'earliest-offset')",
        "models/m": "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y DOUBLE) WITH ('provider' = 'onnx')",
        "sinks/scored": f"CREATE TABLE scored (y DOUBLE, {', '.join(map(' '.join, kept.items()))})"
        f" WITH ({KAFKA}, 'topic' = 'scored')",
        "sinks/quarantine": QUARANTINE.read_text(),
        "jobs/score": f"INSERT INTO scored SELECT y, {', '.join(kept)}"
        " FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(a, b, c))",
    }
    project = make_project(tmp_path, sql)
    add_model(project, "m", "linear")
    return project


@pytest.mark.slow  # Flink's planner needs minutes for so many conditions
@pytest.mark.usefixtures("jvm_project")
def test_check_and_explain_plan_what_run_does(wide: Project) -> None:
    assert pyflink_jobs.check(wide, offline=True).findings == []
    assert pyflink_jobs.check(wide).findings == []
    explained = pyflink_jobs.plan(wide, "score")
    assert f"c{WIDTH - 1} is " in explained.sql
    assert "Sink(table=[default_catalog.default_database.scored]" in explained.plan
