"""The targets that jobs are submitted to: `[tool.millstream.targets.NAME]` in `pyproject.toml`.

[tool.millstream.targets.production]
kind = "session"                               # a running cluster: jobs are sent to its REST interface
url = "https://flink.example.com/team"         # with its path
ca = "certificates/ca.pem"                     # to trust in place of the system's
user = "millstream"                            # a login, or a `token`
password = "${FLINK_PASSWORD}"                 # from the environment, as any setting may be
python = "/opt/venv/bin/python"                # on the workers
models = "s3://bucket/models"                  # instead of an archive with each job
flink_conf = "flink-conf/production.yaml"
parallelism = 8
options = { "execution.checkpointing.interval" = "30 s" }
"""

from __future__ import annotations

import base64
import os
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyflink_jobs.errors import Finding, Place, ProjectError, did_you_mean
from pyflink_jobs.local import flink_cluster
from pyflink_jobs.masking import remember_options
from pyflink_jobs.parsing.variables import fill_in_text

if TYPE_CHECKING:
    from pyflink_jobs.project.settings import Project

__all__ = ["LOCAL", "Target", "read_targets", "target_named"]

LOCAL = "local"
"""The target that needs no setting: the cluster that `millstream up --cluster` starts."""

_SECRETS = ("password", "token")
_KINDS = ("session", "application", "kubernetes")


@dataclass(frozen=True)
class Target:
    """A target; empty settings are left to the cluster.

    `kind` is "session" (a running cluster, at `url`), "application" (Flink's command line starts a cluster on
    Kubernetes for the job) or "kubernetes" (the operator does, for a FlinkDeployment); both use `namespace`,
    `service_account` and `image`, which contains the project. `ca` is a file, relative to the project, of
    certificates that a session's TLS is verified with; `user` and `password`, or `token`, are what it asks for.
    `python` is the workers' interpreter, `models` a URI to put models at; a `parallelism` of 0 means the project's.
    """

    name: str
    kind: str = "session"
    url: str = ""
    ca: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    python: str = ""
    models: str = ""
    flink_conf: str = ""
    parallelism: int = 0
    image: str = ""
    namespace: str = "default"
    service_account: str = "flink"
    options: dict[str, str] = field(default_factory=dict)

    @property
    def authorization(self) -> str:
        """The header that the REST interface asks for, "" for none."""
        if self.token:
            return f"Bearer {self.token}"
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return f"Basic {login}" if self.user else ""


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
    return _filled(project, targets[name])


def _filled(project: Project, target: Target) -> Target:
    """Return a target with the values of `${NAME}` from the environment, and the whole path of its certificates.

    Raises ProjectError for a name without a value, and for a secret that is written in the file itself.
    """
    place = Place(project.relative(project.root / "pyproject.toml"))
    texts = {f.name: value for f in fields(target) if isinstance(value := getattr(target, f.name), str)}
    findings: list[Finding] = []
    filled: dict[str, Any] = {key: fill_in_text(value, place, os.environ, findings) for key, value in texts.items()}
    options = {key: fill_in_text(value, place, os.environ, findings) for key, value in target.options.items()}
    remember_options({**texts, **filled, **options})
    section = f"[tool.millstream.targets.{target.name}]"
    written = [key for key in _SECRETS if texts[key] and texts[key] == filled[key]]
    written += ["url"] if urlsplit(filled["url"]).password else []
    for key in written:
        better = "password" if key == "url" else key
        fix = f'take it from the environment: {better} = "${{FLINK_{better.upper()}}}"'
        findings.append(Finding(f"{section}: `{key}` has a secret in a file that others read", place, fixes=(fix,)))
    if filled["ca"]:
        filled["ca"] = str(project.root / filled["ca"])
        if not Path(filled["ca"]).is_file():
            message = f"{section}: there is no file of certificates {target.ca}"
            findings.append(Finding(message, place, fixes=("correct `ca`: a file with certificates in PEM form",)))
    if findings:
        raise ProjectError(findings)
    return replace(target, **filled, options=options)


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
