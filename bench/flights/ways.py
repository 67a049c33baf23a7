"""The ways to run the flights' job, each a copy of the repository's pipeline, changed as an analyst would."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.peers.contestants import Contestant, Start
from bench.peers.project_copy import replace_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.peers.contestants import Task

__all__ = ["LOOP", "WAYS", "contestant", "write_projects"]

_ROOT = Path(__file__).parents[2]
_MONITOR = """,
  'monitor.time' = 'departed_at',
  'monitor.window' = '1 DAY',
  'monitor.slice' = 'origin',
  'monitor.season' = 'day of week'   -- a Sunday is compared with Sundays
"""
_SCORE = "FROM ML_PREDICT("
_WITHOUT_MODEL = """INSERT INTO predictions
SELECT flight_id, departed_at, CAST({total} AS DOUBLE), 'none', departure_partition, departure_offset
FROM flight_features"""
_FEATURES = (
    "dep_delay, distance, scheduled_hour, weekday, origin_departures_1h, origin_delay_1h, origin_late_share_1h, "
    "carrier_departures_3h, carrier_delay_3h, temp, wind_speed, precip, visib"
)

LOOP = "loop"
WAYS = ("monitored", "scored", "sql", LOOP)
"""The job as it is; without its monitor; its SQL alone, which writes a sum of the features for a score; `loop.py`."""


def write_projects(folder: Path) -> None:
    """Write the project of each way into `folder`, named as the way."""
    for way in (way for way in WAYS if way != LOOP):
        project = folder / way
        for part in ("sql", "models", "flink-conf"):
            shutil.copytree(_ROOT / part, project / part, ignore=shutil.ignore_patterns("train"))
        shutil.copy(_ROOT / "pyproject.toml", project)
        (project / "sql" / "jobs" / "training_data.sql").unlink()
        replace_text(
            project / "sql" / "sinks" / "predictions.sql", "'topic' = 'predictions'", "'topic' = '${BENCH_SINK}'"
        )
        if way == "scored":
            replace_text(project / "sql" / "models" / "late_arrival.sql", _MONITOR, "\n")
        if way == "sql":
            total = " + ".join(f"COALESCE({name}, 0)" for name in _FEATURES.split(", "))
            (project / "sql" / "jobs" / "score.sql").write_text(_WITHOUT_MODEL.format(total=total) + ";\n")


def contestant(way: str, slots: int) -> Contestant:
    """Return how a way is run with so many slots, by the command line; the loop has one process."""
    return Contestant(f"{way}, {slots} slots", "none", _loop if way == LOOP else _run(slots))


def _loop(task: Task) -> Start:
    model = _ROOT / "models" / "late_arrival" / "1" / "model.onnx"
    arguments = [str(Path(__file__).with_name("loop.py")), task.bootstrap, task.source, task.sink, str(model)]
    return Start([sys.executable, *arguments], {})


def _run(slots: int) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        main = "from pyflink_jobs.cli import main; main()"
        command = ["run", "score", "--bounded", "--parallelism", str(slots)]
        variables = {
            "BENCH_SINK": task.sink,
            "KAFKA_BOOTSTRAP_SERVERS": task.bootstrap,
            "MILLSTREAM_KAFKA": task.bootstrap,
        }
        return Start([sys.executable, "-c", main, "--project", str(task.project), *command], variables)

    return start
