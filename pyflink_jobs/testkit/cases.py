"""Check feature tests against the project's declarations, and prepare them to run.

All mistakes in a test are found here, before a cluster starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from pyflink_jobs.errors import FeatureTestError, Finding, did_you_mean
from pyflink_jobs.parsing.option import read_options
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.flink.catalog import Catalog
from pyflink_jobs.testkit.tables import Column, describe
from pyflink_jobs.testkit.values import EPOCH, is_known, is_number, read_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.declarations import Declarations
    from pyflink_jobs.testkit.feature_file import Cell, FeatureTest, Given, Row
    from pyflink_jobs.testkit.values import Value

__all__ = ["Case", "GivenRow", "Source", "make_cases"]

_CHANGELOG_FORMATS = ("debezium", "canal", "maxwell", "ogg")


@dataclass(frozen=True)
class GivenRow:
    """A row for a source: the given columns, and the watermark after it."""

    values: dict[str, Value]
    watermark: Value = None


@dataclass(frozen=True)
class Source:
    """A source table that a view reads, with the rows that a test gives it."""

    name: str
    columns: list[Column]
    rows: list[GivenRow]


@dataclass(frozen=True)
class Case:
    """A checked test in one mode: `statements` create its view, `expected` has the values of `columns`."""

    test: FeatureTest
    mode: str
    statements: list[Statement]
    sources: list[Source]
    columns: list[Column]
    expected: list[tuple[Value, ...]]


def make_cases(declarations: Declarations, tests: Iterable[FeatureTest], environment: TableEnvironment) -> list[Case]:
    """Check tests against the catalog; `environment` gets the tables and views that they need, and runs nothing.

    Raises FeatureTestError with all mistakes in the tests, and what loading SQL raises.
    """
    tests = list(tests)
    views = {s.name or "": s for s in declarations.created if s.kind == "CREATE VIEW"}
    findings = [_unknown_view(test, views, declarations) for test in tests if test.view.text not in views]
    known = [test for test in tests if test.view.text in views]
    needed = {name: declarations.make_job(name, [views[name]]).needed for name in {str(t.view.text) for t in known}}
    tables = _load(declarations, [views[name] for name in needed], environment)
    maker = _Maker(tables, findings)
    cases = [case for test in known for case in maker.cases(test, needed[str(test.view.text)])]
    if findings:
        raise FeatureTestError(sorted(findings, key=_reading_order))
    return cases


def _reading_order(finding: Finding) -> tuple[str, int, int]:
    place = finding.place
    return (str(place.file), place.line or 0, place.column or 0) if place else ("", 0, 0)


def _unknown_view(test: FeatureTest, views: Iterable[str], declarations: Declarations) -> Finding:
    name = test.view.text
    kind = next((s.kind.removeprefix("CREATE ").lower() for s in declarations.created if s.name == name), None)
    found = f"`{name}` is a {kind}, not a view" if kind else f"no view `{name}`"
    fixes = did_you_mean(str(name), views, "define it in sql/features/")
    return Finding(found, test.view.place, (f"views are: {', '.join(sorted(views)) or 'none'}",), fixes)


def _load(declarations: Declarations, views: list[Statement], environment: TableEnvironment) -> dict[str, list[Column]]:
    """Load views and what they read into a catalog, and return the columns of them all."""
    job = declarations.make_job("tested", views)
    job.refuse_findings()
    needed = job.needed
    catalog = Catalog(environment, job.models, needed)
    for statement in needed:
        catalog.load(statement)
    described = [s.name or "" for s in needed if s.kind == "CREATE TABLE" or s in views]
    return {name: describe(environment, name) for name in described}


class _Maker:
    """Makes cases of tests whose view is known; mistakes become findings."""

    def __init__(self, tables: dict[str, list[Column]], findings: list[Finding]) -> None:
        self._tables = tables
        self._findings = findings

    def cases(self, test: FeatureTest, statements: list[Statement]) -> list[Case]:
        """Return a case for each of a test's modes."""
        reads = {s.name or "": s for s in statements if s.kind == "CREATE TABLE"}
        for table, given in test.given.items():
            if table not in reads:
                self._findings.append(_not_read(test, table, given, reads, statements))
        sources = [
            Source(name, self._tables[name], self._given(s, test.given[name], statements) if name in test.given else [])
            for name, s in reads.items()
        ]
        columns = self._compared(test)
        types = {column.name: column.type for column in columns}
        expected = [
            tuple(self._value(row.cells[name], name, types[name]) for name in types if name in row.cells)
            for row in test.expect
        ]
        return [Case(test, mode, statements, sources, columns, expected) for mode in test.modes]

    def _given(self, statement: Statement, given: Given, readers: list[Statement]) -> list[GivenRow]:
        name = statement.name or ""
        if _has_updates(statement) and not _read_by_version(name, readers):
            self._findings.append(Finding(f"`{name}` has updates, and a test can only give new rows", given.place))
        columns = {column.name: column for column in self._tables[name]}
        time = next((column for column in columns.values() if column.watermark), None)
        rows = [self._given_row(name, row, columns, time) for row in given.rows]
        self._check_watermarks(name, given, rows, time)
        return rows

    def _given_row(self, table: str, row: Row, columns: dict[str, Column], time: Column | None) -> GivenRow:
        values: dict[str, Value] = {}
        for name, cell in row.cells.items():
            column = columns.get(name)
            if column is None:
                self._findings.append(_unknown_column(table, name, cell, columns))
            elif column.computed:
                facts = (f"it is {column.computed}",)
                fixes = ("give the columns it is computed from",)
                self._findings.append(Finding(f"`{name}` of `{table}` is computed", cell.place, facts, fixes))
            else:
                values[name] = self._value(cell, name, column.type)
        for column in columns.values():
            if not column.nullable and not column.computed and values.get(column.name) is None:
                message = f"column `{column.name}` of `{table}` is NOT NULL, and this row has no value for it"
                self._findings.append(Finding(message, row.place, fixes=("give it",)))
        watermark = self._value(row.watermark, "watermark", time.type) if row.watermark and time else None
        return GivenRow(values, watermark)

    def _check_watermarks(self, table: str, given: Given, rows: list[GivenRow], time: Column | None) -> None:
        marks = [(row.watermark, made.watermark) for row, made in zip(given.rows, rows, strict=True) if row.watermark]
        if marks and time is None:
            message, fix = f"table `{table}` has no event time", "give it a WATERMARK in its CREATE TABLE"
            self._findings.append(Finding(message, marks[0][0].place, fixes=(fix, "leave the watermark out")))
        for (_, before), (cell, now) in pairwise(marks):
            if before is not None and now is not None and now < before:  # type: ignore[operator]  # of one type
                self._findings.append(Finding(f"event time goes back, to {cell.text}", cell.place))

    def _compared(self, test: FeatureTest) -> list[Column]:
        """Return the columns of the expected rows, or all columns if no row is expected."""
        view = str(test.view.text)
        columns = {column.name: column for column in self._tables[view]}
        if not test.expect:
            return [column for column in columns.values() if is_known(column.type)]
        for name, cell in test.expect[0].cells.items():
            if name not in columns:
                self._findings.append(_unknown_column(view, name, cell, columns))
        return [
            _as_written(columns[name], [row.cells[name] for row in test.expect if name in row.cells])
            for name in test.expect[0].cells
            if name in columns
        ]

    def _value(self, cell: Cell, column: str, sql_type: str) -> Value:
        if not is_known(sql_type):
            message = f"column `{column}` is {sql_type}, whose values a test cannot have"
            self._findings.append(Finding(message, cell.place, fixes=("leave it out",)))
            return None
        try:
            return read_value(cell.text, sql_type)
        except ValueError as error:
            self._findings.append(Finding(f"column `{column}`: {error}", cell.place))
            return None


