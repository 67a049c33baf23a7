"""Upgrade a job: stop the old one with a savepoint, start the new one from it; if that fails, restore the old one."""

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
    """A planned upgrade: the running job with its plan, the new job, and what happens to each state."""

    running: RunningJob
    old: Plan
    new: Submission
    outcomes: list[StateOutcome]

    @property
    def losses(self) -> list[StateOutcome]:
        """The states that the upgrade loses."""
        return [outcome for outcome in self.outcomes if outcome.word == "loses"]


def plan_upgrade(
    project: Project, name: str, target: Target, rest: Rest, folder: Path, *, ship_env: bool = False
) -> Upgrade:
    """Plan the new job and compare it with the running one; nothing is stopped.

    Raises what planning raises, and JobError if no such job runs, or Millstream did not submit it.
    """
    running = job_named(rest, name)
    old = plan_of(rest, running)
    if old is None:
        raise JobError(
            f"job `{name}` was not submitted by Millstream: its plan is not known",
            fixes=(f"stop it with a savepoint, and submit it again: millstream stop {name} --savepoint",),
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
    on_step: Callable[[str], None] = lambda _: None,
) -> str:
    """Run an upgrade and return the new job's id; `on_step` is called with a description of each step.

    The new job must run and make a first checkpoint `within` so many seconds. Otherwise the old job is started again
    from the savepoint, and JobError is raised.
    """
    job, target = planned.running, planned.new.target
    record = find_record(project, target.name, job.name, job.id)
    if record is None:
        raise JobError(
            f"job `{job.name}` was submitted from elsewhere: if the new one fails, the old one cannot be restored",
            facts=(f"looked in {project.relative(project.state)}/submitted/ for job {job.id}",),
            fixes=(
                "upgrade it from the folder that it was submitted from",
                f"do it by hand: millstream stop {job.name} --savepoint, then millstream submit {job.name} --from PATH",
            ),
        )
    on_step("stopping the old job with a savepoint")
    savepoint = stop_with_savepoint(rest, job)
    new_id = ""
    try:
        on_step(f"starting the new job from {savepoint}")
        new_id = send(planned.new, folder, savepoint, lose=bool(planned.losses))
        wait_until_running(rest, new_id, within)
        on_step("waiting for its first checkpoint")
        first_checkpoint(rest, new_id, within)
    except (MillstreamError, OSError) as failure:
        on_step("it does not run: starting the old job again")
        if new_id:
            with suppress(ClusterError, OSError):
                cancel(rest, new_id)
        old_id = _restore(record, planned, rest, folder / "old", savepoint, within)
        raise JobError(
            f"job `{job.name}` was not upgraded: {failure}",
            facts=(f"the old job runs again from {savepoint}, as {old_id}: nothing is lost",),
            fixes=("fix the new job and upgrade again",),
            detail=failure.detail if isinstance(failure, MillstreamError) else "",
        ) from failure
    return new_id


def _restore(record: Record, planned: Upgrade, rest: Rest, folder: Path, savepoint: str, within: float) -> str:
    """Submit the old job with its old ids, and return its id when it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    name, target = planned.running.name, planned.new.target
    if target.name != LOCAL:
        target = target_named(record.project, target.name)  # the target's Python and options may have changed too
    prepared = prepare(record.project, name, target, folder, ship_env=record.ship_env, kafka=record.kafka)
    plan, _ = carry_over(planned.old, prepared.plan)
    try:
        old_id = send(replace(prepared, plan=plan), folder, savepoint)
        wait_until_running(rest, old_id, within)
    except MillstreamError as error:
        raise JobError(
            f"neither the new job `{name}` nor the old one runs: {error}",
            facts=(f"its savepoint: {savepoint}",),
            fixes=(f"when the cluster runs: millstream submit {name} --from {savepoint}",),
            detail=error.detail,
        ) from error
    return old_id
