"""The local broker: a real Apache Kafka of one node that outlives the command that starts it.

Which broker belongs to a state folder, and where it listens, stands on its own command line. So the table of processes
is the one truth: no file with a process id that could be stale, and no process is ever stopped that is not ours.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pyflink_jobs.errors import LocalError
from pyflink_jobs.local import topics
from pyflink_jobs.local.jars import jars
from pyflink_jobs.local.java import Java, find_java

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.project.settings import Project

__all__ = ["DEFAULT_PORT", "Broker", "alive", "bootstrap_servers", "find", "folder", "start", "stop"]

DEFAULT_PORT = 9092
_HERE = Path(__file__).parent
_STARTS_WITHIN = 60.0  # seconds
_STOPS_WITHIN = 20.0
# Of what was tried, the serial collector and the first compiler alone start fastest and also take the least CPU for
# millions of records: about half of the JVM's own choice.
_JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True)
class Broker:
    """A running broker; `notes` tells what `start` had to mend or to choose."""

    bootstrap_servers: str
    pid: int
    since: float  # seconds of the Unix epoch
    log: Path
    started_now: bool = False
    notes: tuple[str, ...] = ()


def bootstrap_servers(project: Project) -> str:
    """Return the address of the Kafka that a project's commands use.

    The environment's `MILLSTREAM_KAFKA` wins, then the project's running local broker, then its setting `kafka`.
    """
    if "MILLSTREAM_KAFKA" not in os.environ and (broker := find(project.state)):
        return broker.bootstrap_servers
    return project.settings.kafka


def folder(state: Path) -> Path:
    """Return where the broker of a state folder keeps its data and logs."""
    return state.resolve() / "kafka"


def find(state: Path) -> Broker | None:
    """Return the running broker of a state folder, or None where none runs or it does not answer."""
    broker = alive(state)
    return broker if broker and topics.answers(broker.bootstrap_servers) else None


def alive(state: Path) -> Broker | None:
    """Return the broker of a state folder whose process lives, whether or not it answers."""
    running = _running(state)
    return running[1] if running else None


def start(state: Path, port: int | None = None, java: Java | None = None) -> Broker:
    """Return the broker of a state folder, started if need be, ready for requests.

    `port` None means the default port, or a free one where that is taken; 0 means a free one.
    Raises LocalError where there is no Java, a jar cannot be fetched, the port is taken or the broker fails.
    """
    home = folder(state)
    notes: list[str] = []
    with _alone(home):
        if running := _running(state):
            process, broker = running
            if topics.answers(broker.bootstrap_servers):
                return broker
            _end(process)
            notes.append(f"the broker with process id {process.pid} no longer answered and was ended")
        elif (home / "data").is_dir() and not (home / "data" / ".kafka_cleanshutdown").exists():
            notes.append("the last broker here was not stopped by `millstream down`; its data is recovered")
        java = java or find_java()
        command = _command(java, jars("kafka"))
        chosen = _choose_port(port, notes)
        _configure(home, chosen)
        if not (home / "data" / "meta.properties").is_file():
            _format(home, command)
        broker = _launch(state, command, chosen)
    return replace(broker, started_now=True, notes=tuple(notes))


def stop(state: Path, *, purge: bool = False) -> bool:
    """Stop the broker of a state folder, and say whether one ran. With `purge`, delete its data and logs."""
    home = folder(state)
    if not home.is_dir():
        return False
    with _alone(home):
        running = _running(state)
        if running:
            _end(running[0])
        if purge:
            shutil.rmtree(home)
    return running is not None


def _running(state: Path) -> tuple[psutil.Process, Broker] | None:
    """Find our process by the mark on its command line."""
    mark, address_mark = f"-Dmillstream.state={state.resolve()}", "-Dmillstream.address="
    for process in psutil.process_iter(["name", "cmdline", "create_time"]):
        arguments = process.info["cmdline"] or []  # None where we may not look, and for a process that has ended
        if mark in arguments:
            address = next(text.removeprefix(address_mark) for text in arguments if text.startswith(address_mark))
            log = folder(state) / "logs" / "kafka.log"
            return process, Broker(address, process.pid, process.info["create_time"], log)
    return None


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep a second `up` or `down` of the same state folder waiting until this one is done."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home.mkdir(parents=True, exist_ok=True)  # the one that we waited for may have purged it
        yield


def _choose_port(port: int | None, notes: list[str]) -> int:
    wanted = DEFAULT_PORT if port is None else port
    if free := _free_port(wanted):
        return free
    if port is not None:
        raise LocalError(
            f"port {port} is taken on this machine",
            ways_out=("let a free one be chosen: millstream up --port 0", f"stop what listens on port {port}"),
        )
    free = _free_port(0)
    notes.append(f"port {wanted} is taken, so the broker listens on {free}")
    return free


def _free_port(port: int) -> int:
    """Return `port`, or some free port for 0; return 0 where the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the JVM does: closed connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def _command(java: Java, class_path: list[Path]) -> list[str]:
    log_settings = f"-Dlog4j2.configurationFile={(_HERE / 'log4j2.properties').as_uri()}"
    return [str(java.executable), *_JVM_OPTIONS, log_settings, "-cp", os.pathsep.join(map(str, class_path))]


