"""A Flink table environment on this machine."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from pyflink_jobs.local.jars import jars
from pyflink_jobs.local.java import find_java
from pyflink_jobs.project.options import read_configuration
from pyflink_jobs.running.java_classes import java_classes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyflink.table import TableEnvironment

    from pyflink_jobs.project.settings import Project

__all__ = ["DEFAULTS", "flink_log", "prepare_jvm", "start_quickly", "table_environment"]


DEFAULTS = {
    # The same rows on every machine.
    "table.local-time-zone": "UTC",
    # A partition without records must not hold event time back for good. One that is slow on a busy machine must not
    # count as empty, or its rows come late and windows drop them: hence a minute.
    "table.exec.source.idle-timeout": "60 s",
    # One Python operator serves every INSERT that reads a model's view.
    "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
    # Rows go to the Python worker in Arrow batches; the operator waits for a whole bundle of them, which costs some
    # ten milliseconds whatever its size. A quiet stream waits no longer than bundle.time, in milliseconds.
    "python.fn-execution.arrow.batch.size": "5000",
    "python.fn-execution.bundle.size": "20000",
    "python.fn-execution.bundle.time": "100",
}
"""What a job gets where the project's Flink configuration says nothing else."""


def table_environment(
    project: Project, options: Mapping[str, str] | None = None, *, batch: bool = False, remote: bool = False
) -> TableEnvironment:
    """Return an environment with the project's Flink configuration and parallelism, its Kafka and Avro, and our jar.

    `options` win over the project's configuration. For a `remote` cluster neither that nor this Python counts, nor the
    project's parallelism: they are for this machine. The JVM starts with the first environment of a process.
    Raises LocalError where there is no Java or no connector to be had.
    """
    prepare_jvm(project)
    classpath = [*jars("flink-kafka"), java_classes()]
    from pyflink.common import Configuration  # noqa: PLC0415 - slow to import, and needs the JVM's settings first
    from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: PLC0415

    configuration = Configuration()
    here = {
        "parallelism.default": str(project.settings.parallelism),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
    }
    settings = {
        "pipeline.jars": ";".join(jar.as_uri() for jar in classpath),
        **DEFAULTS,
        **({} if remote else {**here, **read_configuration(project)}),
        **(options or {}),
    }
    for key, value in settings.items():
        configuration.set_string(key, value)
    builder = EnvironmentSettings.new_instance().with_configuration(configuration)
    environment: TableEnvironment = TableEnvironment.create(
        (builder.in_batch_mode() if batch else builder.in_streaming_mode()).build()
    )
    return environment


def prepare_jvm(project: Project) -> None:
    """Set what PyFlink's JVM reads from the environment: which Java, how much memory, where its log goes.

    `JVM_ARGS`, where it is set, wins over our options.
    """
    log = flink_log(project)
    log.mkdir(parents=True, exist_ok=True)
    os.environ["JAVA_HOME"] = str(find_java().home)
    os.environ["FLINK_LOG_DIR"] = str(log)
    os.environ["FLINK_IDENT_STRING"] = "millstream"
    os.environ.setdefault("JVM_ARGS", "-Xmx2g -Xshare:auto")
    # Workers are processes, as on a cluster. In this process they would share its interpreter lock: a fifth slower.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - PyFlink spells it so
    # Freeing a Java object is a call to the JVM. Made on another thread, it takes a connection of its own; the main
    # thread's next call may get that one, and with it another JVM thread, where Flink's planner misses its
    # thread-local state. So nothing is freed behind the main thread's back: following a job, it collects itself.
    gc.disable()


def start_quickly() -> None:
    """Ask for a JVM that suits what plans much and runs little: nearly half the time to plan, half a long job's speed.

    To be called before the JVM starts. `JVM_ARGS`, where it is set, wins.
    """
    os.environ.setdefault("JVM_ARGS", "-Xmx2g -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def flink_log(project: Project) -> Path:
    """Return the folder of Flink's log files."""
    return project.state / "flink" / "logs"
