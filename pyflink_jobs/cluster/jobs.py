"""Jobs on a cluster: find them by name, wait until they run, stop them."""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError

from pyflink_jobs.causes import summarize
from pyflink_jobs.cluster.causes import cause
from pyflink_jobs.cluster.submit import PLAN
from pyflink_jobs.cluster.targets import LOCAL
from pyflink_jobs.errors import ClusterError, JobError, did_you_mean
from pyflink_jobs.planning.compile.compiled_plan import Plan
from pyflink_jobs.rest import Rest

if TYPE_CHECKING:
    from pyflink_jobs.cluster.targets import Target

__all__ = [
    "RunningJob",
    "cancel",
    "connect",
    "first_checkpoint",
    "job_named",
    "jobs",
    "plan_of",
    "stop_with_savepoint",
    "wait_until_running",
    "wait_until_state",
]

_ENDED = ("FINISHED", "CANCELED", "FAILED")
_POLL = 0.3  # seconds between two polls
_GIVE_UP = 3  # failures of a new job after which it counts as broken


@dataclass(frozen=True)
class RunningJob:
    """A job as its cluster reports it; times are seconds of the Unix epoch, `ended` is 0 while it runs."""

    id: str
    name: str
    state: str
    started: float
    ended: float
    tasks: int
    checkpoints: int
    failures: int


def connect(target: Target) -> Rest:
    """Return a target's REST interface; raises ClusterError where no Flink answers."""
    if target.kind != "session":
        raise ClusterError(
            f"target `{target.name}` is of kind `{target.kind}`: each of its jobs has a cluster of its own",
            fixes=("list them with the tools of the platform, such as kubectl get flinkdeployments",),
        )
    rest = Rest(target.url.rstrip("/"), ca=target.ca, authorization=target.authorization)
    try:
        overview = replace(rest, patience=10).get("/overview")
    except (OSError, ValueError) as error:
        raise _no_answer(target, error) from error
    if not isinstance(overview, dict) or "flink-version" not in overview:
        raise _no_answer(target, ValueError("what answers is no Flink: its /overview has no `flink-version`"))
    return rest


def _no_answer(target: Target, error: Exception) -> ClusterError:
    """Return the error for a target that does not answer as Flink does, with the settings to correct."""
    reason = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
    ways = ["correct `url` of the target, with its path"]
    if isinstance(error, HTTPError) and error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        ways = ["give the target a login: `user` and `password`, or `token`"]
        if target.authorization:
            ways = ["correct the login of the target: `user` and `password`, or `token`"]
    elif isinstance(reason, ssl.SSLError):
        ways = ["name the certificates to trust: `ca` of the target, a file in PEM form", *ways]
    elif target.name == LOCAL:
        ways = []
    return ClusterError(
        f"no Flink cluster answers at {target.url}",
        facts=(f"target `{target.name}`: {reason}",),
        fixes=(*ways, "start a cluster on this machine: millstream up --cluster"),
    )


def jobs(rest: Rest, *, ended: bool = False) -> list[RunningJob]:
    """Return the jobs of a cluster, the newest first; with `ended`, also those that have ended."""
    found = []
    for job in rest.get("/jobs/overview")["jobs"]:
        if job["state"] in _ENDED and not ended:
            continue
        counts: dict[str, Any] = {}
        with suppress(HTTPError):  # a job without checkpoints
            counts = rest.get(f"/jobs/{job['jid']}/checkpoints")["counts"]
        failures = len(rest.get(f"/jobs/{job['jid']}/exceptions")["exceptionHistory"]["entries"])
        started, over = job["start-time"] / 1000, max(job["end-time"], 0) / 1000
        completed = counts.get("completed", 0)
        found.append(
            RunningJob(job["jid"], job["name"], job["state"], started, over, job["tasks"]["total"], completed, failures)
        )
    return sorted(found, key=lambda job: job.started, reverse=True)


def job_named(rest: Rest, name: str) -> RunningJob:
    """Return the running job with this name or id; raises JobError if there is none, or several."""
    running = jobs(rest)
    found = [job for job in running if name in (job.name, job.id)]
    if len(found) == 1:
        return found[0]
    if found:
        facts = tuple(f"{job.id}, {job.state}" for job in found)
        raise JobError(f"{len(found)} jobs named `{name}` run", facts=facts, fixes=("use the id of one",))
    names = [job.name for job in running]
    raise JobError(
        f"no job `{name}` runs at {rest.url}",
        facts=(f"these run: {', '.join(names) or 'none'}",),
        fixes=did_you_mean(name, names, f"submit it: millstream submit {name}", fix="did you mean {}?"),
    )


