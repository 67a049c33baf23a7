"""`millstream send`: records from a file into a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context

__all__ = ["send"]


@click.command()
@click.argument("topic")
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def send(context: Context, topic: str, file: BinaryIO) -> None:
    """Send each line of FILE ("-": standard input) as a record to TOPIC, which is created if need be.

    \b
    Example:
      millstream send events data/events.jsonl
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    from pyflink_jobs.local.broker import bootstrap_servers
    from pyflink_jobs.local.sending import send_records
    from pyflink_jobs.local.topics import create

    bootstrap = bootstrap_servers(context.project)
    create(bootstrap, {topic: 1})
    count = send_records(bootstrap, topic, (line for line in map(bytes.strip, file) if line))
    click.echo(f"sent {count:,} records to {topic}")
