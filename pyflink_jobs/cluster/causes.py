"""Why a job on a cluster failed, in a few words."""

from __future__ import annotations

from pyflink_jobs.causes import summarize
from pyflink_jobs.planning.failures.traces import kind_of_failure

__all__ = ["cause"]


def cause(trace: str) -> str:
    """Return what a stack trace says; where it comes from a call in SQL, also what shows the call's place."""
    found = kind_of_failure(trace)
    return (
        f"{summarize(trace)}: {found[0]}; `millstream check` shows where SQL may fail so" if found else summarize(trace)
    )
