"""The local broker: a real Apache Kafka of one node that outlives the command that starts it.

A broker's command line has its state folder and its address, and is the only record of them: there is no file with a
process id that could be out of date, and no other process is ever stopped.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from pyflink_jobs.errors import Finding, LocalError, Place, ProjectError
from pyflink_jobs.local import kafka_server
from pyflink_jobs.local.file_lock import alone
from pyflink_jobs.local.jars import jars
from pyflink_jobs.local.java import find_java
from pyflink_jobs.local.processes import end
from pyflink_jobs.masking import remember_options
from pyflink_jobs.parsing.variables import fill_in_text

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.local.java import Java
    from pyflink_jobs.project.settings import Project

__all__ = ["DEFAULT_PORT", "Broker", "alive", "bootstrap_servers", "folder", "kafka_properties", "start", "stop"]

DEFAULT_PORT = 9092
_TRIES = 3
_ADDRESS = "-Dmillstream.address="


@dataclass(frozen=True)
class Broker:
    """A running broker; `notes` are what `start` had to fix or to choose."""

    bootstrap_servers: str
    pid: int
    since: float  # seconds of the Unix epoch
    log: Path
    started_now: bool = False
    notes: tuple[str, ...] = ()


def bootstrap_servers(project: Project) -> str:
    """Return the address of the Kafka that a project's commands use.

    The environment's `MILLSTREAM_KAFKA` wins, then the project's local broker while its process runs, then its
    setting `kafka`.
    """
    if "MILLSTREAM_KAFKA" not in os.environ and (broker := alive(project.state)):
        return broker.bootstrap_servers
    return project.settings.kafka


def kafka_properties(project: Project) -> dict[str, str]:
    """Return the properties of clients of a project's Kafka beside its address: none of them for the local broker.

    Raises ProjectError where the environment lacks a value, or a file is not there.
    """
    if not project.settings.kafka_client or ("MILLSTREAM_KAFKA" not in os.environ and alive(project.state)):
        return {}
    place, findings = Place(project.relative(project.root / "pyproject.toml")), list[Finding]()
    found = {key: fill_in_text(v, place, os.environ, findings) for key, v in project.settings.kafka_client.items()}
    for key in [key for key in found if key.endswith(".location")]:
        file = project.root / found[key]
        if not file.is_file():
            said = f"[tool.millstream.kafka]: `{key}` is {found[key]}, and there is no such file"
            findings.append(Finding(said, place, fixes=("name a file, relative to the project",)))
        found[key] = str(file)
    if findings:
        raise ProjectError(findings)
    remember_options(found)
    return found


def folder(state: Path) -> Path:
    """Return where the broker of a state folder keeps its data and logs."""
    return state.resolve() / "kafka"


def alive(state: Path) -> Broker | None:
    """Return the broker of a state folder if its process runs, whether or not it answers."""
    running = _running(state)
    return running[1] if running else None


def start(state: Path, port: int | None = None, java: Java | None = None, host: str = "127.0.0.1") -> Broker:
    """Return the broker of a state folder, ready for requests; start it if it does not run.

    `port` None means the default port, or a free one if that is in use; 0 means a free one. `host` is the address of
    this machine that it listens at.
    Raises LocalError where there is no Java, a jar cannot be fetched, the port is in use or the broker fails.
    """
    from pyflink_jobs.local import topics

    home = folder(state)
    notes: list[str] = []
    with alone(home):
        if running := _running(state):
            process, broker = running
            if topics.answers(broker.bootstrap_servers):
                return broker
            end(process)
            notes.append(f"the broker with process id {process.pid} did not answer and was stopped")
        elif (home / "data").is_dir() and not (home / "data" / ".kafka_cleanshutdown").exists():
            notes.append("the last broker here was not stopped by `millstream down`; its data is recovered")
        command = kafka_server.command(java or find_java(), jars("kafka"))
        if not (home / "data" / "meta.properties").is_file():
            kafka_server.configure(home, host, kafka_server.free_port(0, host))  # the tool reads the whole file
            kafka_server.format_data(home, command)
        for tries_left in reversed(range(_TRIES)):
            chosen = _choose_port(port, host)
            kafka_server.configure(home, host, chosen)
            address = f"{host}:{chosen}"
            try:
                process = kafka_server.launch(home, address, command, [_mark(state), f"{_ADDRESS}{address}"])
                break
            except kafka_server.AddressInUseError:  # another process has just taken the port: choose again
                if not tries_left:
                    raise
        if port is None and chosen != DEFAULT_PORT:
            notes.append(f"port {DEFAULT_PORT} is in use, so the broker listens on {chosen}")
    return Broker(address, process.pid, process.create_time(), _log(state), started_now=True, notes=tuple(notes))


def stop(state: Path, *, purge: bool = False) -> bool:
    """Stop the broker of a state folder and return whether one ran; with `purge`, delete its data and logs."""
    home = folder(state)
    if not home.is_dir():
        return False
    with alone(home):
        running = _running(state)
        if running:
            end(running[0])
        if purge:
            shutil.rmtree(home)
    return running is not None


def _running(state: Path) -> tuple[psutil.Process, Broker] | None:
    """Find the broker's process by the marks on its command line."""
    for process in psutil.process_iter(["cmdline", "create_time"]):
        arguments = process.info["cmdline"] or []  # None for processes of other users and for those that have ended
        if _mark(state) in arguments:
            address = next(text.removeprefix(_ADDRESS) for text in arguments if text.startswith(_ADDRESS))
            return process, Broker(address, process.pid, process.info["create_time"], _log(state))
    return None


def _mark(state: Path) -> str:
    return f"-Dmillstream.state={state.resolve()}"


def _log(state: Path) -> Path:
    return folder(state) / "logs" / kafka_server.LOG


def _choose_port(port: int | None, host: str) -> int:
    if free := kafka_server.free_port(DEFAULT_PORT if port is None else port, host):
        return free
    if port is not None:
        raise LocalError(
            f"port {port} is in use on this machine",
            fixes=("choose a free one: millstream up --port 0", f"stop the process that listens on port {port}"),
        )
    return kafka_server.free_port(0, host)