def _as_written(column: Column, cells: list[Cell]) -> Column:
    """Return the column as it is shown: a BIGINT whose expected values are instants is shown as instants."""
    instants = column.type == "BIGINT" and any(cell.text is not None and not is_number(cell.text) for cell in cells)
    return Column(column.name, EPOCH if instants else column.type)


def _unknown_column(table: str, name: str, cell: Cell, columns: Iterable[str]) -> Finding:
    fixes = did_you_mean(name, columns, "leave it out")
    return Finding(f"`{table}` has no column `{name}`", cell.place, (f"its columns: {', '.join(columns)}",), fixes)


def _not_read(
    test: FeatureTest, table: str, given: Given, reads: Iterable[str], statements: list[Statement]
) -> Finding:
    view = test.view.text
    is_view = any(s.name == table and s.kind == "CREATE VIEW" for s in statements)
    found = f"`{table}` is a view, and rows are given to tables" if is_view else f"`{view}` does not read `{table}`"
    fixes = () if is_view else did_you_mean(table, reads)
    return Finding(found, given.place, (f"tables that `{view}` reads: {', '.join(reads) or 'none'}",), fixes)


def _read_by_version(table: str, readers: list[Statement]) -> bool:
    """Return whether a table is only read FOR SYSTEM_TIME AS OF: then new rows are new versions, like updates."""
    views = [s.tokens for s in readers if s.kind == "CREATE VIEW"]
    pairs = [pair for tokens in views for pair in zip_longest(tokens, tokens[1:])]
    return all(after and after.says("FOR") for name, after in pairs if name.is_identifier and name.text == table)


def _has_updates(statement: Statement) -> bool:
    """Return whether a table's connector or format reads updates, which a file of given rows cannot have."""
    options = {key: option.value for key, option in read_options(statement).items()}
    versioned = options.get("connector") in connector_of(options).versioned
    return versioned or any(value.startswith(_CHANGELOG_FORMATS) for value in options.values())
