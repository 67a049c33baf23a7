"""`millstream topics` and `peek`: show what is in Kafka."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from pyflink_jobs.cli.options import JSON_LINES
from pyflink_jobs.cli.visible import visible
from pyflink_jobs.local.kafka_client import address
from pyflink_jobs.local.topics import Record, list_topics, read
from pyflink_jobs.planning.project_tables import ProjectTables

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["peek", "topics"]

_PIPE_WIDTH = 10_000  # characters: lines in a pipe are not wrapped


@click.command
@JSON_LINES
@click.pass_obj
def topics(context: Context, *, as_json: bool) -> None:
    """List the topics: partitions, records, and the times of the first and the last record.

    \b
    Example:
      millstream topics
    """
    client = ProjectTables(context.project).client()
    found = list_topics(client)
    if as_json:
        for topic in found:
            click.echo(json.dumps(vars(topic)))
        return
    if not found:
        click.echo(f"Kafka at {address(client)} has no topics yet")
        return
    table = Table("topic", box=None, header_style="bold", pad_edge=False)
    for heading in ("partitions", "records"):
        table.add_column(heading, justify="right")
    for heading in ("first (UTC)", "last (UTC)"):
        table.add_column(heading, no_wrap=True)
    for topic in found:
        times = (_time(topic.first, "seconds"), _time(topic.last, "seconds"))
        table.add_row(topic.name, str(topic.partitions), f"{topic.records:,}", *times)
    _console().print(table)


@click.command
@click.argument("topic")
@click.option("-n", "limit", type=click.IntRange(1), default=10, show_default=True, help="How many records.")
@click.option("--from-beginning", is_flag=True, help="The first records instead of the last.")
@JSON_LINES
@click.pass_obj
def peek(context: Context, topic: str, limit: int, *, from_beginning: bool, as_json: bool) -> None:
    """Show the last records of TOPIC, oldest first. Values that are not JSON are text, unprintable bytes \\xNN.

    TOPIC may be the name of a table of the project.

    \b
    Example:
      millstream peek predictions
      millstream peek departures -n 3 --from-beginning
      millstream peek predictions --json | jq .value.p_late
    """
    tables = ProjectTables(context.project)
    found = [
        record
        for name in tables.topics(topic)
        for record in read(tables.client(name), name, limit, from_end=not from_beginning)
    ]
    found.sort(key=lambda record: (record.timestamp, record.topic, record.partition, record.offset))
    records = found[:limit] if from_beginning else found[-limit:]
    if as_json:
        for record in records:
            click.echo(json.dumps(_plain(record)))
    elif records:
        _print(records)
    else:
        click.echo(f"topic `{topic}` is empty")


def _print(records: list[Record]) -> None:
    """Print a table: a column for each JSON field if that fits the terminal, otherwise one for the whole value."""
    console = _console()
    values = [value for value in (_json(record.value) for record in records) if isinstance(value, dict)]
    if len(values) == len(records):
        names = list(dict.fromkeys(name for value in values for name in value))
        table = _table(records, names, [[_cell(value, name) for name in names] for value in values])
        unlimited = console.options.update(max_width=_PIPE_WIDTH)
        if Measurement.get(console, unlimited, table).maximum <= console.width:
            console.print(table)
            return
    console.print(_table(records, ["value"], [[_text(record.value)] for record in records]))


def _table(records: list[Record], headings: list[str], cells: list[list[str]]) -> Table:
    table = Table("partition", "offset", "time (UTC)", "key", *headings, box=None, header_style="bold", pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
        column.no_wrap = column.header != "value"
    for record, row in zip(records, cells, strict=True):
        table.add_row(str(record.partition), str(record.offset), _time(record.timestamp), _text(record.key), *row)
    return table


def _cell(value: dict[str, object], name: str) -> str:
    if name not in value:
        return ""
    field = value[name]
    return visible(field) if isinstance(field, str) else json.dumps(field, ensure_ascii=False)


def _plain(record: Record) -> dict[str, object]:
    """Return the record as plain values: `value` if it is JSON, otherwise `raw`, its text."""
    value = _json(record.value)
    shown: dict[str, object] = {"raw": _text(record.value)} if isinstance(value, _NotJson) else {"value": value}
    key = None if record.key is None else _text(record.key)
    return {"partition": record.partition, "offset": record.offset, "timestamp": record.timestamp, "key": key, **shown}


class _NotJson:
    """What `_json` returns for bytes that are not JSON."""


def _json(value: bytes | None) -> object:
    if value is None:
        return None
    try:
        return json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _NotJson()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _text(value: bytes | None) -> str:
    return "" if value is None else visible(value.decode(errors="backslashreplace"))


def _time(milliseconds: int | None, precision: str = "milliseconds") -> str:
    if milliseconds is None:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(" ", precision).removesuffix("+00:00")
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return str(milliseconds)


def _console() -> Console:
    return Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
