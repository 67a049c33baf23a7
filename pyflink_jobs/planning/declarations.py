"""What a project declares, read and checked as far as no JVM is needed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ContractError, Finding, MillstreamError, Place, ProjectError, did_you_mean
from pyflink_jobs.local.broker import bootstrap_servers
from pyflink_jobs.parsing.create_model import ModelDefinition, read_create_model
from pyflink_jobs.parsing.ml_predict import Call, find_calls
from pyflink_jobs.parsing.statements import Statement, read_sql
from pyflink_jobs.planning.checks.exactly_once import check_inserts
from pyflink_jobs.planning.checks.model_file import bind
from pyflink_jobs.planning.checks.monitor_options import Monitored, bind_monitor, read_monitor
from pyflink_jobs.planning.checks.source_rules import validated_sources
from pyflink_jobs.planning.companions.quarantine_sql import QUARANTINE
from pyflink_jobs.planning.dependencies import in_order, needed_by
from pyflink_jobs.project.model_files import find_model

if TYPE_CHECKING:
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource
    from pyflink_jobs.project.settings import Project
    from udfs.scoring.model import ModelSpec

__all__ = ["Declarations", "Model", "declare"]


@dataclass(frozen=True)
class Model:
    """A model as SQL declares it, what a worker needs to run it, and how it is monitored, if it is."""

    definition: ModelDefinition
    spec: ModelSpec
    monitored: Monitored | None = None


@dataclass(frozen=True)
class Declarations:
    """All a project declares: `created` in an order that loads, jobs by file name, models that keep the contract.

    `findings` are the mistakes seen so far; a model with one is not among `models`, its name is in `broken`.
    `validated` has the sources whose records are checked.
    """

    created: list[Statement]
    jobs: dict[str, list[Statement]]
    models: dict[str, Model]
    broken: set[str]
    findings: list[Finding]
    validated: dict[str, ValidatedSource] = field(default_factory=dict)

    def needed(self, job: list[Statement]) -> list[Statement]:
        """Return those of `created` that a job reads or writes; of one that scores, `quarantine` as well."""
        needed = needed_by(job, self.created)
        if any(map(find_calls, [*needed, *job])):
            needed = needed_by([*job, *(s for s in self.created if s.name == QUARANTINE)], self.created)
        return needed

    def job(self, name: str) -> list[Statement]:
        """Return a job's statements; raises ProjectError for a name without a file in sql/jobs/."""
        if name not in self.jobs:
            raise ProjectError(
                f"there is no job `{name}`",
                facts=(f"sql/jobs/ has: {', '.join(sorted(self.jobs)) or 'nothing'}",),
                fixes=did_you_mean(name, self.jobs, f"write it: sql/jobs/{name}.sql", fix="did you mean {}?"),
            )
        return self.jobs[name]

    def refuse_findings(self, statements: list[Statement]) -> None:
        """Raise ContractError with the findings that concern `statements`, if there are any."""
        files = {statement.file for statement in statements}
        concerning = [finding for finding in self.findings if finding.place is None or finding.place.file in files]
        # A damaged model's finding stands in the model's file, not in the statement's.
        if concerning or any(statement.name in self.broken for statement in statements):
            raise ContractError(concerning or self.findings)


def declare(project: Project, kafka: str | None = None) -> Declarations:
    """Read a project's SQL and models, and check all that takes no JVM; `kafka` is the broker's address if not None.

    Raises SqlError where files cannot be read at all; what can be collected is in `findings`.
    """
    values = {"KAFKA_BOOTSTRAP_SERVERS": kafka or bootstrap_servers(project), **os.environ}
    folders = read_sql(project.root, values)
    created = in_order(s for folder, statements in folders.items() if folder != "jobs" for s in statements)
    jobs: dict[str, list[Statement]] = {}
    for statement in folders["jobs"]:
        jobs.setdefault(statement.file.stem, []).append(statement)
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
    for statement in [*created, *folders["jobs"]]:
        findings += _check_calls(statement, models, broken)
    validated, problems = validated_sources(folders["sources"], {statement.name for statement in created})
    problems += [finding for job in jobs.values() for finding in check_inserts(job, created)]
    return Declarations(created, jobs, models, broken, [*findings, *problems], validated)


def _bind_model(project: Project, statement: Statement) -> tuple[Model | None, list[Finding]]:
    try:
        definition = read_create_model(statement)
        version = definition.options.get("version")
        place = version.place if version else definition.place
        file = find_model(project, definition.name, version.value if version else None, place)
        spec, findings = bind(definition, file, project.relative(file.onnx), project.settings.worker_bytes)
        options, problems = read_monitor(definition)
        monitored = None
        if spec and options:
            monitored, problems = bind_monitor(definition, options, spec, project)
    except MillstreamError as error:
        return None, error.findings
    findings += problems
    return (Model(definition, spec, monitored) if spec and not findings else None), findings


def _check_calls(statement: Statement, models: dict[str, Model], broken: set[str]) -> list[Finding]:
    try:
        calls = find_calls(statement)
    except MillstreamError as error:
        return error.findings
    findings = []
    for call in calls:
        if call.model.text in models:
            findings += _check_descriptor(call, models[call.model.text].definition)
        elif call.model.text not in broken:
            findings.append(_unknown_model(call, [*models, *broken]))
        if call.query:
            findings += _check_calls(call.query, models, broken)
    return findings


def _unknown_model(call: Call, known: list[str]) -> Finding:
    return Finding(
        f"there is no model `{call.model.text}`",
        call.model.place,
        (f"sql/models/ declares: {', '.join(sorted(known)) or 'nothing'}",),
        did_you_mean(call.model.text, known, "declare it with CREATE MODEL in sql/models/"),
    )


def _check_descriptor(call: Call, definition: ModelDefinition) -> list[Finding]:
    """Compare a call's columns with INPUT: Flink maps them by position."""
    names = [column.text for column in call.columns]
    inputs = [column.name for column in definition.inputs]
    facts = (f"{_at(definition.inputs[0].place)}: INPUT ({', '.join(inputs)})",)
    if len(names) != len(inputs):
        message = f"DESCRIPTOR names {len(names)} columns, model `{definition.name}` takes {len(inputs)}"
        return [Finding(message, call.columns[0].place, facts, ("name one column for each input, in INPUT's order",))]
    for column, wanted in zip(call.columns, inputs, strict=True):
        if column.text != wanted and column.text in inputs:
            message = f"column `{column.text}` stands where model `{definition.name}` takes `{wanted}`"
            way = "put the columns of DESCRIPTOR in INPUT's order: they count by position"
            return [Finding(message, column.place, facts, (way,))]
    return []


def _at(place: Place) -> str:
    return f"{place.file}:{place.line}"