def _configure(home: Path, port: int) -> None:
    controller = _free_port(0)
    (home / "logs").mkdir(exist_ok=True)
    (home / "server.properties").write_text(
        f"{(_HERE / 'server.properties').read_text()}\n"
        f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n"
        f"controller.quorum.voters=1@127.0.0.1:{controller}\n",
    )


def _format(home: Path, command: list[str]) -> None:
    """Make the data folder; what a half-done attempt left is swept away first."""
    shutil.rmtree(home / "data", ignore_errors=True)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", "server.properties"]
    run = subprocess.run([*command, *tool], cwd=home, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise LocalError(
            "Kafka could not prepare its data folder",
            facts=tuple((run.stderr or run.stdout).strip().splitlines()[-3:]),
            ways_out=(f"look into {home / 'logs'}", "check that the disk is not full and the folder can be written to"),
            detail=run.stdout + run.stderr,
        )


def _launch(state: Path, command: list[str], port: int) -> Broker:
    home = folder(state)
    address = f"127.0.0.1:{port}"
    java, *options = command
    marks = [f"-Dmillstream.state={state.resolve()}", f"-Dmillstream.address={address}"]
    log = home / "logs" / "kafka.log"
    if log.exists():
        log.replace(log.with_name("kafka.previous.log"))  # what this log says is about this start
    with (home / "logs" / "kafka.out").open("wb") as out:
        child = subprocess.Popen(
            [java, *marks, *options, "kafka.Kafka", "server.properties"],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is not meant for the broker
        )
    process = psutil.Process(child.pid)
    try:
        _wait_until_ready(child, address, home)
    except BaseException:
        _end(process)
        raise
    return Broker(address, child.pid, process.create_time(), log)


def _wait_until_ready(child: subprocess.Popen[bytes], address: str, home: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while not topics.answers(address, within=1):
        if child.poll() is not None:
            problem = f"the Kafka broker ended while it started, with exit code {child.returncode}"
        elif time.monotonic() > deadline:
            problem = f"the Kafka broker was not ready after {_STARTS_WITHIN:.0f} seconds"
        else:
            continue
        logs = home / "logs"
        raise LocalError(
            problem,
            facts=tuple(_last_words(logs)[-4:]),
            ways_out=(f"look into {logs}", "start with empty topics: millstream down --purge, millstream up"),
            detail="\n".join(_tail(logs / "kafka.log") + _tail(logs / "kafka.out")),
        )


def _last_words(logs: Path) -> list[str]:
    """Return the end of this start's log without stack frames; before there is a log, what the JVM said."""
    lines = _tail(logs / "kafka.log") or _tail(logs / "kafka.out")
    return [line for line in lines if line.strip() and not line.startswith("\t")]


def _tail(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines()[-200:] if file.is_file() else []


def _end(process: psutil.Process) -> None:
    """Ask the process to end, then make it. psutil signals no process that has only inherited the id."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(_STOPS_WITHIN)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_STOPS_WITHIN)
