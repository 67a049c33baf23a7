"""`millstream quarantine`: what could not be scored, and why, from the topic `quarantine`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pyflink_jobs.cli.visible import visible

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.quarantine.records import Quarantined

__all__ = ["quarantine"]

_SOURCE = click.option("--source", help="Only records of this source.")
_REASON = click.option("--reason", help="Only records with this reason, such as contract.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print plain values, one a line, for machines.")


@click.group()
def quarantine() -> None:
    """Show what could not be scored, and why, from the topic `quarantine` that jobs write.

    \b
    Example:
      millstream quarantine list
      millstream quarantine show -n 3
    """  # noqa: D301 - \b is click's mark for lines it must not wrap


@quarantine.command("list", short_help="How many records, by hour, source and reason.")
@_SOURCE
@_REASON
@_JSON
@click.pass_obj
def list_(context: Context, *, source: str | None, reason: str | None, as_json: bool) -> None:
    """Count the records by the hour in which they came to Kafka (UTC), their source, and the reason.

    \b
    Example:
      millstream quarantine list
      millstream quarantine list --source departures --json
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    from rich.console import Console  # noqa: PLC0415 - --help must not pay for it
    from rich.table import Table  # noqa: PLC0415

    from pyflink_jobs.quarantine.records import count  # noqa: PLC0415

    counted = count(_read(context, source, reason))
    if as_json:
        for group, records in counted.items():
            click.echo(json.dumps({**asdict(group), "records": records}))
        return
    if not counted:
        click.echo("nothing is in quarantine")
        return
    table = Table("hour (UTC)", "source", "reason", box=None, header_style="bold", pad_edge=False)
    table.add_column("records", justify="right")
    for group, records in counted.items():
        table.add_row(group.hour.replace("T", " ") + ":00", group.source, group.reason, f"{records:,}")
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(table)
    console.print(f"{sum(counted.values()):,} in all")


@quarantine.command(short_help="Records with their reasons and original bytes.")
@click.option("-n", "limit", type=click.IntRange(1), default=10, show_default=True, help="How many, the newest.")
@_SOURCE
@_REASON
@_JSON
@click.pass_obj
def show(context: Context, *, limit: int, source: str | None, reason: str | None, as_json: bool) -> None:
    """Show the newest records: why each is here, where it stands in Kafka, and its bytes, while Kafka keeps them.

    \b
    Example:
      millstream quarantine show
      millstream quarantine show -n 1 --reason contract
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    from pyflink_jobs.local.broker import bootstrap_servers  # noqa: PLC0415 - --help must not pay for it
    from pyflink_jobs.local.topics import read_at  # noqa: PLC0415

    records = _read(context, source, reason)[-limit:]
    originals = read_at(bootstrap_servers(context.project), [r.place for r in records if r.place])
    for record in records:
        bytes_ = originals.get(record.place) if record.place else None
        original = None if bytes_ is None else bytes_.decode(errors="backslashreplace")
        click.echo(json.dumps({**record.fields, "original": original}) if as_json else _words(record, original))
    if not records and not as_json:
        click.echo("nothing is in quarantine")


def _read(context: Context, source: str | None, reason: str | None) -> list[Quarantined]:
    from pyflink_jobs.local.broker import bootstrap_servers  # noqa: PLC0415 - --help must not pay for it
    from pyflink_jobs.quarantine.records import chosen, read_quarantine  # noqa: PLC0415

    return chosen(read_quarantine(bootstrap_servers(context.project)), source, reason)


def _words(record: Quarantined, original: str | None) -> str:
    """Return a record as lines to read; what is not for printing stands as an escape."""
    where = "topic {}, partition {}, offset {}".format(*record.place) if record.place else ""
    lines: list[tuple[str, Any]] = [
        ("reason", record.reason),
        ("detail", record.fields.get("detail")),
        ("where", where),
        ("job", record.fields.get("job")),
        ("model", " ".join(str(v) for v in map(record.fields.get, ("model", "model_version")) if v)),
        ("record", record.fields.get("record")),
        ("original", "no longer in Kafka" if record.place and original is None else original),
    ]
    shown = [f"  {name:9} {visible(str(value))}" for name, value in lines if value]
    return "\n".join([f"{record.came:%Y-%m-%d %H:%M:%S} {record.source}", *shown])
