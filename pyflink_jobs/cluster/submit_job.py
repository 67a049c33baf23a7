"""Submit a job to a target by name, or describe what would be sent."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyflink_jobs.cluster.deploy import deploy
from pyflink_jobs.cluster.expired_records import expired_records
from pyflink_jobs.cluster.jobs import connect, jobs, wait_until_running
from pyflink_jobs.cluster.ship_models import files_of
from pyflink_jobs.cluster.submit import prepare, send
from pyflink_jobs.cluster.submitted_copies import keep_record
from pyflink_jobs.cluster.targets import target_named
from pyflink_jobs.errors import JobError
from pyflink_jobs.local.broker import bootstrap_servers
from pyflink_jobs.masking import MASK, masked, masked_options, names_secret
from pyflink_jobs.running.progress import expired_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.cluster.submit import Submission
    from pyflink_jobs.project.settings import Project

__all__ = ["Submitted", "describe_submission", "submit_job"]


@dataclass(frozen=True)
class Submitted:
    """A job that was sent: its id, and the cluster's REST interface.

    Both are empty for a target that starts a cluster of its own: `output` is what `flink` or `kubectl` printed.
    `warnings` are what is to be known of a job that runs: records that had expired before it came to them.
    """

    job: str
    id: str = ""
    url: str = ""
    output: str = ""
    warnings: tuple[str, ...] = ()


def submit_job(
    project: Project,
    job: str,
    target: str,
    savepoint: str = "",
    *,
    ship_env: bool,
    within: float,
    on_step: Callable[[str], None],
) -> Submitted:
    """Plan a job, send it, keep a copy of what was sent, and return when it runs, `within` so many seconds.

    Raises what planning raises, ProjectError for an unknown target, ClusterError for one that does not answer, and
    JobError where the job is running already or does not start.
    """
    to = target_named(project, target)
    if to.kind != "session":
        return Submitted(job, output=deploy(project, job, to, dry_run=False))
    rest = connect(to)
    if any(running.name == job for running in jobs(rest)):
        raise JobError(
            f"job `{job}` is running at {to.url} already",
            fixes=(f"replace it: millstream upgrade {job}", f"stop it first: millstream stop {job}"),
        )
    with tempfile.TemporaryDirectory(prefix="millstream-") as name:
        folder = Path(name)
        on_step("planning")
        submission = prepare(project, job, to, folder, ship_env=ship_env)
        on_step("sending, waiting until it runs")
        job_id = send(submission, folder, savepoint)
        keep_record(project, submission, job_id, bootstrap_servers(project), ship_env=ship_env)
        wait_until_running(rest, job_id, within)
        expired = expired_records(rest, job_id) if savepoint else {}
    return Submitted(job, job_id, to.url, warnings=tuple(expired_words(expired)))


def describe_submission(project: Project, job: str, target: str, *, ship_env: bool) -> dict[str, Any] | str:
    """Return all that would be sent, as plain values; nothing is sent.

    For a target that starts a cluster of its own, it is the command or the YAML that would be handed over.
    """
    to = target_named(project, target)
    if to.kind != "session":
        return deploy(project, job, to, dry_run=True)
    with tempfile.TemporaryDirectory(prefix="millstream-") as name:
        folder = Path(name)
        return _described(prepare(project, job, to, folder, ship_env=ship_env), folder)


def _described(submission: Submission, folder: Path) -> dict[str, Any]:
    """Describe a submission, without secrets; files have no folder, since it is another each time."""

    def bare(value: str) -> str:
        return masked(value.replace(f"{folder}/", ""))

    models = {str(file): digest for file, digest in files_of(list(submission.models)).items()} if submission.put else {}
    return {
        "job": submission.planned.name,
        "target": submission.target.name,
        "url": masked(submission.target.url),
        "packages": {
            p.file.name: {"sha256": p.sha256, "bytes": p.file.stat().st_size, "contents": list(p.contents)}
            for p in submission.packages
        },
        **({"models": {"uri": submission.put, "sha256": models}} if submission.put else {}),
        "options": {
            key: MASK if names_secret(key) else bare(value) for key, value in sorted(submission.options.items())
        },
        "plan": {"sha256": submission.plan.digest, "operators": len(submission.plan.operators)},
        "statements": [*map(masked_options, submission.planned.inserts)],
    }
