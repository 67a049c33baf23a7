"""Submit a job to a running cluster: plan it here, pack what its workers need, send it over the REST interface."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflink_jobs.cluster.java_client import rest_options, set_login, write_certificates
from pyflink_jobs.cluster.pack_python import pack_environment
from pyflink_jobs.cluster.ship_models import files_of, located_at, located_in_archive, pack_models, put_models
from pyflink_jobs.cluster.targets import LOCAL
from pyflink_jobs.errors import JobError
from pyflink_jobs.planning.compile.compiled_plan import COMPILING, Plan, compile_plan
from pyflink_jobs.planning.compile.plan import PlannedJob, plan_job
from pyflink_jobs.planning.compile.state_names import name_states
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.planning.flink.errors import read_exception
from pyflink_jobs.project.flink_options import read_configuration, with_all_files
from pyflink_jobs.project.functions import pack_functions
from pyflink_jobs.project.interpreter import embedded_options
from pyflink_jobs.project.pack_files import MODELS_FOLDER, Package, pack_code
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job_topics import prepare_topics

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.cluster.targets import Target
    from pyflink_jobs.planning.declarations import Job, Model
    from pyflink_jobs.project.settings import Project

__all__ = ["PLAN", "Submission", "prepare", "send"]

PLAN = "millstream.plan"
"""The parameter of a submitted job that has its plan, for an upgrade from any machine."""

_DEFAULTS = {
    # A job must survive the loss of a machine, even if the cluster's own configuration has no such options.
    "execution.checkpointing.interval": "30 s",
    "restart-strategy.type": "exponential-delay",
}


@dataclass(frozen=True)
class Submission:
    """A job that is ready to be sent.

    `packages` are the files that are sent with it, `models` those that it calls; `put` is the URI for them, or "".
    """

    target: Target
    planned: PlannedJob
    plan: Plan
    packages: tuple[Package, ...]
    models: tuple[Model, ...]
    put: str

    @property
    def options(self) -> dict[str, str]:
        """All options of Flink that are not left to the cluster."""
        return dict(self.planned.environment.get_config().get_configuration().to_dict())


def prepare(
    project: Project, name: str, target: Target, folder: Path, *, ship_env: bool = False, kafka: str | None = None
) -> Submission:
    """Plan a job for a target and write its packages into `folder`; nothing is sent.

    For a target other than a session, Flink's own configuration says where and how the job runs.
    With `ship_env` the workers get this Python environment. Raises what planning raises.
    """
    job = declare(project, kafka).job(name)
    models = tuple(job.models.values())
    packages, options = _pack(project, models, target, folder, ship_env=ship_env)
    options |= {"pipeline.name": name, **COMPILING}
    if target.kind == "session":
        options = with_all_files(options, _of_session(project, target, folder))
        if target.name == LOCAL:  # its Python is this one
            options = with_all_files(embedded_options({"python.executable": sys.executable, **options}), options)
        set_login(target)
    environment = table_environment(project, options, remote=True)
    write_certificates(target, folder)
    planned = plan_job(_located(job, project, target), environment)
    plan = compile_plan(planned)
    plan = replace(plan, names=name_states(plan, planned))
    return Submission(target, planned, plan, packages, models, target.models)


def send(submission: Submission, folder: Path, savepoint: str = "", *, lose: bool = False) -> str:
    """Send a job and return its id; it starts from the state of `savepoint`, if one is named.

    With `lose`, state of the savepoint that no operator uses is discarded. Raises JobError with the cause if the
    cluster rejects the job, and KafkaError for a missing topic.
    """
    planned = submission.planned
    prepare_topics(planned.sources, planned.sinks)
    if submission.put:
        put_models(list(submission.models), submission.put)
    config = planned.environment.get_config()
    config.set(f"pipeline.global-job-parameters.{PLAN}", submission.plan.packed())
    if savepoint:
        config.set("execution.state-recovery.path", savepoint)
        config.set("execution.state-recovery.ignore-unclaimed-state", str(lose).lower())
    file = folder / "plan.json"
    file.write_text(submission.plan.text)
    try:
        client = planned.environment.execute_sql(f"EXECUTE PLAN '{file}'").get_job_client()
    except Exception as error:
        message = read_exception(error)
        raise JobError(f"job `{planned.name}` was not accepted: {message.text}", detail=message.trace) from error
    return str(client.get_job_id())


def _of_session(project: Project, target: Target, folder: Path) -> dict[str, str]:
    """Return the options that send a job to a running cluster."""
    sending = {
        "execution.target": "remote",
        "execution.attached": "false",
        **rest_options(target, folder),
        "parallelism.default": str(target.parallelism or project.settings.parallelism),
    }
    own = read_configuration(project, target.flink_conf) if target.flink_conf else {}
    return with_all_files(_DEFAULTS, own, sending, target.options)


def _located(job: Job, project: Project, target: Target) -> Job:
    return located_at(job, target.models) if target.models else located_in_archive(job, project)


def _pack(
    project: Project, models: tuple[Model, ...], target: Target, folder: Path, *, ship_env: bool
) -> tuple[tuple[Package, ...], dict[str, str]]:
    """Return the packages of a job, and the options that send them with it."""
    code = pack_code(folder)
    packages, archives = [code], []
    if functions := pack_functions(project, folder):
        packages.append(functions)
    options = {"python.files": ",".join(str(package.file) for package in packages)}
    if files_of(list(models)) and not target.models:
        packed = pack_models(project, list(models), folder)
        packages.append(packed)
        archives.append(f"{packed.file}#{MODELS_FOLDER}")
    if ship_env:
        environment = pack_environment(folder)
        packages.append(environment)
        archives.append(f"{environment.file}#python")
        options["python.executable"] = "python/bin/python"
    elif target.python:
        options["python.executable"] = target.python
    if archives:
        options["python.archives"] = ",".join(archives)
    return tuple(packages), options
