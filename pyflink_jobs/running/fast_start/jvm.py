"""The JVM that PyFlink talks to: how it is started, and that it starts while Python still reads SQL and models."""

from __future__ import annotations

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pyflink_jobs.local.flink_home import flink_home
from pyflink_jobs.local.java import find_java
from pyflink_jobs.running.fast_start.class_archive import Archive
from pyflink_jobs.running.fast_start.flink_jars import prepare_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

__all__ = ["early_jvm", "flink_log", "prepare_jvm", "start_quickly", "variable"]

T = TypeVar("T")

_ALL = "-Xmx2g -Xshare:auto -XX:MetaspaceSize=256m"  # a collection for the sake of classes would come at 20 MB of them
# Java's better compiler has more work at a job's start than the planner itself. It waits until code has run ten times
# as often as usual: what runs for each record has soon, what plans never.
_LATER = (
    "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)

# By the kind of what the JVM is for; each has an archive of classes of its own.
_OPTIONS = {
    "run": f"{_ALL} {_LATER}",
    # Nearly half the time to plan, half a long job's speed. Planning ends before that many new objects are made.
    "plan": f"{_ALL} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmn400m",
}


def start_quickly() -> None:
    """Ask for a JVM that suits what plans much and runs little.

    To be called before the JVM starts. `JVM_ARGS`, where it is set, wins.
    """
    os.environ.setdefault("JVM_ARGS", _OPTIONS["plan"])


def prepare_jvm(project: Project, *, write: bool = False) -> Archive | None:
    """Set what PyFlink's JVM reads from the environment: which Java, how much memory, where its log goes.

    `JVM_ARGS`, where it is set, wins over our options. Else the archive of classes is returned. Where there is none
    yet, and `write` asks for one, `Archive.finish` is to end the JVM, which then writes it.
    """
    java = find_java()
    folder = prepare_folder(java)
    log = flink_log(project)
    log.mkdir(parents=True, exist_ok=True)
    os.environ["JAVA_HOME"] = str(java.home)
    os.environ["FLINK_HOME"] = str(flink_home())
    os.environ["FLINK_LIB_DIR"] = str(folder / "lib")
    os.environ["FLINK_LOG_DIR"] = str(log)
    os.environ["FLINK_IDENT_STRING"] = "millstream"
    # Workers are processes, as on a cluster. In this process they would share its interpreter lock: a fifth slower.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - PyFlink spells it so
    # Freeing a Java object is a call to the JVM. Made on another thread, it takes a connection of its own; the main
    # thread's next call may get that one, and with it another JVM thread, where Flink's planner misses its
    # thread-local state. So nothing is freed behind the main thread's back: following a job, it collects itself.
    gc.disable()
    chosen = os.environ.setdefault("JVM_ARGS", _OPTIONS["run"])
    for kind, options in _OPTIONS.items():
        if options == chosen:
            archive = Archive(folder, kind, java)
            os.environ["JVM_ARGS"] = " ".join([chosen, *archive.options(write=write)])
            return archive
    return None


@contextmanager
def early_jvm(project: Project, first: Callable[[], T]) -> Iterator[Future[T]]:
    """Start the JVM on a thread beside the block, and call `first` there, which may use it; yield what comes of it.

    Until that is there, the block leaves the JVM alone: it must have one connection, as `prepare_jvm` says. For a
    process that does one thing: where there is no archive of classes, the JVM ends with the block and writes it.
    """
    with variable("JVM_ARGS", os.environ.get("JVM_ARGS")), ThreadPoolExecutor(1) as beside:
        archive = prepare_jvm(project, write=True)
        from pyflink.java_gateway import get_gateway

        def start() -> T:
            get_gateway()
            return first()

        starting = beside.submit(start)
        try:
            yield starting
        finally:
            wait([starting])
            if archive and not starting.exception():
                archive.finish(get_gateway(), well=sys.exception() is None)


@contextmanager
def variable(name: str, value: str | None) -> Iterator[None]:
    """Give an environment variable a value, or take it away, while the block runs."""
    before = os.environ.get(name)
    try:
        _set(name, value)
        yield
    finally:
        _set(name, before)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def flink_log(project: Project) -> Path:
    """Return the folder of Flink's log files."""
    return project.state / "flink" / "logs"
