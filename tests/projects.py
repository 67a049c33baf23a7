"""Make small projects for tests: SQL texts, model files, settings."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pyflink_jobs.project.cards import write_card
from pyflink_jobs.project.settings import Project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["add_model", "make_project"]


def make_project(folder: Path, sql: dict[str, str], settings: str = "") -> Project:
    """Write a project whose files are `sql`, by path below sql/ without the ending, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(f"[tool.millstream]\n{settings}\n")
    for name, text in sql.items():
        file = folder / "sql" / f"{name}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Project.find(folder)


def add_model(project: Project, name: str, onnx: str, columns: tuple[str, ...] = (), version: str = "1") -> Path:
    """Put a model file of the unit tests into a project, with its card, and return its path."""
    file = project.models / name / version / "model.onnx"
    file.parent.mkdir(parents=True)
    shutil.copy(model_path(onnx), file)
    write_card(file, name, version, columns)
    return file
