"""The model that a profile is built for, as SQL declares it; its profile may not exist yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ContractError, ProjectError, did_you_mean
from pyflink_jobs.parsing.create_model import read_create_model
from pyflink_jobs.planning.checks.model_file import bind
from pyflink_jobs.planning.companions.monitor_options import read_monitor
from pyflink_jobs.planning.project_sql import read_project_sql
from pyflink_jobs.project.model_files import find_model

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.planning.companions.monitor_options import MonitorOptions
    from pyflink_jobs.project.settings import Project
    from udfs.scoring.model import ModelSpec

__all__ = ["Subject", "find_subject"]


@dataclass(frozen=True)
class Subject:
    """A declared model, one version of its file, and the options of its monitor, if it has one."""

    definition: ModelDefinition
    spec: ModelSpec
    options: MonitorOptions | None


def find_subject(project: Project, name: str, version: str | None) -> Subject:
    """Return a model by its name, of a version of its file; None is the version that SQL uses.

    Raises ProjectError for an unknown model, ModelError and ContractError if SQL and file do not fit.
    """
    statements = {s.name or "": s for s in read_project_sql(project)["models"] if s.kind == "CREATE MODEL"}
    if name not in statements:
        raise ProjectError(
            f"there is no model `{name}`",
            facts=(f"sql/models/ declares: {', '.join(sorted(statements)) or 'nothing'}",),
            fixes=did_you_mean(name, statements, "declare it with CREATE MODEL in sql/models/", fix="did you mean {}?"),
        )
    definition = read_create_model(statements[name])
    used = definition.options.get("version")
    file = find_model(project, name, version or (used.value if used else None), definition.place)
    spec, findings, _ = bind(definition, file, project.relative(file.onnx), project.settings.worker_bytes)
    options, problems = read_monitor(definition)
    if spec is None or findings or problems:
        raise ContractError([*findings, *problems])
    return Subject(definition, spec, options)
