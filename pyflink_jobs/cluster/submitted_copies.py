"""Copies of the project as it was submitted, one for each running job, so that a failed upgrade can be undone."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.cluster.ship_models import files_of
from pyflink_jobs.project.settings import Project

if TYPE_CHECKING:
    from pyflink_jobs.cluster.submit import Submission

__all__ = ["Record", "find_record", "keep_record"]

_KEPT = 3  # of a job: the running one and two before it


@dataclass(frozen=True)
class Record:
    """A submitted job's copy of the project, and the address of its Kafka."""

    project: Project
    kafka: str
    ship_env: bool


def keep_record(project: Project, submission: Submission, job_id: str, kafka: str, *, ship_env: bool) -> None:
    """Copy the SQL, the models that the job calls, the settings and Flink configurations; old copies are deleted."""
    folder = _folder(project, submission.target.name, submission.planned.name)
    copy = folder / job_id
    copy.mkdir(parents=True, exist_ok=True)
    shutil.copy(project.root / "pyproject.toml", copy)
    for name in ("sql", "flink-conf"):
        if (project.root / name).is_dir():
            shutil.copytree(project.root / name, copy / name, dirs_exist_ok=True)
    cards = [Path(model.spec.path).with_name("model.json") for model in submission.models]
    for file in [*files_of(list(submission.models)), *cards]:
        place = copy / project.relative(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    (copy / "record.json").write_text(json.dumps({"kafka": kafka, "ship_env": ship_env}))
    for old in sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)[_KEPT:]:
        shutil.rmtree(old)


def find_record(project: Project, target: str, job: str, job_id: str) -> Record | None:
    """Return the record of a job; None if it was submitted from elsewhere."""
    copy = _folder(project, target, job) / job_id
    if not (copy / "record.json").is_file():
        return None
    return Record(Project.find(copy), **json.loads((copy / "record.json").read_text()))


def _folder(project: Project, target: str, job: str) -> Path:
    return project.state / "submitted" / target / job
