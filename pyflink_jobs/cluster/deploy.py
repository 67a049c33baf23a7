"""Deploy jobs with a cluster of their own: with Flink's command line, or with kubectl for the Kubernetes operator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING

from pyflink_jobs.causes import summarize
from pyflink_jobs.cluster.flink_run import application_options, configuration, described, flink_run
from pyflink_jobs.cluster.kubernetes import flink_deployment
from pyflink_jobs.errors import ClusterError
from pyflink_jobs.local.broker import bootstrap_servers
from pyflink_jobs.local.java import find_java
from pyflink_jobs.masking import MASK, masked
from pyflink_jobs.planning.compile.plan import plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.flink_options import read_configuration, with_all_files
from pyflink_jobs.running.environment import table_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink_jobs.cluster.targets import Target
    from pyflink_jobs.project.settings import Project

__all__ = ["deploy", "manifest"]


def deploy(project: Project, job: str, target: Target, *, dry_run: bool) -> str:
    """Plan a job, to find its mistakes, and deploy it; return what the tool printed.

    With `dry_run` nothing is deployed: the command or the manifest is returned.

    Raises what planning raises, and ClusterError if the tool is missing or fails.
    """
    plan_job(declare(project).job(job), table_environment(project))
    if target.kind == "kubernetes":
        text = manifest(project, job, target)
        return _shown(text) if dry_run else _run([_found("kubectl"), "apply", "-f", "-"], text)
    parallelism = target.parallelism or project.settings.parallelism
    words, options = flink_run(job), application_options(job, target, _options(project, target), parallelism)
    if dry_run:
        return _shown(described(words, options))
    with configuration(options) as variables:
        return _run(words, "", variables)


def _shown(text: str) -> str:
    """Return a text for people, without secrets, and say so."""
    shown = masked(text)
    return shown if shown == text else f"# {MASK} stands for a secret: fill it in where you use this\n{shown}"


def manifest(project: Project, job: str, target: Target) -> str:
    """Return the FlinkDeployment of a job, as YAML."""
    from ruamel.yaml import YAML

    rendered = flink_deployment(
        job,
        image=target.image,
        parallelism=target.parallelism or project.settings.parallelism,
        flink_configuration=_options(project, target),
        namespace=target.namespace,
        service_account=target.service_account,
        environment={"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers(project)},
    )
    text = StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(rendered, text)
    return text.getvalue()


def _options(project: Project, target: Target) -> dict[str, str]:
    own = read_configuration(project, target.flink_conf) if target.flink_conf else {}
    return with_all_files(own, target.options)


def _found(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise ClusterError(
            f"`{tool}` is not installed on this machine",
            fixes=(f"install {tool}", "print its input, and run it elsewhere: --dry-run"),
        )
    return path


def _run(words: list[str], given: str, variables: Mapping[str, str] | None = None) -> str:
    environment = {"JAVA_HOME": str(find_java().home), "PYFLINK_PYTHON": sys.executable, **(variables or {})}
    run = subprocess.run(
        words, input=given, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if run.returncode != 0:
        text = (run.stderr or run.stdout).strip()
        facts = (summarize(text),) if "\n\tat " in text else tuple(text.splitlines()[-3:])
        raise ClusterError(f"`{words[0]} {words[1]}` failed", facts=facts, detail=run.stdout + run.stderr)
    return run.stdout
