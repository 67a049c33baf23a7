"""A Flink table environment on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pyflink_jobs.java.build import java_classes
from pyflink_jobs.local.jars import jars
from pyflink_jobs.project.flink_options import read_configuration, with_all_files
from pyflink_jobs.project.functions import make_importable, pack_functions
from pyflink_jobs.project.interpreter import embedded_options
from pyflink_jobs.running.jvm import prepare_jvm, start_jvm
from udfs.flink.speedups import SPEEDUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyflink.table import TableEnvironment

    from pyflink_jobs.project.settings import Project

__all__ = ["DEFAULTS", "import_pyflink", "table_environment"]


DEFAULTS = {
    # The same rows on every machine.
    "table.local-time-zone": "UTC",
    # A partition without records must not stop event time for good. One that is slow on a busy machine must not count
    # as empty, or its rows are late and windows drop them: hence a minute.
    "table.exec.source.idle-timeout": "60 s",
    # A source that catches up reads thousands of rows between two watermarks, and OVER and joins keep them in their
    # state until the second: each row costs more the more of them wait. Flink's own 200 ms are for slow streams.
    "pipeline.auto-watermark-interval": "20 ms",
    # One Python operator serves every INSERT that reads a model's view.
    "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
    # Rows go to the Python worker in Arrow batches; the operator waits for a whole bundle of them, which costs some
    # ten milliseconds whatever its size. A quiet stream waits no longer than bundle.time, in milliseconds.
    "python.fn-execution.arrow.batch.size": "5000",
    "python.fn-execution.bundle.size": "20000",
    "python.fn-execution.bundle.time": "100",
}
"""Defaults of a job's options; the project's Flink configuration overrides them."""

_BOUNDED = {"python.fn-execution.bundle.time": "1000"}
"""Defaults of a bounded job: throughput matters more than latency, and fewer bundles cost less."""

_NO_SPEEDUPS = {f"pipeline.global-job-parameters.{SPEEDUPS}": "false"}


def table_environment(
    project: Project,
    options: Mapping[str, str] | None = None,
    *,
    batch: bool = False,
    remote: bool = False,
    bounded: bool = False,
    connectors: bool = True,
) -> TableEnvironment:
    """Return an environment with the project's Flink configuration and parallelism, its Kafka and Avro, and our jar.

    `options` override the project's configuration. A `remote` cluster uses neither that configuration, nor this Python,
    nor the project's parallelism: they are for this machine. A `bounded` job may wait longer for single rows. Without
    `connectors`, jobs get no jars of ours. The JVM starts with the first environment of a process.
    Raises LocalError if Java or a connector is not available.
    """
    prepare_jvm(project)
    start_jvm()
    # With `speedups` the connector is among the JVM's own jars; a cluster elsewhere has to be sent it.
    make_importable(project)
    sent = [java_classes()] if project.settings.speedups and not remote else [*jars("flink-kafka"), java_classes()]
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    configuration = Configuration()
    functions = None if remote else pack_functions(project, project.state / "flink")
    here = {
        "parallelism.default": str(project.settings.parallelism),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
    }
    settings = with_all_files(
        {"pipeline.jars": ";".join(jar.as_uri() for jar in sent)} if connectors else {},
        {"python.files": str(functions.file)} if functions else {},
        DEFAULTS,
        _BOUNDED if bounded else {},
        {} if project.settings.speedups else _NO_SPEEDUPS,
        {} if remote else {**here, **read_configuration(project)},
        options or {},
    )
    settings = with_all_files(embedded_options(settings), settings)
    for key, value in settings.items():
        configuration.set_string(key, value)
    builder = EnvironmentSettings.new_instance().with_configuration(configuration)
    environment: TableEnvironment = TableEnvironment.create(
        (builder.in_batch_mode() if batch else builder.in_streaming_mode()).build()
    )
    return environment


def import_pyflink() -> None:
    """Import what planning needs of PyFlink: a second that is better spent while the JVM starts."""
    import udfs.flink.scoring  # noqa: F401
