"""Read a project's SQL and models, and check all that takes no JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.parsing.create_model import read_create_model
from pyflink_jobs.parsing.create_table import read_source
from pyflink_jobs.planning.checks.calls import check_calls
from pyflink_jobs.planning.checks.exactly_once import check_inserts
from pyflink_jobs.planning.checks.model_file import bind
from pyflink_jobs.planning.checks.origin import Origins
from pyflink_jobs.planning.checks.samples import check_samples
from pyflink_jobs.planning.checks.source_rules import validated_sources
from pyflink_jobs.planning.companion import companions
from pyflink_jobs.planning.declarations import Declarations, Model
from pyflink_jobs.planning.dependencies import in_order
from pyflink_jobs.planning.project_sql import read_project_sql
from pyflink_jobs.project.model_files import find_model

if TYPE_CHECKING:
    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.project.settings import Project

__all__ = ["declare"]


def declare(project: Project, kafka: str | None = None) -> Declarations:
    """Return what a project declares; `kafka` is the broker's address if not None.

    Raises SqlError where files cannot be read at all; what can be collected is in `findings`.
    """
    folders = read_project_sql(project, kafka)
    created = in_order(s for folder, statements in folders.items() if folder != "jobs" for s in statements)
    models: dict[str, Model] = {}
    broken: set[str] = set()
    findings: list[Finding] = []
    for statement in created:
        if statement.kind != "CREATE MODEL":
            continue
        model, problems = _bind_model(project, statement)
        findings += problems
        if model:
            models[statement.name or ""] = model
        else:
            broken.add(statement.name or "")
    validated, problems = validated_sources(folders["sources"], {statement.name for statement in created})
    findings += problems
    origins = Origins({statement.name or "": statement for statement in created}, validated)
    for statement in [*created, *folders["jobs"]]:
        findings += check_calls(statement, models, broken, origins)
    tables = {s.name or "": table for s in created if s.kind == "CREATE TABLE" and (table := read_source(s))}
    files: dict[str, list[Statement]] = {}
    for statement in folders["jobs"]:
        files.setdefault(statement.file.stem, []).append(statement)
    declared = Declarations(created, models, tables, validated, broken, findings, files)
    # A job has the findings that concern it, so its own come before it is made.
    findings += [finding for name, own in files.items() for finding in check_inserts(declared.make_job(name, own))]
    return declared


def _bind_model(project: Project, statement: Statement) -> tuple[Model | None, list[Finding]]:
    try:
        definition = read_create_model(statement)
        version = definition.options.get("version")
        place = version.place if version else definition.place
        file = find_model(project, definition.name, version.value if version else None, place)
        shown, memory = project.relative(file.onnx), project.settings.worker_bytes
        spec, findings, warnings = bind(definition, file, shown, memory)
        findings += check_samples(spec, project.relative) if spec else []
        additions = {}
        for companion in companions():
            added, problems = companion.bind(definition, spec, project)
            findings += problems
            if added:
                additions[companion.name] = added
    except MillstreamError as error:
        return None, error.findings
    return (Model(definition, spec, additions, warnings) if spec and not findings else None), findings
