"""Flink's plan of a job, kept from one `run` to the next: what has not changed is not optimised again.

Of a start of the flights' job, a third was Flink's optimiser, whose code runs for the first time in each JVM. A plan
names tables and functions; they are created at each start, from the SQL.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.tokens import literal
from pyflink_jobs.planning.compile.compiled_plan import COMPILING
from pyflink_jobs.running.fast_start.fingerprint import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink.table import TableResult

    from pyflink_jobs.planning.compile.plan import PlannedJob
    from pyflink_jobs.project.settings import Project

__all__ = ["start"]

_FOLDER = "plans"
_KEPT = 4  # of a job: bounded and not, with this parallelism and that


def start(project: Project, planned: PlannedJob) -> TableResult:
    """Submit a job, by the plan that was kept if all that it depends on is the same; else keep its plan.

    Raises what Flink raises where it cannot be planned, or is not accepted.
    """
    if not _may_be_kept(project, planned):
        return planned.statements.execute()
    for key, value in COMPILING.items():
        planned.environment.get_config().set(key, value)
    file = project.state / _FOLDER / f"{planned.name}.{_digest(planned)[:32]}.json"
    if file.is_file():
        try:
            return planned.environment.execute_sql(f"EXECUTE PLAN {literal(str(file))}")
        except Exception:  # noqa: BLE001 - whatever it is, planning again gives the right error
            file.unlink(missing_ok=True)
    compiled = planned.statements.compile_plan()
    result = compiled.execute()
    _keep(file, planned.name, compiled.as_json_string())  # now that the job starts, there is time
    return result


def _may_be_kept(project: Project, planned: PlannedJob) -> bool:
    """Return whether a job's plan is decided by what can be digested.

    What a function in Python returns is for its module to say. Replays and dry runs are of one time.
    """
    run = planned.planning.run
    functions = any(statement.kind == "CREATE FUNCTION" for statement in planned.job.statements)
    return project.settings.speedups and not functions and run.places is None and run.dry_run is None


def _digest(planned: PlannedJob) -> str:
    """Return a digest of all that decides a plan: SQL, functions, options, and the programs that plan."""
    options = planned.environment.get_config().get_configuration().to_dict()
    facts = [
        fingerprint(),
        repr(planned.planning.run),
        *(statement.text for statement in planned.job.statements),
        *planned.inserts,
        *(sql for view in planned.views for sql in view.views.values()),
        *(f"{name} {digest}" for name, digest in sorted(planned.functions.items())),
        *(f"{key}={value}" for key, value in sorted(options.items()) if not key.startswith("rest.")),  # the cluster's
    ]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _keep(file: Path, job: str, text: str) -> None:
    """Write a plan, and delete the oldest ones of its job. A disk that is full is no reason to end a job."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        private = file.with_suffix(".new")
        private.write_text(text)
        private.replace(file)
        kept = [plan for plan in file.parent.iterdir() if plan.name.startswith(f"{job}.")]
        for old in sorted(kept, key=lambda plan: plan.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
