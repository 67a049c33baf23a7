"""`millstream send`: send the lines of a file to a topic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["send"]


@click.command()
@click.argument("topic")
@click.argument("file", type=click.File("rb"))
@JSON
@click.pass_obj
def send(context: Context, topic: str, file: BinaryIO, *, as_json: bool) -> None:
    """Send each line of FILE ("-": standard input) as a record to TOPIC. A missing topic is created.

    \b
    Example:
      millstream send events data/events.jsonl
    """
    from pyflink_jobs.local.send import send_records
    from pyflink_jobs.local.topics import create
    from pyflink_jobs.planning.project_tables import ProjectTables

    client = ProjectTables(context.project).client(topic)
    create(client, {topic: 1})
    count = send_records(client, topic, (line for line in map(bytes.strip, file) if line))
    click.echo(json.dumps({"topic": topic, "sent": count}) if as_json else f"sent {count:,} records to {topic}")
