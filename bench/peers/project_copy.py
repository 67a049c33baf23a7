"""The bench's project with another format, or with exactly-once results, changed as an analyst would."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from bench.peers.contestants import COMMIT_SECONDS
from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.project.settings import Project

if TYPE_CHECKING:
    from pathlib import Path

    from bench.peers.contestants import Form

__all__ = ["copy_project", "replace_text"]

_FORMAT = "'format' = 'json'"


def copy_project(root: Path, folder: Path, form: Form, *, exactly_once: bool) -> None:
    """Write the project at `root` into `folder`, changed; its Flink configuration becomes `flink.yaml`."""
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(".millstream"))
    options = read_configuration(Project.find(root))
    sink = [f"'format' = '{form}'"]
    if exactly_once:
        options["execution.checkpointing.interval"] = f"{COMMIT_SECONDS} s"
        sink += ["'sink.delivery-guarantee' = 'exactly-once'", "'sink.transactional-id-prefix' = '${BENCH_SCORES}'"]
    replace_text(folder / "sql" / "sinks" / "kafka_scores.sql", _FORMAT, ",\n  ".join(sink))
    if form != "json":
        source = folder / "sql" / "sources" / "records.sql"
        replace_text(source, _FORMAT, f"'format' = '{form}'")
        replace_text(source, "  'json.ignore-parse-errors' = '${BENCH_IGNORE_PARSE_ERRORS:-false}',\n", "")
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in options.items()]
    (folder / "flink.yaml").write_text("".join(lines))


def replace_text(file: Path, old: str, new: str) -> None:
    """Replace a text in a file; raises ValueError if it is missing."""
    text = file.read_text()
    if old not in text:
        raise ValueError(f"{file}: no {old}")
    file.write_text(text.replace(old, new))
