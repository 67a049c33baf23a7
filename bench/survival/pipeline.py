"""The reference pipeline with exactly-once sinks, reading and writing separate topics for each run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.local import topics
from pyflink_jobs.project.settings import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JOB", "OPTIONS", "PARTITIONS", "SINKS", "create_topics", "pipeline"]

JOB = "score"
SINKS = ("predictions", "quarantine", "drift", "alerts")
PARTITIONS = {"departures": 4, "weather": 1}
OPTIONS = {
    "execution.checkpointing.interval": "1 s",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.delay": "200 ms",
    "restart-strategy.fixed-delay.attempts": "1000000",
    # A partition whose records a fault delays must not count as empty: its rows would be late.
    "table.exec.source.idle-timeout": "0 s",
}
"""Flink's options for the job. Checkpoints are frequent so that tries follow each other soon."""

_ROOT = Path(__file__).parents[2]
_TRANSACTION_MS = 600_000  # longer than any fault: a transaction that the broker times out is lost


def create_topics(bootstrap: str, run: str) -> None:
    """Create the topics that a run reads."""
    topics.create(bootstrap, {f"{name}-{run}": count for name, count in PARTITIONS.items()})


def pipeline(folder: Path, bootstrap: str, run: str, output: str, *, bounded: bool) -> Project:
    """Write the project: it reads the topics of `run`, writes those of `output`, and ends with them if `bounded`."""
    shutil.copytree(_ROOT / "sql", folder / "sql")
    shutil.copytree(_ROOT / "models" / "late_arrival", folder / "models" / "late_arrival")
    (folder / "pyproject.toml").write_text(f'[tool.millstream]\nkafka = "{bootstrap}"\nparallelism = 2\n')
    for name in PARTITIONS:
        more = {"scan.bounded.mode": "latest-offset"} if bounded else {}
        _rewrite(folder / "sql" / "sources" / f"{name}.sql", name, f"{name}-{run}", more)
    for name in SINKS:
        more = {
            "sink.delivery-guarantee": "exactly-once",
            "sink.transactional-id-prefix": f"{name}-{output}",
            "properties.transaction.timeout.ms": str(_TRANSACTION_MS),
        }
        _rewrite(folder / "sql" / "sinks" / f"{name}.sql", name, f"{name}-{output}", more)
    return Project.find(folder)


def _rewrite(file: Path, old: str, new: str, more: Mapping[str, str]) -> None:
    options = "".join(f"\n  '{key}' = '{value}'," for key, value in more.items())
    topic = f"'topic' = '{old}',"
    text = file.read_text()
    if topic not in text:
        raise ValueError(f"{file}: no {topic}")
    file.write_text(text.replace(topic, f"'topic' = '{new}',{options}"))
