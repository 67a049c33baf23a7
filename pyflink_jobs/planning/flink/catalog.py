"""Load statements into a Flink catalog, each ML_PREDICT call behind a view of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import Finding, Place, SqlError
from pyflink_jobs.parsing.ml_predict import Call, expand
from pyflink_jobs.parsing.tokens import quoted, tokenize
from pyflink_jobs.planning.checks.input_columns import check_columns
from pyflink_jobs.planning.checks.origin import Origins
from pyflink_jobs.planning.flink.changes import changes
from pyflink_jobs.planning.flink.errors import read_exception
from pyflink_jobs.planning.flink.execution_mode import create_functions, in_jvm
from pyflink_jobs.planning.flink.java_functions import create_function
from pyflink_jobs.planning.flink.may_change import may_change
from pyflink_jobs.planning.flink.missing_names import fixes_of_name
from pyflink_jobs.planning.flink.python_functions import check_function
from pyflink_jobs.planning.flink.reserved_words import reserved_word
from pyflink_jobs.planning.flink.scoring_sql import input_arguments, late_sql, predictions_sql, riding_sql, scoring_sql
from pyflink_jobs.planning.flink.used_columns import used_columns
from pyflink_jobs.planning.rewrites.personal_data import HASH, KEY
from pyflink_jobs.planning.scored_view import ScoredView
from pyflink_jobs.planning.system_tables import LATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.declarations import Model
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["Catalog", "sql_error"]

_TIME = "*ROWTIME*"  # in the type of a column that is event time


@dataclass
class Catalog:
    """A table environment's catalog, filled statement by statement.

    `readers` are all statements that will be loaded or planned: what they read of a call is what its views have.
    Of a source among `validated`, statements get the valid rows. Calls that are `apart` are planned without conditions
    on their outputs: where nested fields are read, Flink cannot plan both in one step.
    """

    environment: TableEnvironment
    models: Mapping[str, Model]
    readers: list[Statement]
    validated: Mapping[str, ValidatedSource] = field(default_factory=dict)
    apart: bool = False
    views: list[ScoredView] = field(default_factory=list)
    statements: dict[str, Statement] = field(default_factory=dict)
    _functions: dict[str, bool] = field(default_factory=dict)
    _changing: dict[str, bool] = field(default_factory=dict)

    def load(self, statement: Statement) -> None:
        """Execute a CREATE statement; raises SqlError with file, line and column."""
        if statement.kind == "CREATE FUNCTION":
            check_function(statement, in_jvm=in_jvm(self.environment))
        source = self.validated.get(statement.name or "")
        text = source.table_sql if source else self.expanded(statement)
        try:
            self.environment.execute_sql(text)
        except Exception as error:  # PyFlink raises Py4J's and a dozen of its own
            raise sql_error(statement, error, self.environment, text) from error
        self.statements[statement.name or ""] = statement
        if source:
            self._create_validated(source)

    def _create_validated(self, source: ValidatedSource) -> None:
        statement = source.source.statement
        try:
            if "hash" in source.personal.values():
                create_function(self.environment, HASH, "KeyedHash", os.environ[KEY])
            if source.checks:
                self.environment.execute_sql(f"CREATE VIEW {quoted(source.checked)} AS {source.checked_sql}")
            self.environment.execute_sql(f"CREATE VIEW {quoted(statement.name or '')} AS {source.view_sql}")
        except Exception as error:
            message = read_exception(error)
            text = f"the rules of `{statement.name}` cannot be planned: {message.text}"
            raise SqlError(text, place=statement.place(), fixes=message.fixes, detail=message.trace) from error

    def expanded(self, statement: Statement) -> str:
        """Return a statement's text with its ML_PREDICT calls expanded and their views created."""
        return expand(statement, self._view_of)

    def views_of(self, calls: Iterable[Call]) -> list[ScoredView]:
        """Return the views of calls."""
        keys = {call.key for call in calls}
        return [view for view in self.views if view.call.key in keys]

    def changes(self, call: Call) -> bool:
        """Return whether rows that a call reads are updated or deleted later."""
        source, _ = self._source(call)
        if source not in self._changing:
            read = call.query or self.statements.get(call.table.text if call.table else "")
            plain = read is not None and not may_change(read, self.statements)
            self._changing[source] = not plain and changes(self.environment, source)
        return self._changing[source]

    def _view_of(self, call: Call) -> str:
        for view in self.views:
            if view.call.key == call.key:
                return view.predictions
        view = self._create(call)
        self.views.append(view)
        return view.predictions

    def _create(self, call: Call) -> ScoredView:
        model = self.models[call.model.text]
        source, shown = self._source(call)
        schema = self._schema(call, source)
        origins = Origins(self.statements, self.validated)
        findings = [*check_columns(call, model, schema, shown, origins), *_check_names(call, model, schema, shown)]
        for addition in model.additions.values():
            findings += addition.check(call, schema, shown, self)
        if findings:
            raise SqlError(findings)
        function, ride = f"score_{call.model.text}", f"ride_{call.model.text}"
        if function not in self._functions:
            # A user's own function may be a vectorised one too, and then wants pandas.
            pandas = any(statement.kind == "CREATE FUNCTION" for statement in self.readers)
            self._functions[function] = create_functions(self.environment, model, function, ride, pandas=pandas)
        riders_apart = self._functions[function]
        number = len(self.views) + 1
        scored, predictions = f"{call.model.text}_scored_{number}", f"{call.model.text}_predictions_{number}"
        used = used_columns(call, self.readers, schema)
        wanted = {*used, *self._origins()}
        kept = [name for name in schema if name in wanted]
        times = [name for name, kind in schema.items() if _TIME in kind] if self._may_be_late(call) else []
        if times and self.changes(call):
            times = []  # a version that is taken back later must not be late by then
        timed = f"{call.model.text}_timed_{number}" if times else ""
        timed_sql = late_sql(source, times) if times else ""
        if timed:
            self._create_view(call, timed, timed_sql)
        read = f"{quoted(timed)}\nWHERE {quoted(LATE)} IS NULL" if timed else source
        inputs = input_arguments(call, model, schema, wide=in_jvm(self.environment))
        inner = scoring_sql(read, kept, inputs, model, function, riders_apart=riders_apart)
        self._create_view(call, scored, inner)
        ridden = {f"{call.model.text}_ridden_{number}": riding_sql(scored, inputs, model, ride)} if riders_apart else {}
        for name, sql in ridden.items():
            self._create_view(call, name, sql)
        partitions = [v.place[0] for v in self.validated.values() if v.place[0] in kept]
        apart = partitions[0] if self.apart and partitions else ""
        outer = predictions_sql(scored, kept, model, apart, wide=in_jvm(self.environment))
        self._create_view(call, predictions, outer)
        types = {name: schema[name] for name in kept}
        behind = [*ridden, scored][0]  # where the riders' fields are
        added = {
            companion: addition.views(behind if addition.rider else scored, number, self.environment)
            for companion, addition in model.additions.items()
        }
        for views in added.values():
            for name, sql in views.items():
                self._create_view(call, name, sql)
        return ScoredView(
            call, model, scored, inner, predictions, outer, types, source, inputs, timed, timed_sql, ridden, added
        )

    def _may_be_late(self, call: Call) -> bool:
        """Return whether rows may be behind the watermark: where a source is read directly, that is checked there."""
        return bool(self.validated) and not (call.table and call.table.text in self.validated)

    def _origins(self) -> set[str]:
        """Return the names of the columns that say which record of a source a row is."""
        return {column for validated in self.validated.values() for column in validated.position}

    def _source(self, call: Call) -> tuple[str, str]:
        """Return what follows FROM, and its name in findings."""
        if call.query:
            return f"({expand(call.query, self._view_of)}\n)", "the query"
        name = call.table.text if call.table else ""
        return quoted(name), f"`{name}`"

    def _create_view(self, call: Call, name: str, sql: str) -> None:
        """Register a view from a Table object: all INSERTs that read it then share one Python operator."""
        try:
            self.environment.create_temporary_view(quoted(name), self.environment.sql_query(sql))
        except Exception as error:
            message = read_exception(error)
            raise SqlError(
                f"ML_PREDICT cannot be planned: {message.text}",
                place=call.place,
                fixes=message.fixes,
                detail=message.trace,
            ) from error

    def _schema(self, call: Call, source: str) -> dict[str, str]:
        """Return the names and types of what a call reads."""
        try:
            return self.schema_of(source)
        except Exception as error:
            message = read_exception(error)
            place = call.table.place if call.table else call.place
            raise SqlError(
                f"ML_PREDICT cannot read its table: {message.text}",
                place=place,
                fixes=message.fixes,
                detail=message.trace,
            ) from error

    def schema_of(self, source: str) -> dict[str, str]:
        """Return names and types of the columns of what follows FROM; event time has a type with *ROWTIME*."""
        table: Any = self.environment.sql_query(f"SELECT * FROM {source}")
        # Asked of Java's columns: PyFlink's own TableSchema needs a tenth of a second for each.
        columns = table._j_table.getResolvedSchema().getColumns()  # noqa: SLF001 - PyFlink has no public way to them
        return {column.getName(): str(column.getDataType().getLogicalType()) for column in columns}

    def columns_of_sink(self, table: str) -> list[str]:
        """Return the names of the columns that a table stores; its connector need not be one that can be read."""
        return [column.getName() for column in self._columns(table) if "Physical" in column.getClass().getSimpleName()]

    def columns_to_write(self, table: str) -> list[str]:
        """Return the names of the columns that an INSERT writes that names none."""
        kinds = [(column, column.getClass().getSimpleName()) for column in self._columns(table)]
        return [c.getName() for c, kind in kinds if "Physical" in kind or ("Metadata" in kind and not c.isVirtual())]

    def _columns(self, table: str) -> list[Any]:
        from pyflink.table.catalog import ObjectPath

        catalog = self.environment.get_catalog(self.environment.get_current_catalog())
        found: Any = catalog.get_table(ObjectPath(self.environment.get_current_database(), table))
        return list(found._j_catalog_base_table.getUnresolvedSchema().getColumns())  # noqa: SLF001 - no public way


