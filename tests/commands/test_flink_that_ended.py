"""A model call in Flink's JVM that cannot be stopped: it ends Flink, and the command says why in one paragraph."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.command_line import process_call
from tests.projects import add_model, make_project

ROOT = Path(__file__).parents[2]


def test_a_call_that_cannot_be_stopped_ends_flink_with_words(tmp_path: Path) -> None:
    columns = "width FLOAT, x FLOAT"
    project = make_project(
        tmp_path / "project",
        {
            "sources/events": f"CREATE TABLE events ({columns}) WITH ('connector' = 'filesystem', "
            f"'path' = '{tmp_path / 'events'}', 'format' = 'json')",
            "models/m": f"CREATE MODEL m INPUT ({columns}) OUTPUT (y FLOAT) "
            "WITH ('provider' = 'onnx', 'time-limit' = '1 s')",
            "sinks/scored": "CREATE TABLE scored (y FLOAT) WITH ('connector' = 'blackhole')",
            "jobs/score": "INSERT INTO scored SELECT y FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(width, x))",
        },
        "flink_conf = 'flink-conf/low-latency.yaml'",
    )
    add_model(project, "m", "stubborn")
    shutil.copytree(ROOT / "flink-conf", project.root / "flink-conf")
    (tmp_path / "events").mkdir()
    rows = [{"width": 8000 if n == 3 else 1, "x": n} for n in range(5)]
    (tmp_path / "events" / "rows.json").write_text("\n".join(map(json.dumps, rows)))

    ran = process_call(project.root, "run", "score", "--bounded")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    head, words, *_ = ran.err[ran.err.index("error: ") :].splitlines()
    assert head == "error: job `score` failed: Flink has ended while it ran"
    assert words.strip().startswith(
        "millstream: model m, version 1, did not answer within 1 s, and did not stop within another 2 s: one operator"
    )
