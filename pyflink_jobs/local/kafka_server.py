"""The broker's process: its configuration, its data folder, and its start."""

from __future__ import annotations

import base64
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
from pyflink_jobs.local.processes import end

if TYPE_CHECKING:
    from pyflink_jobs.local.java import Java

__all__ = ["LOG", "AddressInUseError", "command", "configure", "format_data", "free_port", "launch"]

LOG = "kafka.log"  # in the folder `logs`, as log4j2.properties says
_HERE = Path(__file__).parent
_STARTS_WITHIN = 60.0  # seconds
_IN_USE = "Address already in use"  # as Java says it
# Measured: the serial collector with only the first compiler starts fastest and uses the least CPU for millions of
# records, about half of what the JVM's defaults use.
_JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class AddressInUseError(LocalError):
    """Another process took one of the broker's ports."""


def free_port(port: int, host: str = "127.0.0.1") -> int:
    """Return `port`, or some free port for 0; return 0 if the port is in use."""
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
    """Write the broker's configuration into its folder: the packaged file, the address and the ports."""
    while (controller := free_port(0)) == port:  # free at another address: Kafka needs two ports
        pass
    (home / "logs").mkdir(exist_ok=True)
    (home / "server.properties").write_text(
        f"{(_HERE / 'server.properties').read_text()}\n"
        f"listeners=PLAINTEXT://{host}:{port},CONTROLLER://127.0.0.1:{controller}\n"
        f"controller.quorum.voters=1@127.0.0.1:{controller}\n",
    )


def format_data(home: Path, command: list[str]) -> None:
    """Make the data folder; files of an earlier, incomplete attempt are deleted first."""
    shutil.rmtree(home / "data", ignore_errors=True)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", "server.properties"]
    run = subprocess.run([*command, *tool], cwd=home, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise LocalError(
            "Kafka could not prepare its data folder",
            facts=tuple((run.stderr or run.stdout).strip().splitlines()[-3:]),
            fixes=(f"look into {home / 'logs'}", "check that the disk is not full and the folder is writable"),
            detail=run.stdout + run.stderr,
        )


def launch(home: Path, address: str, command: list[str], marks: list[str]) -> psutil.Process:
    """Start the broker in its folder, wait until it answers at `address`, and return its process.

    `marks` are JVM options that identify the process.
    Raises AddressInUseError where one of its ports is in use, LocalError where it fails otherwise.
    """
    java, *options = command
    log = home / "logs" / LOG
    if log.exists():
        log.replace(log.with_name("kafka.previous.log"))  # a log covers one start only
    with (home / "logs" / "kafka.out").open("wb") as out:
        child = subprocess.Popen(
            [java, *marks, *options, "kafka.Kafka", "server.properties"],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal does not reach the broker
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
        lines = _errors(logs)
        kind = AddressInUseError if any(_IN_USE in line for line in lines) else LocalError
        raise kind(
            problem,
            facts=tuple(lines),
            fixes=(f"look into {logs}", "start with empty topics: millstream down --purge, millstream up"),
            detail="\n".join(_tail(logs / LOG) + _tail(logs / "kafka.out")),
        )


def _errors(logs: Path) -> list[str]:
    """Return this start's log from its first error on, without stack frames; without a log, the JVM's output."""
    lines = [line for line in _tail(logs / LOG) or _tail(logs / "kafka.out") if line.strip() and line[0] != "\t"]
    wrong = itertools.dropwhile(lambda line: " ERROR " not in line, lines)
    return [line for line in wrong if " INFO " not in line][:4] or lines[-4:]


def _tail(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines()[-200:] if file.is_file() else []
