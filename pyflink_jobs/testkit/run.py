"""Run cases on a cluster: files of the given rows replace the sources, and the view's rows are compared.

One subtask reads each file from top to bottom, with a watermark after every row, so that the rows of one table
arrive in the order of the file. Rows of different tables are ordered by their watermarks alone, as in Kafka.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import JobError, MillstreamError
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.flink.catalog import Catalog
from pyflink_jobs.planning.flink.errors import read_exception
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.testkit.diff import Diff, compare
from pyflink_jobs.testkit.tables import WATERMARK, replacement
from pyflink_jobs.testkit.values import from_flink, selected, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pyflink.table import TableResult

    from pyflink_jobs.planning.declarations import Model
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster
    from pyflink_jobs.testkit.cases import Case, Source
    from pyflink_jobs.testkit.values import Value

__all__ = ["Outcome", "run_cases"]

_OPTIONS = {
    "parallelism.default": "1",
    "pipeline.auto-watermark-interval": "0",  # with 0, Flink emits a watermark after every row
    "table.exec.source.idle-timeout": "0",  # a source must not become idle on a slow machine
}


@dataclass(frozen=True)
class Outcome:
    """The outcome of a case: the differences of found and expected rows, or why it could not run; and its seconds."""

    case: Case
    diff: Diff
    error: MillstreamError | None
    seconds: float

    @property
    def passed(self) -> bool:
        """Return whether the view returned the expected rows."""
        return self.error is None and not self.diff


def run_cases(
    project: Project,
    models: Mapping[str, Model],
    cases: Iterable[Case],
    cluster: MiniCluster,
    on_start: Callable[[Case], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Run cases one after another and yield their outcomes; each is planned while the one before it runs."""
    with TemporaryDirectory(prefix="millstream-test-") as folder:
        before: _Running | None = None
        for number, case in enumerate(cases):
            on_start(case)
            running = _start(project, models, case, cluster, Path(folder) / str(number))
            if before:
                yield _finish(before)
            before = running
        if before:
            yield _finish(before)


@dataclass(frozen=True)
class _Running:
    case: Case
    result: TableResult | MillstreamError
    seconds: float


def _start(project: Project, models: Mapping[str, Model], case: Case, cluster: MiniCluster, folder: Path) -> _Running:
    started = time.monotonic()
    folder.mkdir()
    try:
        result = _submit(project, models, case, {**cluster.options, **_OPTIONS}, folder)
    except MillstreamError as error:
        return _Running(case, error, time.monotonic() - started)
    return _Running(case, result, time.monotonic() - started)


def _submit(
    project: Project, models: Mapping[str, Model], case: Case, options: dict[str, str], folder: Path
) -> TableResult:
    options = {
        **options,
        "pipeline.name": f"{case.test.name} ({case.mode})",
    }
    # Files need no Kafka connector, and a job starts in half the time without it; the project's own jars are kept.
    environment = table_environment(project, options, batch=case.mode == "batch", connectors=False)
    catalog = Catalog(environment, models, case.statements)
    sources = {source.name: source for source in case.sources}
    for statement in case.statements:
        if statement.name in sources:
            source = sources[statement.name]
            environment.execute_sql(_given(source, folder / f"{source.name}.json"))
        else:
            catalog.load(statement)
    columns = ", ".join(f"{selected(quoted(c.name), c.type)} AS {quoted(c.name)}" for c in case.columns)
    try:
        return environment.execute_sql(f"SELECT {columns} FROM {quoted(str(case.test.view.text))}")
    except Exception as error:
        raise _failure(case, error) from error


def _given(source: Source, file: Path) -> str:
    """Write a source's rows to a file, and return the CREATE TABLE that reads it."""
    watermarks = any(row.watermark is not None for row in source.rows)
    with file.open("w", encoding="utf-8") as lines:
        for row in source.rows:
            values = {**row.values, **({WATERMARK: row.watermark} if watermarks else {})}
            lines.write(json.dumps({name: to_json(value) for name, value in values.items()}) + "\n")
    return replacement(source.name, source.columns, file, watermarks=watermarks)


def _finish(running: _Running) -> Outcome:
    """Wait for a case's rows and compare them."""
    case, result, started = running.case, running.result, time.monotonic()
    error = result if isinstance(result, MillstreamError) else None
    found: Counter[tuple[Value, ...]] = Counter()
    if not isinstance(result, MillstreamError):
        try:
            found = _collect(case, result)
        except Exception as exception:  # noqa: BLE001 - PyFlink raises Py4J's errors and a dozen of its own
            error = _failure(case, exception)
    doubles = [column.type == "DOUBLE" for column in case.columns]
    diff = Diff([], [], []) if error else compare(case.expected, found.elements(), doubles)
    return Outcome(case, diff, error, running.seconds + time.monotonic() - started)


def _collect(case: Case, result: TableResult) -> Counter[tuple[Value, ...]]:
    """Read all rows of a job, and return those that remain after its updates."""
    found: Counter[tuple[Value, ...]] = Counter()
    types = [column.type for column in case.columns]
    with result.collect() as rows:
        for row in rows:
            added = str(row.get_row_kind()) in ("+I", "+U")
            found[tuple(map(from_flink, _cells(row), types))] += 1 if added else -1
    return found


def _cells(row: Any) -> list[Any]:  # noqa: ANN401 - PyFlink's Row has no types
    return list(row)


def _failure(case: Case, error: BaseException) -> JobError:
    message = read_exception(error)
    return JobError(
        f"Flink cannot run `{case.test.view.text}` in {case.mode} mode: {message.text}",
        place=case.test.place,
        fixes=message.fixes,
        detail=message.trace,
    )
