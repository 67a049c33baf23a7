"""A small project whose model is monitored: events of half an hour in three places, the last third of them shifted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pyflink_jobs.drift.build import build_reference
from pyflink_jobs.drift.subject import find_subject
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

__all__ = ["MINUTE", "START", "events", "line", "monitored_project"]

START, MINUTE = 1_700_006_400_000, 60_000  # milliseconds
PLACES = ["a", "b", "rare", None]
_MODEL = "CREATE MODEL m INPUT (x FLOAT, y FLOAT, z FLOAT) OUTPUT (score DOUBLE)\nWITH ('provider' = 'onnx'{monitor})"
_MONITOR = """,
  'monitor.time' = 'happened', 'monitor.window' = '1 MINUTE', 'monitor.slice' = 'place'{more}"""
_KAFKA = "'connector' = 'kafka', 'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}', 'format' = 'json'"
_RECORD = """model STRING, version STRING, window_start TIMESTAMP_LTZ(3), window_end TIMESTAMP_LTZ(3), slice STRING,
  feature STRING, n BIGINT, nulls BIGINT, late BIGINT, d_lo DOUBLE, d_hi DOUBLE, margin DOUBLE, p DOUBLE, q DOUBLE,
  `rank` DOUBLE, psi DOUBLE, wasserstein DOUBLE, verdict STRING, quantiles ARRAY<DOUBLE>,
  reference_quantiles ARRAY<DOUBLE>, reference STRING"""


def monitored_project(folder: Path, bootstrap: str, names: dict[str, str], *, more: str = "") -> Project:
    """Write the project; `names` are the topics of events, scored, drift and alerts. `more` are further options."""
    project = make_project(
        folder,
        {
            "sources/events": "CREATE TABLE events (id INT, ms BIGINT, x FLOAT, y FLOAT, z FLOAT, place STRING,\n"
            "  happened AS TO_TIMESTAMP_LTZ(ms, 3),\n"
            "  WATERMARK FOR happened AS CASE WHEN happened < TO_TIMESTAMP_LTZ(4102444800000, 3) "
            f"THEN happened - INTERVAL '5' SECOND END)\nWITH ({_KAFKA}, 'topic' = '{names['events']}', "
            "'scan.startup.mode' = 'earliest-offset', 'scan.watermark.emit.strategy' = 'on-event')",
            "models/m": _MODEL.format(monitor=_MONITOR.format(more=more)),
            "sinks/scored": "CREATE TABLE scored (id INT, score DOUBLE)\n"
            f"WITH ({_KAFKA}, 'topic' = '{names['scored']}')",
            "sinks/drift": f"CREATE TABLE drift ({_RECORD}) WITH ({_KAFKA}, 'topic' = '{names['drift']}')",
            "sinks/alerts": "CREATE TABLE alerts (slice STRING, feature STRING, event STRING, message STRING)\n"
            f"WITH ({_KAFKA}, 'topic' = '{names['alerts']}')",
            "jobs/score": "INSERT INTO scored SELECT id, score\n"
            "FROM ML_PREDICT(TABLE events, MODEL m, DESCRIPTOR(x, y, z))",
        },
        settings=f"kafka = '{bootstrap}'",
    )
    add_model(project, "m", "linear")
    generator = np.random.default_rng(1)
    count = 20_000
    rows: dict[str, Any] = {name: generator.normal(size=count).astype(np.float32) for name in "xyz"}
    rows["place"] = generator.choice(np.array(PLACES, object), count, p=[0.5, 0.3, 0.1, 0.1])
    rows["happened"] = np.datetime64("2023-11-01T00:00:00", "ms") + np.sort(
        generator.integers(0, 100 * MINUTE, count)
    ).astype("timedelta64[ms]")
    pq.write_table(pa.table(rows), folder / "rows.parquet")
    subject = find_subject(project, "m", "1")
    reference = project.models / "m" / "1" / "reference.parquet"
    build_reference(subject.definition, subject.spec, subject.options, folder / "rows.parquet", reference, slices=2)
    return project


def events(count: int, seed: int = 2) -> list[dict[str, Any]]:
    """Return events of 30 minutes in order of time; `x` is shifted in the last ten."""
    generator = np.random.default_rng(seed)
    ms = START + np.sort(generator.integers(0, 30 * MINUTE, count))
    values = generator.normal(size=(count, 3)).astype(np.float32)
    values[ms >= START + 20 * MINUTE, 0] += 2
    places = generator.choice(np.array(PLACES, object), count, p=[0.5, 0.3, 0.1, 0.1])
    # Every fiftieth value is NULL, in each column another one.
    return [
        {
            "id": i,
            "ms": int(ms[i]),
            "place": places[i],
            **{name: None if (i + at) % 50 == 0 else float(values[i, at]) for at, name in enumerate("xyz")},
        }
        for i in range(count)
    ]


def line(event: dict[str, Any]) -> bytes:
    """Return an event as it is in its topic."""
    return json.dumps(event).encode()