def plan_of(rest: Rest, job: RunningJob) -> Plan | None:
    """Return the plan that a job was submitted with, None for one that Millstream did not submit."""
    config = rest.get(f"/jobs/{job.id}/config").get("execution-config", {}).get("user-config", {})
    return Plan.unpacked(config[PLAN]) if PLAN in config else None


def stop_with_savepoint(rest: Rest, job: RunningJob, folder: str = "", *, within: float = 600) -> str:
    """Stop a job and return the path of its savepoint; raises ClusterError if that fails: the job then still runs."""
    body = {"drain": False, **({"targetDirectory": folder} if folder else {})}
    try:
        request = rest.post(f"/jobs/{job.id}/stop", body)["request-id"]
    except HTTPError as error:
        raise _refused(f"job `{job.name}` cannot be stopped", error) from error
    location: str = rest.finished(f"/jobs/{job.id}/savepoints/{request}", within)["location"]
    wait_until_state(rest, job.id, _ENDED, within)
    return location


def cancel(rest: Rest, job_id: str, *, within: float = 120) -> None:
    """Stop a job without a savepoint."""
    rest.patch(f"/jobs/{job_id}?mode=cancel")
    wait_until_state(rest, job_id, _ENDED, within)


def wait_until_running(rest: Rest, job_id: str, within: float) -> None:
    """Wait until all tasks of a job run; raises JobError if it fails, or does not run `within` so many seconds."""
    deadline = time.monotonic() + within
    while True:
        job = rest.get(f"/jobs/{job_id}")
        if job["state"] == "FINISHED" or all(
            vertex["status"] in ("RUNNING", "FINISHED") and _all_run(vertex) for vertex in job["vertices"]
        ):
            return
        entries = rest.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
        if job["state"] in _ENDED or len(entries) >= _GIVE_UP or time.monotonic() > deadline:
            causes = tuple(dict.fromkeys(cause(entry["stacktrace"]) for entry in entries[:_GIVE_UP]))
            late = f"does not run after {within:.0f} seconds" if time.monotonic() > deadline else "fails"
            trace = entries[0]["stacktrace"] if entries else ""
            raise JobError(f"job `{job['name']}` {late}", facts=(f"it is {job['state']}", *causes), detail=trace)
        time.sleep(_POLL)


def first_checkpoint(rest: Rest, job_id: str, within: float) -> None:
    """Trigger a checkpoint and wait for it; raises JobError if there is none `within` so many seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            request = rest.post(f"/jobs/{job_id}/checkpoints", {"checkpointType": "CONFIGURED"})["request-id"]
            rest.finished(f"/jobs/{job_id}/checkpoints/{request}", max(1.0, deadline - time.monotonic()))
        except (HTTPError, ClusterError) as error:
            if time.monotonic() > deadline:
                raise JobError("the job makes no checkpoint", facts=(str(error),)) from error
            wait_until_running(rest, job_id, max(1.0, deadline - time.monotonic()))
            time.sleep(_POLL)
        else:
            return


def wait_until_state(rest: Rest, job_id: str, states: tuple[str, ...], within: float) -> None:
    """Wait until a job is in one of `states`; raises ClusterError if it is not `within` so many seconds."""
    deadline = time.monotonic() + within
    while (state := rest.get(f"/jobs/{job_id}")["state"]) not in states:
        if time.monotonic() > deadline:
            raise ClusterError(f"job {job_id} is still {state} after {within:.0f} seconds")
        time.sleep(_POLL)


def _all_run(vertex: dict[str, Any]) -> bool:
    tasks = vertex["tasks"]
    return int(tasks["RUNNING"]) + int(tasks["FINISHED"]) == int(vertex["parallelism"])


def _refused(what: str, error: HTTPError) -> ClusterError:
    trace = error.read().decode(errors="replace")
    return ClusterError(what, facts=(summarize(trace.replace("\\n", "\n"))[:500],), detail=trace)
