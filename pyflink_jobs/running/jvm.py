"""The JVM that PyFlink talks to: how it is prepared, and that it starts while Python still reads SQL and models."""

from __future__ import annotations

import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from py4j.protocol import Py4JNetworkError

from pyflink_jobs.local.flink_home import flink_home
from pyflink_jobs.local.java import find_java
from pyflink_jobs.running.fast_start.jvm_options import set_fast_start, unset_fast_start
from pyflink_jobs.running.java_objects import release_between_calls
from pyflink_jobs.running.warm.borrow import is_borrowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from py4j.java_gateway import JavaGateway

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.fast_start.class_archive import Archive

__all__ = ["early_jvm", "flink_log", "jvm_lives", "prepare_jvm", "start_jvm", "variable"]

T = TypeVar("T")


def prepare_jvm(project: Project, *, write: bool = False) -> Archive | None:
    """Set what PyFlink's JVM reads from the environment: which Java, where its log goes, how to start fast.

    With the setting `speedups`, the archive of classes is returned. Where there is none yet, and `write` asks for
    one, `Archive.finish` is to end the JVM, which then writes it.
    Raises LocalError where there is no Java or a jar cannot be fetched.
    """
    java = find_java()
    log = flink_log(project)
    log.mkdir(parents=True, exist_ok=True)
    os.environ["JAVA_HOME"] = str(java.home)
    os.environ["FLINK_HOME"] = str(flink_home())
    os.environ["FLINK_LOG_DIR"] = str(log)
    os.environ["FLINK_IDENT_STRING"] = "millstream"
    # Workers are processes, as on a cluster. In this process they would share its interpreter lock: a fifth slower.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - PyFlink spells it so
    if not project.settings.speedups:
        unset_fast_start()
        return None
    return set_fast_start(java, write=write)


def start_jvm() -> JavaGateway:
    """Return PyFlink's gateway to the JVM, which starts with the first call; `prepare_jvm` comes before that."""
    from pyflink.java_gateway import get_gateway

    gateway = get_gateway()
    release_between_calls(gateway)
    return gateway


def jvm_lives() -> bool:
    """Return whether the JVM that was started still answers. If not, its client logs no more errors."""
    logging.disable()  # py4j logs a stack trace for each call that finds it gone
    try:
        start_jvm().jvm.java.lang.System.nanoTime()
    except Py4JNetworkError:
        return False
    logging.disable(logging.NOTSET)
    return True


@contextmanager
def early_jvm(project: Project, first: Callable[[], T]) -> Iterator[Future[T]]:
    """Start the JVM on a thread beside the block, and call `first` there, which may use it; yield its future result.

    Until the result is there, the block must not use the JVM: two threads that call at once have two connections, and
    Flink's planner keeps state by connection. For a process that does one thing: where there is no archive of classes
    yet, the JVM ends with the block and writes it.
    """
    with variable("JVM_ARGS", os.environ.get("JVM_ARGS")), ThreadPoolExecutor(1) as beside:
        archive = None if is_borrowed() else prepare_jvm(project, write=True)
        import pyflink.java_gateway  # noqa: F401 - by one thread, not by two at once

        def start() -> T:
            start_jvm()
            return first()

        starting = beside.submit(start)
        try:
            yield starting
        finally:
            wait([starting])
            if archive and not starting.exception():
                with suppress(Py4JNetworkError):  # the JVM has ended already
                    archive.finish(start_jvm(), well=sys.exception() is None)


@contextmanager
def variable(name: str, value: str | None) -> Iterator[None]:
    """Set an environment variable, or unset it where `value` is None, while the block runs."""
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
