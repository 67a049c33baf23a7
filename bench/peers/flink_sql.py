"""A job without a model in Flink SQL alone, its formats Flink's own: what a job that scores is measured by.

Arguments: broker, source, sink, format, milliseconds between commits or 0.
"""

from __future__ import annotations

import sys

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from pyflink_jobs.local.jars import jars

_FEATURES = [f"x{i}" for i in range(16)]
_SOURCE = """
CREATE TABLE records (
  id BIGINT, sent_us BIGINT, {columns},
  sent_at AS TO_TIMESTAMP_LTZ(sent_us / 1000, 3),
  WATERMARK FOR sent_at AS sent_at - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{broker}',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = '{form}'
)"""
_SINK = """
CREATE TABLE scores (id BIGINT, sent_us BIGINT, y FLOAT) WITH (
  'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{broker}', 'format' = '{form}'{more}
)"""
_EXACTLY_ONCE = ", 'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '{topic}'"


def main() -> None:
    """Run the job to its end."""
    broker, source, sink, form, commit_ms = sys.argv[1:]
    options = {
        "parallelism.default": "2",
        "pipeline.object-reuse": "true",
        "restart-strategy.type": "none",
        "pipeline.jars": ";".join(jar.as_uri() for jar in jars("flink-kafka")),
    }
    if commit_ms != "0":
        options["execution.checkpointing.interval"] = f"{commit_ms} ms"
    configuration = Configuration()
    for key, value in options.items():
        configuration.set_string(key, value)
    settings = EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    environment = TableEnvironment.create(settings)
    columns = ", ".join(f"{name} FLOAT" for name in _FEATURES)
    more = "" if commit_ms == "0" else _EXACTLY_ONCE.format(topic=sink)
    environment.execute_sql(_SOURCE.format(columns=columns, topic=source, broker=broker, form=form))
    environment.execute_sql(_SINK.format(topic=sink, broker=broker, form=form, more=more))
    total = " + ".join(_FEATURES)
    environment.execute_sql(f"INSERT INTO scores SELECT id, sent_us, {total} AS y FROM records").wait()


if __name__ == "__main__":
    main()
