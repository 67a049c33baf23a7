"""`millstream up`, `down` and `status`: start, stop and show the local broker and cluster."""

from __future__ import annotations

import contextlib
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.filesize import decimal

from pyflink_jobs.cli.options import JSON
from pyflink_jobs.errors import LocalError
from pyflink_jobs.local import broker, flink_cluster
from pyflink_jobs.local.jars import cache_folder
from pyflink_jobs.local.java import find_java
from pyflink_jobs.local.topics import answers
from pyflink_jobs.running.warm import keeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.project.settings import Project

__all__ = ["down", "status", "up"]


@click.command
@click.option("--port", type=click.IntRange(0, 65535), help="Kafka's port; 0 is any free one (default: 9092 if free).")
@click.option("--cluster", is_flag=True, help="Also start a standalone Flink cluster.")
@click.option("--flink-port", type=click.IntRange(0, 65535), help="Port of its REST interface (default: 8081 if free).")
@click.option("--taskmanagers", default=2, show_default=True, help="Number of TaskManagers.")
@click.option("--slots", default=2, show_default=True, help="Slots of each TaskManager.")
@click.option("--high-availability", is_flag=True, help="Add ZooKeeper: jobs survive a lost JobManager.")
@JSON
@click.pass_obj
def up(
    context: Context,
    *,
    port: int | None,
    cluster: bool,
    flink_port: int | None,
    taskmanagers: int,
    slots: int,
    high_availability: bool,
    as_json: bool,
) -> None:
    """Start the local Kafka broker, and with --cluster a Flink cluster; what is running already is left alone.

    The first start downloads Kafka's jars. Broker and cluster run until `millstream down`. Processes that a running
    cluster has lost are started again. A JVM starts beside them in which `check`, `explain` and `test` answer in a
    second or two; it ends when no command has used it for half an hour.

    \b
    Example:
      millstream up
      millstream up --cluster
    """
    state = context.project.state
    with Console(stderr=True).status("Starting Kafka"):
        running = broker.start(state, port)
    keeper.start(context.project)
    for note in running.notes:
        click.echo(f"note: {note}", err=True)
    shown: dict[str, object] = {"kafka": running.bootstrap_servers}
    if not as_json:
        click.echo(f"Kafka {'listens' if running.started_now else 'already runs'} at {running.bootstrap_servers}")
    if cluster:
        layout = flink_cluster.Layout(taskmanagers, slots, ha=high_availability)
        with Console(stderr=True).status("Starting Flink"):
            flink = flink_cluster.start(state, layout, flink_port)
        shown["flink"] = flink.url
        if not as_json:
            started = f", started: {', '.join(flink.started_now)}" if flink.started_now else ""
            click.echo(f"Flink runs at {flink.url}{started}")
    if as_json:
        click.echo(json.dumps(shown))


@click.command
@click.option("--purge", is_flag=True, help="Also delete all topics, checkpoints and logs.")
@click.pass_obj
def down(context: Context, *, purge: bool) -> None:
    """Stop the local Flink cluster and Kafka broker; topics and savepoints are kept.

    Downloaded jars are kept, since all projects share them; `millstream status` shows where.

    \b
    Example:
      millstream down
      millstream down --purge
    """
    project = context.project
    if flink_cluster.stop(project.state, purge=purge):
        click.echo("Flink is stopped")
    keeper.stop(project)
    stopped = broker.stop(project.state, purge=purge)
    click.echo("Kafka is stopped" if stopped else "no local Kafka was running")
    if purge and project.state.is_dir():
        shutil.rmtree(project.state)
        click.echo(f"deleted {project.relative(project.state)}")


@click.command
@JSON
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """Show what is running on this machine, where, and where its logs are.

    \b
    Example:
      millstream status
      millstream status --json
    """
    facts = {title: section(context.project) for title, section in _SECTIONS.items()}
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for title, section in facts.items():
        click.secho(title, bold=True)
        for name, value in section.items():
            click.echo(f"  {name.removesuffix('_bytes').replace('_', ' '):<12}{_shown(name, value)}")


def _shown(name: str, value: object) -> str:
    if name.endswith("_bytes") and isinstance(value, int):
        return decimal(value)
    lines = value if isinstance(value, list) else str(value).splitlines()
    return f"\n{' ' * 14}".join(lines)


def _project(project: Project) -> dict[str, object]:
    return {"folder": str(project.root), "kafka": broker.bootstrap_servers(project)}


def _kafka(project: Project) -> dict[str, object]:
    running = broker.alive(project.state)
    home = broker.folder(project.state)
    facts: dict[str, object] = {"state": "not running: millstream up", "logs": str(home / "logs")}
    if running:
        fine = answers(running.bootstrap_servers, within=2)
        facts |= {
            "state": "running" if fine else "does not answer: millstream up replaces it",
            "address": running.bootstrap_servers,
            "process_id": running.pid,
            "since": datetime.fromtimestamp(running.since, UTC).isoformat(timespec="seconds"),
        }
    return facts | {"data": str(home / "data"), "data_size_bytes": _size(home / "data")}


def _flink(project: Project) -> dict[str, object]:
    running = flink_cluster.alive(project.state)
    home = flink_cluster.folder(project.state)
    facts: dict[str, object] = {"state": "not running: millstream up --cluster", "logs": str(home / "log")}
    if running:
        processes = [f"{role}: {pid}" for role, pid in running.pids.items()]
        facts |= {"state": "running", "address": running.url, "process_ids": processes}
    return facts | {"savepoints": str(home / "savepoints"), "data_size_bytes": _size(home)}


def _planner(project: Project) -> dict[str, object]:
    running = keeper.alive(project)
    if running is None:
        return {"state": "not running: millstream up"}
    ready = (keeper.folder(project) / keeper.ADDRESS).exists()
    return {"state": "running" if ready else "starting", "process_id": running.pid}


def _java(project: Project) -> dict[str, object]:
    del project
    try:
        java = find_java()
    except LocalError as error:
        return {"state": str(error)}
    return {
        "home": str(java.home),
        "version": java.version,
        "found_by": java.source,
        **({"passed_over": list(java.passed_over)} if java.passed_over else {}),
    }


def _cache(project: Project) -> dict[str, object]:
    del project
    return {"folder": str(cache_folder()), "size_bytes": _size(cache_folder())}


def _size(folder: Path) -> int:
    """Return how many bytes a folder uses on the disk (Kafka's sparse indexes use less than their length)."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # Kafka deletes files meanwhile
            total += file.stat().st_blocks * 512
    return total


# The sections of `status` from top to bottom: a title, and a function that returns facts by name.
_SECTIONS: dict[str, Callable[[Project], dict[str, object]]] = {
    "project": _project,
    "kafka": _kafka,
    "flink": _flink,
    "planner": _planner,
    "java": _java,
    "cache": _cache,
}
