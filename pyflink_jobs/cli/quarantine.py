"""`millstream quarantine`: list, show, export and replay the records of the table `quarantine`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyflink_jobs.cli.options import JSON, JSON_LINES
from pyflink_jobs.cli.visible import visible

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.quarantine.records import Quarantined

__all__ = ["quarantine"]

_SOURCE = click.option("--source", help="Only records of this source.")
_REASON = click.option("--reason", help="Only records with this reason, such as contract.")


@click.group()
def quarantine() -> None:
    """Show, export and replay the records that were not scored, from the topic of the table `quarantine`.

    \b
    Example:
      millstream quarantine list
      millstream quarantine show -n 3
    """


@quarantine.command("list", short_help="Count the records by hour, source and reason.")
@_SOURCE
@_REASON
@JSON_LINES
@click.pass_obj
def list_(context: Context, *, source: str | None, reason: str | None, as_json: bool) -> None:
    """Count the records by the hour of their arrival in Kafka (UTC), source, and reason.

    \b
    Example:
      millstream quarantine list
      millstream quarantine list --source departures --json
    """
    from rich.console import Console
    from rich.table import Table

    from pyflink_jobs.quarantine.records import count

    records = _read(context, source, reason)
    counted, replayed = count(records), count([record for record in records if record.replayed])
    if as_json:
        for group, number in counted.items():
            click.echo(json.dumps({**asdict(group), "records": number, "replayed": replayed.get(group, 0)}))
        return
    if not counted:
        click.echo(_nothing(context))
        return
    table = Table("hour (UTC)", "source", "reason", box=None, header_style="bold", pad_edge=False)
    for name in ("records", "replayed") if replayed else ("records",):
        table.add_column(name, justify="right")
    for group, number in counted.items():
        numbers = (number, replayed.get(group, 0)) if replayed else (number,)
        table.add_row(group.hour.replace("T", " ") + ":00", group.source, group.reason, *(f"{n:,}" for n in numbers))
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(table)
    console.print(f"{len(records):,} in all" + (f", {sum(replayed.values()):,} replayed" if replayed else ""))


@quarantine.command(short_help="Show records with reasons and original bytes.")
@click.option("-n", "limit", type=click.IntRange(1), default=10, show_default=True, help="How many, the newest.")
@_SOURCE
@_REASON
@JSON_LINES
@click.pass_obj
def show(context: Context, *, limit: int, source: str | None, reason: str | None, as_json: bool) -> None:
    """Show the newest records: the reason, the place in Kafka, and the original bytes if they still exist.

    \b
    Example:
      millstream quarantine show
      millstream quarantine show -n 1 --reason contract
    """
    from pyflink_jobs.quarantine.originals import as_json as line
    from pyflink_jobs.quarantine.originals import originals

    records = _read(context, source, reason)[-limit:]
    found = originals(context.project, records)
    for record, original in zip(records, found, strict=True):
        click.echo(line(record, original) if as_json else _words(record, original))
    if not records and not as_json:
        click.echo(_nothing(context))


@quarantine.command(short_help="Write the records to a file, with their original bytes.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_SOURCE
@_REASON
@JSON
@click.pass_obj
def export(context: Context, file: Path, *, source: str | None, reason: str | None, as_json: bool) -> None:
    """Write the records to FILE as JSON lines, with their original bytes.

    The bytes are in `record`, or in `record_base64` if they are not UTF-8. Bytes that are not in quarantine are fetched
    from Kafka. They are unchanged: personal data is included.

    \b
    Example:
      millstream quarantine export broken.jsonl
      millstream quarantine export undecodable.jsonl --source departures --reason undecodable
    """
    from pyflink_jobs.quarantine.originals import export as write

    records = _read(context, source, reason)
    gone = write(file, context.project, records)
    if as_json:
        click.echo(json.dumps({"file": str(file), "records": len(records), "without_bytes": gone}))
    else:
        click.echo(f"{file}: {_records(len(records))}" + (f", {gone:,} without original bytes" if gone else ""))


@quarantine.command(short_help="Run the records through their job again.")
@click.argument("job")
@_SOURCE
@_REASON
@click.option("--force", is_flag=True, help="Include records that were replayed before: they get a second result.")
@click.option("--parallelism", type=click.IntRange(min=1), help="Parallel subtasks (default: the project's setting).")
@JSON
@click.pass_obj
def replay(
    context: Context,
    job: str,
    *,
    source: str | None,
    reason: str | None,
    force: bool,
    parallelism: int | None,
    as_json: bool,
) -> None:
    """Run the records through JOB again, after its SQL or model is fixed.

    The job reads its sources from their start to the newest record, so that windows and joins have all their rows. It
    writes only the results of these records. A record that fails again is in quarantine again.

    \b
    Example:
      millstream quarantine replay score
      millstream quarantine replay score --source departures --reason contract
    """
    from rich.console import Console

    from pyflink_jobs.planning.declare import declare
    from pyflink_jobs.quarantine.replay import replay as run
    from pyflink_jobs.quarantine.replay import select

    declared = declare(context.project).job(job)
    selection = select(context.project, declared, source, reason, force=force)
    for obstacle, number in selection.left_out.items():
        click.echo(f"left out: {_records(number)} {obstacle}", err=True)
    if selection.closed:
        click.echo(f"left out: {_records(selection.closed)} replayed before (to include them: --force)", err=True)
    with Console(stderr=True).status(f"{job}: planning, starting Flink") as status:
        done = run(
            context.project,
            declared,
            selection,
            parallelism,
            lambda counts: status.update(f"{job}: in {sum(counts.read.values()):,}"),
        )
    replayed = done.records - done.unread
    if as_json:
        counts = {"replayed": replayed, "quarantined_again": done.again, "not_read": done.unread}
        left_out = {"left_out": selection.left_out, "replayed_before": selection.closed}
        click.echo(json.dumps({"job": job, **counts, **left_out}, indent=2))
        return
    click.echo(f"{job}: {_records(replayed)} replayed")
    if done.again:
        click.echo(f"{_records(done.again)} in quarantine again: millstream quarantine show")
    if done.unread:
        click.echo(f"{_records(done.unread)} not read: Kafka no longer has the record, or the source starts after it")


def _read(context: Context, source: str | None, reason: str | None) -> list[Quarantined]:
    from pyflink_jobs.quarantine.records import chosen, read_quarantine

    return chosen(read_quarantine(context.project), source, reason)


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _nothing(context: Context) -> str:
    from pyflink_jobs.planning.project_tables import ProjectTables

    return f"nothing is in quarantine: {ProjectTables(context.project).shown('quarantine')}"


def _words(record: Quarantined, original: bytes | None) -> str:
    """Return a record as lines of text; unprintable characters are escaped."""
    where = "topic {}, partition {}, offset {}".format(*record.place) if record.place else ""
    gone = "neither in quarantine nor in Kafka" if record.place else ""
    lines: list[tuple[str, Any]] = [
        ("reason", record.reason),
        ("detail", record.fields.get("detail")),
        ("where", where),
        ("job", record.fields.get("job")),
        ("model", " ".join(str(v) for v in map(record.fields.get, ("model", "model_version")) if v)),
        ("replayed", "yes" if record.replayed else ""),
        ("record", gone if original is None else original.decode(errors="backslashreplace")),
        ("columns", record.fields.get("columns")),
    ]
    shown = [f"  {name:9} {visible(str(value))}" for name, value in lines if value]
    return "\n".join([f"{record.came:%Y-%m-%d %H:%M:%S} {record.source}", *shown])
