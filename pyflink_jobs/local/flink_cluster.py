"""The local cluster: a real standalone Flink, of JobManager and TaskManagers, that outlives the command that starts it.

It is the Flink of the apache-flink package. As with the broker, each process's command line has its state folder and
its role, and is the only record of them; `start` restarts the processes that have died.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from pyflink_jobs.errors import LocalError
from pyflink_jobs.local import flink_home
from pyflink_jobs.local.file_lock import alone
from pyflink_jobs.local.java import find_java
from pyflink_jobs.local.kafka_server import free_port
from pyflink_jobs.local.processes import end
from pyflink_jobs.rest import Rest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEFAULT_PORT", "Cluster", "Layout", "alive", "folder", "processes", "start", "stop"]

DEFAULT_PORT = 8081
_STARTS_WITHIN = 90.0  # seconds
_URL = "-Dmillstream.rest="
_ROLE = "-Dmillstream.role="
_WORKER = "pyflink.fn_execution.beam.beam_boot"
_ZOOKEEPERS = "-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"  # it holds little, and must be back within a session


@dataclass(frozen=True)
class Layout:
    """The processes of a cluster: with `ha` also a ZooKeeper, so that a new JobManager finds the jobs of a dead one.

    `python` is the workers' interpreter, `options` are Flink's.
    """

    taskmanagers: int = 2
    slots: int = 2
    ha: bool = False
    python: str = sys.executable
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Cluster:
    """A running cluster: the URL of its REST interface, and process ids by role, such as "taskmanager-1"."""

    url: str
    pids: dict[str, int]
    logs: Path
    started_now: tuple[str, ...] = ()


def folder(state: Path) -> Path:
    """Return where the cluster of a state folder keeps its configuration, checkpoints, savepoints and logs."""
    return state.resolve() / "cluster"


def alive(state: Path) -> Cluster | None:
    """Return the cluster of a state folder; None if none of its processes runs."""
    found = processes(state)
    if not found:
        return None
    url = next(_marked(process, _URL) for process in found.values())
    return Cluster(url, {role: process.pid for role, process in found.items()}, folder(state) / "log")


def processes(state: Path) -> dict[str, psutil.Process]:
    """Return the processes of a cluster by role."""
    mark = _mark(state)
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        if mark in (process.info["cmdline"] or []):
            found[_marked(process, _ROLE)] = process
    return dict(sorted(found.items()))


def start(state: Path, layout: Layout | None = None, port: int | None = None) -> Cluster:
    """Return the cluster of a state folder, and start those of its processes that do not run.

    `layout` and `port` are for a cluster with no running process; the default is two TaskManagers at port 8081, or at
    a free one. Raises LocalError where there is no Java or the cluster does not get ready.
    """
    home = folder(state)
    with alone(home):
        running = alive(state)
        if running is None:
            layout = layout or Layout()
            url = f"http://127.0.0.1:{_choose_port(port)}"
            flink_home.prepare(home, _options(home, layout, url))
            (home / "roles").write_text("\n".join(_roles(layout)))
        else:
            url = running.url
        lives = processes(state)
        _end_orphans(home)
        missing = [role for role in (home / "roles").read_text().split() if role not in lives]
        for role in missing:
            _launch(state, role, url)
        _wait_until_complete(state, url, set(lives))
    cluster = alive(state)
    assert cluster is not None, "all of its processes ran a moment ago"  # noqa: S101
    return Cluster(cluster.url, cluster.pids, cluster.logs, tuple(missing))


def stop(state: Path, *, purge: bool = False) -> bool:
    """Stop the cluster of a state folder and return whether one ran; with `purge`, delete its checkpoints and logs."""
    home = folder(state)
    if not home.is_dir():
        return False
    with alone(home):
        found = processes(state)
        # TaskManagers first, so that they do not search for their JobManager.
        for process in reversed(found.values()):
            end(process)
        _end_orphans(home)
        if purge:
            shutil.rmtree(home)
    return bool(found)


def _roles(layout: Layout) -> list[str]:
    managers = [f"taskmanager-{number}" for number in range(1, layout.taskmanagers + 1)]
    return [*(["zookeeper"] if layout.ha else []), "jobmanager", *managers]


def _options(home: Path, layout: Layout, url: str) -> dict[str, str]:
    """Return the configuration of all processes."""
    host, port = url.removeprefix("http://").split(":")
    options = {
        "jobmanager.rpc.address": host,
        "jobmanager.rpc.port": str(free_port(0)),
        "rest.address": host,
        "rest.port": port,
        "rest.bind-port": port,
        "taskmanager.numberOfTaskSlots": str(layout.slots),
        # Small enough for a laptop: the Python workers are processes of their own.
        "taskmanager.memory.process.size": "1600m",
        "jobmanager.memory.process.size": "1200m",
        "io.tmp.dirs": str(home / "tmp"),
        "env.log.dir": str(home / "log"),
        "env.pid.dir": str(home / "pid"),
        "execution.checkpointing.dir": (home / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (home / "savepoints").as_uri(),
        "python.executable": layout.python,
        "python.client.executable": layout.python,
    }
    if layout.ha:
        zookeeper = free_port(0)
        (home / "conf").mkdir(parents=True, exist_ok=True)
        (home / "conf" / "zoo.cfg").write_text(
            f"tickTime=500\ndataDir={home / 'zookeeper'}\nclientPort={zookeeper}\nclientPortAddress={host}\n"
            "admin.enableServer=false\n"
        )
        options |= {
            "high-availability.type": "zookeeper",
            "high-availability.zookeeper.quorum": f"{host}:{zookeeper}",
            "high-availability.storageDir": (home / "high-availability").as_uri(),
            # Longer than ZooKeeper's start: jobs go on if it is back before sessions end. A dead JobManager's session
            # ends while the next one starts.
            "high-availability.zookeeper.client.session-timeout": "10000",
            # A client whose connection breaks asks again soon: Flink's own 5 s grow to 20.
            "high-availability.zookeeper.client.retry-wait": "500",
            "high-availability.zookeeper.client.max-retry-attempts": "8",
            "high-availability.zookeeper.client.tolerate-suspended-connections": "true",
        }
    return options | dict(layout.options)


def _launch(state: Path, role: str, url: str) -> None:
    home = folder(state)
    script, *arguments = {
        "zookeeper": ["zookeeper.sh", "start-foreground", "1"],
        "jobmanager": ["jobmanager.sh", "start-foreground"],
    }.get(role, ["taskmanager.sh", "start-foreground", f"-Dtaskmanager.resource-id={role}-{time.time_ns() // 10**9}"])
    marks = f"{_mark(state)} {_ROLE}{role} {_URL}{url}"
    # Workers import some thousand modules: without byte code each worker would compile them.
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment = {
        **inherited,
        **flink_home.variables(home),
        "JAVA_HOME": str(find_java().home),
        "JVM_ARGS": f"{marks} {_ZOOKEEPERS}" if role == "zookeeper" else marks,
        "FLINK_IDENT_STRING": role,
        # Else Flink starts a Python for each worker to ask where the script is that starts it: a second or more.
        "PYFLINK_UDF_RUNNER_DIR": str(flink_home.scripts()),
    }
    with (home / "log" / f"{role}.out").open("ab") as out:
        subprocess.Popen(
            ["/bin/bash", str(flink_home.scripts() / script), *arguments],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal does not reach the cluster
        )


def _end_orphans(home: Path) -> None:
    """End the Python workers whose TaskManager was killed: they would wait forever for its next call."""
    for process in psutil.process_iter(["cmdline"]):
        if _WORKER in (process.info["cmdline"] or []):
            with suppress(psutil.Error):
                of_this_cluster = process.environ().get("FLINK_PID_DIR") == str(home / "pid")
                above = [str(parent.cmdline()) for parent in process.parents()]
                if of_this_cluster and not any(_ROLE in words for words in above):
                    process.kill()


def _wait_until_complete(state: Path, url: str, before: set[str]) -> None:
    """Wait until all TaskManagers have registered; restart a process that ran `before` and ends while we wait.

    A process may end a moment after another one that it depends on.
    """
    home = folder(state)
    roles = (home / "roles").read_text().split()
    wanted = sum(role.startswith("taskmanager") for role in roles)
    deadline = time.monotonic() + _STARTS_WITHIN
    rest = Rest(url)
    while time.monotonic() < deadline:
        lives = processes(state)
        with suppress(OSError, ValueError):
            ids = {manager["id"] for manager in rest.get("/taskmanagers")["taskmanagers"]}
            if len(lives) == len(roles) and len(ids) >= wanted:
                return
        for role in before - lives.keys():
            before.remove(role)
            _launch(state, role, url)
        time.sleep(0.2)
    dead = [role for role in roles if role not in processes(state)]
    raise LocalError(
        f"the Flink cluster was not complete after {_STARTS_WITHIN:.0f} seconds",
        facts=(f"processes that have ended: {', '.join(dead)}",)
        if dead
        else (f"its TaskManagers have not registered at {url}",),
        fixes=(
            f"look into {home / 'log'}",
            "start an empty one: millstream down --purge, millstream up --cluster",
        ),
    )


def _choose_port(port: int | None) -> int:
    wanted = DEFAULT_PORT if port is None else port
    if free := free_port(wanted):
        return free
    if port is not None:
        raise LocalError(
            f"port {port} is in use on this machine",
            fixes=("choose a free one: --flink-port 0", f"stop the process that listens on port {port}"),
        )
    return free_port(0)


def _mark(state: Path) -> str:
    return f"-Dmillstream.cluster={state.resolve()}"


def _marked(process: psutil.Process, option: str) -> str:
    arguments: list[str] = process.info["cmdline"]
    return next(text.removeprefix(option) for text in arguments if text.startswith(option))
