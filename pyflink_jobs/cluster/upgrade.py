"""Upgrade a job: stop the old one with a savepoint, start the new one from it, go back if that does not run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflink_jobs.cluster.jobs import (
    cancel,
    first_checkpoint,
    job_named,
    plan_of,
    stop_with_savepoint,
    wait_until_running,
)
from pyflink_jobs.cluster.state_mapping import StateOutcome, carry_over
from pyflink_jobs.cluster.submit import prepare, send
from pyflink_jobs.cluster.submitted_copies import find_record
from pyflink_jobs.cluster.targets import LOCAL, target_named
from pyflink_jobs.errors import ClusterError, JobError, MillstreamError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.cluster.jobs import RunningJob
    from pyflink_jobs.cluster.submit import Submission
    from pyflink_jobs.cluster.submitted_copies import Record
    from pyflink_jobs.cluster.targets import Target
    from pyflink_jobs.planning.compile.compiled_plan import Plan
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.rest import Rest

__all__ = ["Upgrade", "plan_upgrade", "upgrade"]


@dataclass(frozen=True)
class Upgrade:
    """An upgrade that can begin: the job that runs with its plan, the new one, and what becomes of each state."""

    running: RunningJob
    old: Plan
    new: Submission
    outcomes: list[StateOutcome]

    @property
    def losses(self) -> list[StateOutcome]:
        """The states that would be lost."""
        return [outcome for outcome in self.outcomes if outcome.word == "loses"]


def plan_upgrade(
    project: Project, name: str, target: Target, rest: Rest, folder: Path, *, ship_env: bool = False
) -> Upgrade:
    """Plan the new job and compare it with the one that runs; nothing is stopped.

    Raises what planning raises, and JobError where no such job runs, or one that was not submitted by Millstream.
    """
    running = job_named(rest, name)
    old = plan_of(rest, running)
    if old is None:
        raise JobError(
            f"job `{name}` was not submitted by Millstream: its cluster does not know its plan",
            fixes=(f"stop it with a savepoint, and begin anew: millstream stop {name} --savepoint",),
        )
    prepared = prepare(project, running.name, target, folder, ship_env=ship_env)
    plan, outcomes = carry_over(old, prepared.plan)
    return Upgrade(running, old, replace(prepared, plan=plan), outcomes)


def upgrade(
    project: Project,
    planned: Upgrade,
    rest: Rest,
    folder: Path,
    *,
    within: float,
    tell: Callable[[str], None] = lambda _: None,
) -> str:
    """Carry out an upgrade and return the new job's id; `tell` hears of each step.

    The new job must run and make a first checkpoint `within` so many seconds. Raises JobError where it did not: then
    the old one runs again, from the savepoint, and the error says so.
    """
    job, target = planned.running, planned.new.target
    record = find_record(project, target.name, job.name, job.id)
    if record is None:
        raise JobError(
            f"job `{job.name}` was submitted from elsewhere: if the new one fails, the old one could not come back",
            facts=(f"looked in {project.relative(project.state)}/submitted/ for job {job.id}",),
            fixes=(
                "upgrade it from where it was submitted",
                f"do it by hand: millstream stop {job.name} --savepoint, then millstream submit {job.name} --from PATH",
            ),
        )
    tell("stopping the old job with a savepoint")
    savepoint = stop_with_savepoint(rest, job)
    new_id = ""
    try:
        tell(f"starting the new job from {savepoint}")
        new_id = send(planned.new, folder, savepoint, lose=bool(planned.losses))
        wait_until_running(rest, new_id, within)
        tell("waiting for its first checkpoint")
        first_checkpoint(rest, new_id, within)
    except (MillstreamError, OSError) as failure:
        tell("it does not run: the old job comes back")
        if new_id:
            with suppress(ClusterError, OSError):
                cancel(rest, new_id)
        old_id = _bring_back(record, planned, rest, folder / "old", savepoint, within)
        raise JobError(
            f"job `{job.name}` was not upgraded: {failure}",
            facts=(f"the old job runs again from {savepoint}, as {old_id}: nothing is lost",),
            fixes=("mend the new one and upgrade again",),
            detail=failure.detail if isinstance(failure, MillstreamError) else "",
        ) from failure
    return new_id


def _bring_back(record: Record, planned: Upgrade, rest: Rest, folder: Path, savepoint: str, within: float) -> str:
    """Submit the old job as it was, with the ids it had; return its id when it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    name, target = planned.running.name, planned.new.target
    if target.name != LOCAL:
        target = target_named(record.project, target.name)  # its Python and options may have changed as well
    prepared = prepare(record.project, name, target, folder, ship_env=record.ship_env, kafka=record.kafka)
    plan, _ = carry_over(planned.old, prepared.plan)
    try:
        old_id = send(replace(prepared, plan=plan), folder, savepoint)
        wait_until_running(rest, old_id, within)
    except MillstreamError as error:
        raise JobError(
            f"neither the new job `{name}` nor the old one runs: {error}",
            facts=(f"the savepoint is whole: {savepoint}",),
            fixes=(f"when the cluster is well: millstream submit {name} --from {savepoint}",),
            detail=error.detail,
        ) from error
    return old_id