def _check_names(call: Call, model: Model, schema: dict[str, str], shown: str) -> list[Finding]:
    """Find output columns whose names the table has already."""
    ways = ("rename the OUTPUT column; the option 'output.NAME' says which of the model's outputs it is",)
    return [
        Finding(
            f"OUTPUT column `{o.name}`: {shown}, which ML_PREDICT reads, has one of that name",
            o.place,
            (f"call at {call.place}",),
            ways,
        )
        for o in model.definition.outputs
        if o.name in schema
    ]


def sql_error(statement: Statement, error: BaseException, environment: TableEnvironment, text: str) -> SqlError:
    """Return Flink's complaint about a statement, of which it got `text`, at the line and column of its file."""
    message = read_exception(error)
    place = statement.place()
    if message.line is not None and message.column is not None:
        place = statement.place_at(message.line, message.column)
    if word := reserved_word(environment, text, error, statement.file):
        before = text[: word.start]
        place = statement.place_at(before.count("\n") + 1, len(before) - before.rfind("\n"))
        ways = (f"write it in backticks: {quoted(word.text)}",)
        said = f"`{word.text}` is a reserved word of Flink SQL, and no name"
        return SqlError(said, place=place, fixes=ways, detail=message.trace)
    tokens = tokenize(text, Place(statement.file)) if text else statement.tokens
    fixes = fixes_of_name(message.refusal, tokens, environment) if message.refusal else ()
    return SqlError(message.text, place=place, fixes=fixes, detail=message.trace)
