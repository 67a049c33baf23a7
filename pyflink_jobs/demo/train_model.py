"""`make model`: flights through the feature SQL into training data, and from there into an ONNX file and its card.

    python -m pyflink_jobs.demo.train_model --python models/train/.venv/bin/python

The rows come from a bounded run of the job `training_data`: from the very statements that the scoring job reads.
A broker of its own, in a temporary folder, keeps the project's topics as they are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from pyflink_jobs.demo.flights import TOPICS, events
from pyflink_jobs.demo.replay import replay
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local import broker, topics
from pyflink_jobs.planning.create_model import read_create_model
from pyflink_jobs.project.settings import Project
from pyflink_jobs.project.sqlfile import read_sql
from pyflink_jobs.running.job import run_job

__all__ = ["main", "training_data"]

START, END = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 5, 1, tzinfo=UTC)  # April is for evaluation
MODEL, VERSION = "late_arrival", "1"


@click.command()
@click.option("--python", required=True, help="The training environment's Python.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for model.onnx and model.json.")
def main(python: str, out: Path | None) -> None:
    """Train models/late_arrival/1 anew from January to March, evaluated on April."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "training_data"
        project = training_data(data, START, END)
        script = project.models / "train" / "late_arrival.py"
        target = out or project.models / MODEL / VERSION
        columns = ",".join(_columns(project))
        subprocess.run([python, str(script), str(data), "--columns", columns, "--out", str(target)], check=True)


def training_data(folder: Path, start: datetime, end: datetime) -> Project:
    """Write the flights of a span of time, with features and label, into JSON files in `folder`.

    Raises what running a job raises.
    """
    with tempfile.TemporaryDirectory() as temporary:
        kafka = broker.start(Path(temporary), port=0)
        os.environ |= {"MILLSTREAM_KAFKA": kafka.bootstrap_servers, "TRAINING_DATA": str(folder)}
        try:
            project = Project.find()  # with this Kafka
            topics.create(kafka.bootstrap_servers, {name: topic.partitions for name, topic in TOPICS.items()})
            click.echo("replaying the flights")
            replay(events(start, end), kafka.bootstrap_servers)
            click.echo("computing features")
            run_job(project, "training_data", bounded=True)
        finally:
            broker.stop(Path(temporary))
    return project


def _columns(project: Project) -> list[str]:
    """Return the model's inputs, in the order of its CREATE MODEL."""
    statements = read_sql(project, os.environ)["models"]
    return [
        column.name
        for statement in statements
        if statement.name == MODEL
        for column in read_create_model(statement).inputs
    ]


if __name__ == "__main__":
    try:
        main()
    except MillstreamError as error:
        sys.exit(f"error: {error}")
