"""A project's own functions in Python: the modules in its folder `functions/`, for CREATE FUNCTION ... LANGUAGE PYTHON.

    CREATE FUNCTION distance AS 'functions.geo.distance' LANGUAGE PYTHON

A module imports others of the folder as `functions.NAME`. Workers get the whole folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.project.pack_files import pack_files

if TYPE_CHECKING:
    from pyflink_jobs.project.pack_files import Package
    from pyflink_jobs.project.settings import Project

__all__ = ["FUNCTIONS", "make_importable", "pack_functions"]

FUNCTIONS = "functions"
"""The name of the folder, and of the package that its modules are in."""

_appended: list[str] = []


def make_importable(project: Project) -> None:
    """Let this process import the project's functions, and none of another project's."""
    root = str(project.root)
    for other in [path for path in _appended if path != root]:
        _appended.remove(other)
        sys.path.remove(other)
        for name in [name for name in sys.modules if name.split(".")[0] == FUNCTIONS]:
            del sys.modules[name]
    if _files(project) and root not in sys.path:
        sys.path.append(root)  # at the end: nothing else in the project hides a package
        _appended.append(root)


def pack_functions(project: Project, folder: Path) -> Package | None:
    """Write `functions.zip` into a folder, None where the project has no functions."""
    files = {str(file.relative_to(project.root)): file for file in _files(project)}
    if not files:
        return None
    # A module in an archive is found in packages alone.
    packages = {str(Path(name).parent / "__init__.py") for name in files}
    return pack_files(folder / f"{FUNCTIONS}.zip", dict.fromkeys(packages, Path(os.devnull)) | files)


def _files(project: Project) -> list[Path]:
    every = (project.root / FUNCTIONS).rglob("*")
    return [file for file in every if file.is_file() and "__pycache__" not in file.parts]
