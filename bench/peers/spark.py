"""Score what is in a Kafka topic now into another one, in Spark's Structured Streaming with a pandas function."""

from __future__ import annotations

import argparse
from collections.abc import Iterator  # noqa: TC003 - pandas_udf reads the types

import onnxruntime
import pandas as pd  # Spark reads the types
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json, pandas_udf, struct, to_json

FEATURES = [f"x{i}" for i in range(16)]
EVENT = ", ".join(["id LONG", "sent_us LONG", *(f"{feature} FLOAT" for feature in FEATURES)])


def run(options: argparse.Namespace) -> None:
    """Read the topic in one micro-batch of two tasks at a time."""
    builder = SparkSession.builder.master("local[2]").config("spark.jars", options.jars)
    builder = builder.config("spark.driver.memory", "2g").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", 10_000).getOrCreate()
    file = options.model

    @pandas_udf("float")  # type: ignore[untyped-decorator]  # pyspark is not in this environment
    def score(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        settings.log_severity_level = 3
        model = onnxruntime.InferenceSession(file, settings)
        name = model.get_inputs()[0].name
        for x in batches:
            yield pd.Series(model.run(None, {name: x.to_numpy("float32")})[0][:, 0])

    reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", options.broker)
    records = reader.option("subscribe", options.source).option("startingOffsets", "earliest").load()
    events = records.select(from_json(col("value").cast("string"), EVENT).alias("event")).select("event.*")
    scores = events.select("id", "sent_us", score(struct(*FEATURES)).alias("y"))
    writer = scores.select(to_json(struct("id", "sent_us", "y")).alias("value")).writeStream.format("kafka")
    writer = writer.option("kafka.bootstrap.servers", options.broker).option("topic", options.sink)
    writer.option("checkpointLocation", options.checkpoints).trigger(availableNow=True).start().awaitTermination()
    spark.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for argument in ("broker", "source", "sink", "model"):
        parser.add_argument(argument)
    parser.add_argument("--jars", help="Kafka's connector, comma-separated")
    parser.add_argument("--checkpoints", help="a folder for them")
    run(parser.parse_args())
