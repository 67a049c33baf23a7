"""`make model`: training data from the feature SQL, then an ONNX file, its card, its samples and its reference profile.

    python -m pyflink_jobs.demo.train_model --python models/train/.venv/bin/python

The rows come from a bounded run of the job `training_data`: from the very statements that the scoring job reads.
A broker of its own, in a temporary folder, keeps the project's topics as they are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from pyflink_jobs.demo.flights import TOPICS, events
from pyflink_jobs.demo.send_flights import send_flights
from pyflink_jobs.drift.build import build_reference
from pyflink_jobs.drift.subject import find_subject
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local import broker, topics
from pyflink_jobs.parsing.create_model import read_create_model
from pyflink_jobs.parsing.statements import read_sql
from pyflink_jobs.planning.compile.load import Run
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.cards import write_card
from pyflink_jobs.project.read_model import signature_in
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.job import run_job
from pyflink_jobs.scaffold.samples import take_samples
from udfs.scoring.signature import sha256

__all__ = ["add_samples", "main", "reference", "training_data"]

START, END = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 5, 1, tzinfo=UTC)
EVALUATION = datetime(2013, 4, 1, tzinfo=UTC)  # later flights are neither for training nor in the reference
MODEL, VERSION = "late_arrival", "1"


@click.command()
@click.option("--python", required=True, help="The training environment's Python.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for model.onnx and model.json.")
def main(python: str, out: Path | None) -> None:
    """Train models/late_arrival/1 on January to March, evaluate it on April, keep samples, build its reference."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "training_data"
        project = training_data(data, START, END)
        script = project.models / "train" / "late_arrival.py"
        target = out or project.models / MODEL / VERSION
        columns, scores = _columns(project), Path(temporary) / "scores.jsonl"
        files = ["--columns", ",".join(columns), "--out", str(target), "--scores", str(scores)]
        subprocess.run([python, str(script), str(data), *files], check=True)
        add_samples(target / "model.onnx", scores, columns)
        click.echo("building the reference profile")
        reference(project, data, target)


def add_samples(onnx: Path, scores: Path, columns: list[str]) -> None:
    """Keep some of the rows that the trainer scored next to the model, as `millstream card --samples` does."""
    inputs, samples = take_samples(scores, signature_in(onnx), columns)
    write_card(onnx, MODEL, VERSION, inputs, samples)


def reference(project: Project, rows: Path, target: Path) -> None:
    """Write the reference profile of the model in `target` from training data, without the part for evaluation."""
    subject = find_subject(project, MODEL, VERSION)
    model = target / "model.onnx"
    spec = replace(subject.spec, path=str(model), sha256=sha256(model))
    tables = [pj.read_json(file) for file in sorted(rows.iterdir()) if file.is_file() and file.stat().st_size]
    trained = pa.concat_tables(tables, promote_options="permissive")
    trained = trained.filter(pc.less(trained["departed_ms"], int(EVALUATION.timestamp() * 1000)))
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "rows.parquet"
        pq.write_table(trained, file)
        build_reference(subject.definition, spec, subject.options, file, target / "reference.parquet")


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
            click.echo("sending the flights to Kafka")
            send_flights(events(start, end), kafka.bootstrap_servers)
            click.echo("computing features")
            run_job(project, declare(project).job("training_data"), Run(bounded=True))
        finally:
            broker.stop(Path(temporary))
    return project


def _columns(project: Project) -> list[str]:
    """Return the model's inputs, in the order of its CREATE MODEL."""
    statements = read_sql(project.root, os.environ)["models"]
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
