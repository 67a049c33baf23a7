"""The process that keeps a JVM for `check`, `explain` and `test`: it plans the project once, then lends the JVM.

A command connects to a socket that only this user can open, and sends the fingerprint of what it would start itself.
If that is not this JVM's, there is no answer, and the process ends: a jar, Java or Millstream has changed. Otherwise
the answer is the port and the secret of a Py4J server of the command's own. What it has made in the JVM goes when the
connection closes, however that happens.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import psutil

from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local.file_lock import alone
from pyflink_jobs.local.processes import end, running
from pyflink_jobs.project.settings import Project

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway

__all__ = ["ADDRESS", "alive", "folder", "main", "start", "stop"]

ADDRESS = "address"
"""The file that has the path of the socket; it is there once the JVM is ready."""

_MODULE = "pyflink_jobs.running.warm.keeper"
_CLUSTER = "org.apache.flink.runtime.minicluster.MiniCluster"
_IDLE = 1800.0  # seconds without a command, after which the process ends
_LOOKS = 5.0  # seconds between two looks at whether it is idle


def folder(project: Project) -> Path:
    """Return where the keeper of a project has its log and its address."""
    return project.state / "planner"


def start(project: Project) -> None:
    """Start the keeper of a project, if none runs, and do not wait for it."""
    home = folder(project)
    if not project.settings.speedups:
        return
    with alone(home):
        if alive(project):
            return
        (home / ADDRESS).unlink(missing_ok=True)
        _launch(project, home / "keeper.log")


def _launch(project: Project, log_file: Path) -> None:
    with log_file.open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(project.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal does not reach it
        )


def alive(project: Project) -> psutil.Process | None:
    """Return the keeper's process, None if none runs."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if words[-2:] == [_MODULE, str(project.root)] and running(process):
            return process
    return None


def stop(project: Project) -> None:
    """End the keeper, its JVM and its workers, if they run."""
    if process := alive(project):
        with suppress(psutil.NoSuchProcess):
            end(process, *process.children(recursive=True))
    (folder(project) / ADDRESS).unlink(missing_ok=True)


def main() -> None:
    """Start the JVM, plan the project given as argument, and lend the JVM until nobody has used it for a while."""
    from pyflink_jobs.running.fast_start.fingerprint import fingerprint
    from pyflink_jobs.running.fast_start.jvm_options import start_quickly
    from pyflink_jobs.running.fast_start.worker_forks import RUNNER_FOLDER, forked_workers
    from pyflink_jobs.running.jvm import prepare_jvm, start_jvm, variable

    project = Project.find(Path(sys.argv[1]))
    folder(project).mkdir(parents=True, exist_ok=True)
    mine = fingerprint()
    start_quickly()
    with (
        tempfile.TemporaryDirectory(prefix="millstream-") as private,  # a path in the project may be too long
        socket.socket(socket.AF_UNIX) as listener,
        forked_workers() as workers,
        variable(RUNNER_FOLDER, str(workers)),
    ):
        prepare_jvm(project)
        gateway = start_jvm()
        _plan(project)
        listener.bind(f"{private}/socket")
        listener.listen()
        (folder(project) / ADDRESS).write_text(f"{private}/socket")
        with suppress(FileNotFoundError):
            _lend(listener, gateway, mine, folder(project) / ADDRESS)
            (folder(project) / ADDRESS).unlink()


def _plan(project: Project) -> None:
    """Plan the project as `check` does, so that Java has loaded and compiled what that needs."""
    from pyflink_jobs.planning.compile.plan import check_plans
    from pyflink_jobs.planning.declare import declare
    from pyflink_jobs.running.environment import table_environment

    with suppress(MillstreamError):
        check_plans(declare(project), table_environment(project))


def _lend(listener: socket.socket, gateway: JavaGateway, mine: str, address: Path) -> None:
    """Serve commands until none has come for a while, or `address` is gone, with its project perhaps."""
    users: list[threading.Thread] = []
    last = monotonic()
    listener.settimeout(_LOOKS)
    while monotonic() - last < _IDLE and address.exists():
        with suppress(TimeoutError):
            connection, _ = listener.accept()
            connection.settimeout(_LOOKS)  # others wait while it says nothing
            with suppress(OSError):
                if connection.makefile().readline().strip() != mine:
                    connection.close()
                    return
                users.append(threading.Thread(target=_serve, args=(connection, gateway), daemon=True))
                users[-1].start()
        users = [user for user in users if user.is_alive()]
        last = monotonic() if users else last


def _serve(connection: socket.socket, gateway: JavaGateway) -> None:
    """Give a command a Py4J server of its own, until the connection closes; then end the cluster that it has left."""
    from py4j.java_gateway import JavaObject

    token = secrets.token_hex(16)
    java: Any = gateway.jvm.org.apache.flink.api.python.shaded.py4j.GatewayServer
    builder = java.GatewayServerBuilder().entryPoint(gateway.jvm.java.util.HashMap())
    server = builder.javaPort(0).authToken(token).build()
    server.start()
    try:
        with connection:
            connection.settimeout(None)
            connection.sendall(f"{json.dumps({'port': server.getListeningPort(), 'token': token})}\n".encode())
            connection.recv(1)
    except OSError:
        pass  # the command has ended
    finally:
        for value in list(server.getGateway().getBindings().values()):
            if isinstance(value, JavaObject) and value.getClass().getName() == _CLUSTER:
                value.close()
        server.shutdown()


if __name__ == "__main__":
    main()
