"""Why a job failed, and the last lines of its cluster's logs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError

from pyflink_jobs.cluster.causes import cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.rest import Rest

__all__ = ["failures", "log_tails"]


def failures(rest: Rest, job_id: str) -> list[tuple[float, str]]:
    """Return when a job failed (seconds of the Unix epoch) and why, the newest first."""
    entries = rest.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    return [(entry["timestamp"] / 1000, cause(entry["stacktrace"])) for entry in entries]


def log_tails(rest: Rest, lines: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each process of a cluster and the last lines of its log."""
    yield "JobManager", _tail(rest, "/jobmanager/log", lines)
    for manager in rest.get("/taskmanagers")["taskmanagers"]:
        yield f"TaskManager {manager['id']}", _tail(rest, f"/taskmanagers/{manager['id']}/log", lines)


def _tail(rest: Rest, path: str, lines: int) -> list[str]:
    try:
        return rest.text(path).splitlines()[-lines:]
    except HTTPError as error:
        return [f"the cluster does not return it: {error.reason}"]
