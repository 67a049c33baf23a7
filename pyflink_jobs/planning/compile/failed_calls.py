"""The calls in a job's SQL that its failure may come from: Flink names neither the view nor the expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.planning.compile.failures import find_failing_calls
from pyflink_jobs.planning.compile.plan import job_statements
from pyflink_jobs.planning.failures.traces import kind_of_failure

if TYPE_CHECKING:
    from pyflink_jobs.planning.compile.plan import PlannedJob
    from pyflink_jobs.planning.flink.errors import FlinkMessage

__all__ = ["FailedCalls", "calls_that_failed"]

_MOST = 5  # that are named


@dataclass(frozen=True)
class FailedCalls:
    """What a job failed at, where that may be, and the fixes."""

    what: str
    places: tuple[str, ...]
    fixes: tuple[str, ...]


def calls_that_failed(planned: PlannedJob, message: FlinkMessage) -> FailedCalls | None:
    """Return the calls that a failure may come from; None where it is of another kind, or no call is known."""
    found = kind_of_failure(message.trace)
    if found is None:
        return None
    what, kinds = found
    statements = [*((statement, "") for statement in planned.job.needed), *job_statements(planned.job, planned.inserts)]
    calls = find_failing_calls(planned.environment, statements, planned.job.validated)
    findings = [finding for call, finding in calls if call.kind in kinds]
    if not findings:
        return None
    places = tuple(f"{finding.place}: {finding.message}" for finding in findings[:_MOST])
    more = (f"and {len(findings) - _MOST} more: millstream check",) if len(findings) > _MOST else ()
    return FailedCalls(what, (*places, *more), findings[0].fixes if len(findings) == 1 else findings[0].fixes[:1])
