"""What a project declares: data only, made by `declare`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ContractError, ProjectError, did_you_mean
from pyflink_jobs.parsing.ml_predict import all_calls
from pyflink_jobs.planning.dependencies import in_order, needed_by, tables_of_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.parsing.ml_predict import Call
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.addition import Addition
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource
    from udfs.scoring.model import ModelSpec

__all__ = ["Declarations", "Job", "Model"]


@dataclass(frozen=True)
class Model:
    """A model as SQL declares it, what a worker needs to run it, and its additions by the companion's name.

    `warnings` are about what works, but not as well as it might.
    """

    definition: ModelDefinition
    spec: ModelSpec
    additions: Mapping[str, Addition]
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Job:
    """A job, with all that planning, running and auditing ask of it.

    `own` are the statements of its file; `needed` those that it reads or writes, in an order that loads. `models` are
    those that its calls name, `tables` the tables it reads or writes that have columns of their own, `validated` its
    sources whose records are checked, each by name. `findings` are the mistakes that concern it.
    """

    name: str
    own: list[Statement]
    needed: list[Statement]
    models: Mapping[str, Model]
    tables: Mapping[str, SourceTable]
    validated: Mapping[str, ValidatedSource]
    findings: list[Finding]

    @property
    def statements(self) -> list[Statement]:
        """All statements: those it needs, then its own."""
        return [*self.needed, *self.own]

    @property
    def inserts(self) -> list[Statement]:
        """Its own INSERT statements."""
        return [statement for statement in self.own if statement.kind == "INSERT INTO"]

    @cached_property
    def calls(self) -> list[Call]:
        """The ML_PREDICT calls of all its statements, those in sub-queries too."""
        return [call for statement in self.statements for call in all_calls(statement)]

    @cached_property
    def system_tables(self) -> set[str]:
        """The system tables that it writes."""
        models = [s for s in self.needed if s.kind == "CREATE MODEL"]
        return {table for model in models for table in tables_of_model(model)} & {s.name or "" for s in self.needed}

    @cached_property
    def written(self) -> set[str]:
        """The names of the tables that it writes."""
        return {insert.name or "" for insert in self.inserts} | self.system_tables

    @property
    def sources(self) -> dict[str, SourceTable]:
        """The tables that it reads."""
        return {name: table for name, table in self.tables.items() if name not in self.written}

    def read_by(self, statement: Statement) -> list[Statement]:
        """Return the statements that one of the job's statements reads or writes, directly or through others."""
        views = [s for s in self.own if s.kind == "CREATE VIEW"]
        return needed_by([statement], in_order([*self.needed, *views]))

    def sources_of(self, statement: Statement) -> dict[str, SourceTable]:
        """Return the tables that a statement reads, directly or through views."""
        read = [statement] if statement.kind == "CREATE TABLE" else self.read_by(statement)
        names = {one.name for one in read}
        return {name: table for name, table in self.sources.items() if name in names}

    def refuse_findings(self) -> None:
        """Raise ContractError with the findings that concern the job, if there are any."""
        if self.findings:
            raise ContractError(self.findings)


@dataclass(frozen=True)
class Declarations:
    """All a project declares: `created` in an order that loads, jobs by file name, models that fit their files.

    `findings` are the mistakes seen so far; a model with one is not among `models`, its name is in `broken`.
    `tables` are those with columns of their own, `validated` the sources whose records are checked, each by name.
    """

    created: list[Statement]
    models: Mapping[str, Model]
    tables: Mapping[str, SourceTable]
    validated: Mapping[str, ValidatedSource]
    broken: set[str]
    findings: list[Finding]
    files: Mapping[str, list[Statement]]

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """The jobs by name."""
        return {name: self.make_job(name, own) for name, own in self.files.items()}

    def job(self, name: str) -> Job:
        """Return a job; raises ProjectError for a name without a file in sql/jobs/."""
        if name not in self.files:
            raise ProjectError(
                f"there is no job `{name}`",
                facts=(f"sql/jobs/ has: {', '.join(sorted(self.files)) or 'nothing'}",),
                fixes=did_you_mean(name, self.files, f"write it: sql/jobs/{name}.sql", fix="did you mean {}?"),
            )
        return self.jobs[name]

    def make_job(self, name: str, own: list[Statement], more: Iterable[Statement] = ()) -> Job:
        """Return a job of the statements `own`, which may use `more` CREATE statements beside the project's."""
        needed = needed_by(own, [*self.created, *more])
        names = {statement.name or "" for statement in needed}
        return Job(
            name,
            own,
            needed,
            {model: self.models[model] for model in self.models if model in names},
            {table: self.tables[table] for table in self.tables if table in names},
            {source: self.validated[source] for source in self.validated if source in names},
            self.concerning([*own, *needed]),
        )

    def concerning(self, statements: list[Statement]) -> list[Finding]:
        """Return the findings that concern statements."""
        files = {statement.file for statement in statements}
        found = [finding for finding in self.findings if finding.place is None or finding.place.file in files]
        # The finding of a damaged model names the model's file, not the statement's.
        return found or (self.findings if any(statement.name in self.broken for statement in statements) else [])
