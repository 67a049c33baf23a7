"""The broker's process: its configuration, its data folder, its start and its end."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pyflink_jobs.errors import LocalError

if TYPE_CHECKING:
    from pyflink_jobs.local.java import Java

__all__ = ["LOG", "AddressInUseError", "command", "configure", "end", "format_data", "free_port", "launch"]

LOG = "kafka.log"  # in the folder `logs`, as log4j2.properties says
_HERE = Path(__file__).parent
_STARTS_WITHIN = 60.0  # seconds
_STOPS_WITHIN = 20.0
_IN_USE = "Address already in use"  # as Java says it
# Of what was tried, the serial collector and the first compiler alone start fastest and also take the least CPU for
# millions of records: about half of the JVM's own choice.
_JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class AddressInUseError(LocalError):
    """Somebody else took one of the broker's ports before the broker did."""


def free_port(port: int, host: str = "127.0.0.1") -> int:
    """Return `port`, or some free port for 0; return 0 where the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the JVM does: closed connections do not count
        try:
            probe.bind((host, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def command(java: Java, class_path: list[Path]) -> list[str]:
    """Return the command line of a JVM with Kafka's jars, up to the main class."""
    log_settings = f"-Dlog4j2.configurationFile={(_HERE / 'log4j2.properties').as_uri()}"
    return [str(java.executable), *_JVM_OPTIONS, log_settings, "-cp", os.pathsep.join(map(str, class_path))]


def configure(home: Path, host: str, port: int) -> None:
    """Write the broker's configuration into its folder: what is packaged, the address and the ports."""
    while (controller := free_port(0)) == port:  # at another address it may be free: Kafka takes each port once
        pass
    (home / "logs").mkdir(exist_ok=True)
    (home / "server.properties").write_text(
        f"{(_HERE / 'server.properties').read_text()}\n"
        f"listeners=PLAINTEXT://{host}:{port},CONTROLLER://127.0.0.1:{controller}\n"
        f"controller.quorum.voters=1@127.0.0.1:{controller}\n",
    )


def format_data(home: Path, command: list[str]) -> None:
    """Make the data folder; what a half-done attempt left is swept away first."""
    shutil.rmtree(home / "data", ignore_errors=True)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", "server.properties"]
    run = subprocess.run([*command, *tool], cwd=home, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise LocalError(
            "Kafka could not prepare its data folder",
            facts=tuple((run.stderr or run.stdout).strip().splitlines()[-3:]),
            fixes=(f"look into {home / 'logs'}", "check that the disk is not full and the folder can be written to"),
            detail=run.stdout + run.stderr,
        )


def launch(home: Path, address: str, command: list[str], marks: list[str]) -> psutil.Process:
    """Start the broker in its folder and return its process once it answers at `address`.

    `marks` are JVM options by which the process can be found again.
    Raises AddressInUseError where one of its ports is taken, LocalError where it fails otherwise.
    """
    java, *options = command
    log = home / "logs" / LOG
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
        end(process)
        raise
    return process


def _wait_until_ready(child: subprocess.Popen[bytes], address: str, home: Path) -> None:
    from pyflink_jobs.local import topics

    deadline = time.monotonic() + _STARTS_WITHIN
    while not topics.answers(address, within=1):
        if child.poll() is not None:
            problem = f"the Kafka broker ended while it started, with exit code {child.returncode}"
        elif time.monotonic() > deadline:
            problem = f"the Kafka broker was not ready after {_STARTS_WITHIN:.0f} seconds"
        else:
            continue
        logs = home / "logs"
        said = _last_words(logs)
        kind = AddressInUseError if any(_IN_USE in line for line in said) else LocalError
        raise kind(
            problem,
            facts=tuple(said),
            fixes=(f"look into {logs}", "start with empty topics: millstream down --purge, millstream up"),
            detail="\n".join(_tail(logs / LOG) + _tail(logs / "kafka.out")),
        )


def _last_words(logs: Path) -> list[str]:
    """Return this start's log from its first error on, without stack frames; before there is a log, the JVM's words."""
    lines = [line for line in _tail(logs / LOG) or _tail(logs / "kafka.out") if line.strip() and line[0] != "\t"]
    wrong = itertools.dropwhile(lambda line: " ERROR " not in line, lines)
    return [line for line in wrong if " INFO " not in line][:4] or lines[-4:]


def _tail(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines()[-200:] if file.is_file() else []


def end(process: psutil.Process) -> None:
    """Ask the process to end, then make it. psutil signals no process that has only inherited the id."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(_STOPS_WITHIN)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_STOPS_WITHIN)
