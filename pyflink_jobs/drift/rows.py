"""Rows for a reference profile: a given file, or the result of a bounded run of a view."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ProjectError
from pyflink_jobs.parsing.statements import Statement
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.compile.plan import Run
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.job import run_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.drift.subject import Subject
    from pyflink_jobs.project.settings import Project

__all__ = ["rows_of_view"]

_SINK = "reference_rows"


@contextmanager
def rows_of_view(project: Project, subject: Subject, view: str | None, start: str, end: str | None) -> Iterator[Path]:
    """Yield the rows of a view between two times, as a folder of JSON lines; without a view, the file named `start`.

    Raises ProjectError for an unknown view or an invalid time, and what running a job raises.
    """
    if view is None or end is None:
        yield Path(start)
        return
    options = subject.options
    if options is None:
        raise ProjectError(
            f"model `{subject.definition.name}` has no monitor.time, so --from and --to cannot select rows",
            place=subject.definition.place,
            fixes=("add it to the options of CREATE MODEL",),
        )
    since, until = _time(start, "--from"), _time(end, "--to")
    with TemporaryDirectory(prefix="millstream-rows-") as temporary:
        folder = Path(temporary) / "rows"
        declarations = declare(project)
        table, insert = _statements(subject, view, since, until, folder)
        job = declarations.make_job(f"reference_{subject.definition.name}", [insert], [table])
        run_job(project, job, Run(bounded=True))
        if not any(folder.rglob("part-*")):
            raise ProjectError(
                f"`{view}` has no rows from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC",
                fixes=("write records of that time to its topics first; the demo's: millstream demo flights",),
            )
        yield folder


def _statements(
    subject: Subject, view: str, since: datetime, until: datetime, folder: Path
) -> tuple[Statement, Statement]:
    options = subject.options
    assert options is not None  # noqa: S101 - the caller has looked
    time = quoted(options.time.value)
    columns = {column.name: column.type for column in subject.definition.inputs}
    if options.slice:
        columns.setdefault(options.slice.value, "STRING")
    typed = [f"{quoted(name)} {kind}" for name, kind in columns.items()] + [f"{time} TIMESTAMP_LTZ(3)"]
    listed = [f"CAST({quoted(name)} AS {kind})" for name, kind in columns.items()] + [
        f"CAST({time} AS TIMESTAMP_LTZ(3))"
    ]
    place = Path(view)
    table = f"""CREATE TABLE {quoted(_SINK)} ({", ".join(typed)}) WITH (
  'connector' = 'filesystem', 'path' = '{folder.as_uri()}', 'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601')"""
    between = " AND ".join(
        f"{time} {sign} TO_TIMESTAMP_LTZ({int(at.timestamp() * 1000)}, 3)" for sign, at in ((">=", since), ("<", until))
    )
    insert = f"INSERT INTO {quoted(_SINK)} SELECT {', '.join(listed)} FROM {quoted(view)} WHERE {between}"
    return Statement(place, "", table), Statement(place, "", insert)


def _time(text: str, option: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ProjectError(
            f"{option} {text} is not a valid time", fixes=("write it as 2013-01-01 or 2013-01-01T12:00",)
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
