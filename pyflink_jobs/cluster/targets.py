"""The targets that jobs are submitted to: `[tool.millstream.targets.NAME]` in `pyproject.toml`.

[tool.millstream.targets.production]
kind = "session"                               # a running cluster: jobs are sent to its REST interface
url = "http://flink.example.com:8081"
python = "/opt/venv/bin/python"                # on the workers
models = "s3://bucket/models"                  # instead of an archive with each job
flink_conf = "flink-conf/production.yaml"
parallelism = 8
options = { "execution.checkpointing.interval" = "30 s" }
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import Finding, Place, ProjectError, did_you_mean
from pyflink_jobs.local import flink_cluster

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project

__all__ = ["LOCAL", "Target", "read_targets", "target_named"]

LOCAL = "local"
"""The target that needs no setting: the cluster that `millstream up --cluster` starts."""

_KINDS = ("session", "application", "kubernetes")


@dataclass(frozen=True)
class Target:
    """A target; empty settings are left to the cluster.

    `kind` is "session" (a running cluster, at `url`), "application" (Flink's command line starts a cluster on
    Kubernetes for the job) or "kubernetes" (the operator does, for a FlinkDeployment); both use `namespace`,
    `service_account` and `image`, which contains the project. `python` is the workers' interpreter, `models` a URI to
    put models at; a `parallelism` of 0 means the project's.
    """

    name: str
    kind: str = "session"
    url: str = ""
    python: str = ""
    models: str = ""
    flink_conf: str = ""
    parallelism: int = 0
    image: str = ""
    namespace: str = "default"
    service_account: str = "flink"
    options: dict[str, str] = field(default_factory=dict)


def read_targets(project: Project) -> dict[str, Target]:
    """Return a project's targets by name, including the local cluster.

    Raises ProjectError for a setting that is unknown, missing or of the wrong type.
    """
    file = project.root / "pyproject.toml"
    tables = tomllib.loads(file.read_text()).get("tool", {}).get("millstream", {}).get("targets", {})
    findings: list[Finding] = []
    targets = {name: _target(name, table, Place(project.relative(file)), findings) for name, table in tables.items()}
    if findings:
        raise ProjectError(findings)
    cluster = flink_cluster.alive(project.state)
    return {LOCAL: Target(LOCAL, url=cluster.url if cluster else ""), **targets}


def target_named(project: Project, name: str) -> Target:
    """Return a target; raises ProjectError for an unknown name, and for the local cluster if it does not run."""
    targets = read_targets(project)
    if name not in targets:
        raise ProjectError(
            f"there is no target `{name}`",
            place=Place(project.relative(project.root / "pyproject.toml")),
            facts=(f"targets: {', '.join(targets)}",),
            fixes=did_you_mean(name, targets, f"declare it: [tool.millstream.targets.{name}]", fix="did you mean {}?"),
        )
    if name == LOCAL and not targets[name].url:
        raise ProjectError(
            "the local Flink cluster does not run",
            fixes=("start it: millstream up --cluster", "name another target: --target NAME"),
        )
    return targets[name]


def _target(name: str, table: dict[str, Any], place: Place, findings: list[Finding]) -> Target:
    """Return a target; add mistakes to `findings`."""
    kinds = {"parallelism": int, "options": dict}
    known = {f.name: kinds.get(f.name, str) for f in fields(Target) if f.name != "name"}
    section = f"[tool.millstream.targets.{name}]"
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            facts = (f"known are: {', '.join(known)}",)
            message = f"{section}: unknown setting `{key}`"
            findings.append(Finding(message, place, facts, did_you_mean(key, known, "leave it out")))
        elif type(value) is not known[key]:
            wanted = known[key].__name__
            findings.append(Finding(f"{section}: `{key}` is {value!r}, expected a value of type {wanted}", place))
        else:
            values[key] = {k: str(v) for k, v in value.items()} if isinstance(value, dict) else value
    target = Target(name, **values)
    needed = {"session": "url", "application": "image", "kubernetes": "image"}.get(target.kind)
    if needed is None:
        findings.append(Finding(f"{section}: kind `{target.kind}`, expected one of {', '.join(_KINDS)}", place))
    elif not getattr(target, needed):
        findings.append(Finding(f"{section}: a target of kind `{target.kind}` needs `{needed}`", place))
    return target
