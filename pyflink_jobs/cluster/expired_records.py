"""The records that a job has not read, because a topic no longer had them when the job came to them."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from pyflink_jobs.running.progress import EXPIRED

if TYPE_CHECKING:
    from pyflink_jobs.rest import Rest

__all__ = ["expired_records"]

_POLL = 0.5  # seconds
_PATIENCE = 15.0  # seconds; Flink asks its workers for metrics every ten


def expired_records(rest: Rest, job_id: str) -> Counter[tuple[str, int]]:
    """Return the expired records of a job that has just begun to run, by topic and partition.

    Flink's REST interface has the metrics of a source seconds after it runs; those that it has not in time are left
    out.
    """
    found: Counter[tuple[str, int]] = Counter()
    vertices = [v["id"] for v in rest.get(f"/jobs/{job_id}")["vertices"] if v["name"].startswith("Source: ")]
    deadline = time.monotonic() + _PATIENCE
    while vertices and time.monotonic() < deadline:
        for vertex in list(vertices):
            path = f"/jobs/{job_id}/vertices/{vertex}/subtasks/metrics"
            names = [metric["id"] for metric in rest.get(path)]
            if any(name.startswith("Source__") for name in names):
                vertices.remove(vertex)
            if wanted := [name for name in names if EXPIRED.match(name)]:
                found += _counted(rest.get(f"{path}?get={','.join(map(quote, wanted))}"))
        if vertices:
            time.sleep(_POLL)
    return found


def _counted(metrics: list[dict[str, str | float]]) -> Counter[tuple[str, int]]:
    counts: Counter[tuple[str, int]] = Counter()
    for metric in metrics:
        if match := EXPIRED.match(str(metric["id"])):
            counts[match["topic"], int(match["partition"])] += int(metric["sum"])
    return counts
