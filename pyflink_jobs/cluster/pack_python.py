"""Pack this Python environment, for workers on machines without one, of the same system and processor."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

import udfs
from pyflink_jobs.errors import ClusterError
from pyflink_jobs.project.pack_files import Package, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pack_environment"]

_NEEDED = ("apache-flink", "numpy", "onnxruntime", "psutil", "pyarrow", "scipy")
"""The packages that `udfs/` imports; their dependencies are added."""

_LEFT_OUT = ("pyflink/lib", "pyflink/opt", "pyflink/plugins", "pyflink/examples", "pyflink/licenses")  # the JVM's side
_OF_PYTHON = ("site-packages", "test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "__pycache__")
"""Folders of Python's own library that are left out."""

_START = """\
#!/bin/sh
home=$(dirname "$(dirname "$(readlink -f "$0")")")
LD_LIBRARY_PATH="$home/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}" exec "$home/bin/{name}" "$@"
"""
"""Starts Python with the shared library of the archive: the path it was built with is of this machine."""


def pack_environment(folder: Path) -> Package:
    """Write `python.tar.gz`: Python with its library and the packages of a worker, tried before it is packed.

    Raises ClusterError if the copy does not run on its own.
    """
    archive = folder / "python.tar.gz"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        home = Path(made) / "python"
        _lay_out(home)
        _try(home)
        names = sorted(str(file.relative_to(home)) for file in home.rglob("*") if not file.is_dir())
        with (
            gzip.GzipFile(archive, "wb", compresslevel=1, mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w") as tar,
        ):
            for name in names:
                entry = tar.gettarinfo(home / name, name)
                entry.uid = entry.gid = entry.mtime = 0
                entry.uname = entry.gname = ""
                with (home / name).open("rb") as content:
                    tar.addfile(entry, content if entry.isfile() else None)
    return Package(archive, digest_of(archive), tuple(names))


def _lay_out(home: Path) -> None:
    """Copy Python and the packages into one folder that works at any path."""
    library = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    (home / "bin").mkdir(parents=True)
    real = Path(sys.executable).resolve()
    shutil.copy(real, home / "bin" / real.name)
    start = home / "bin" / "python"
    start.write_text(_START.format(name=real.name))
    start.chmod(0o755)
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(
        standard, library, ignore=lambda _, names: [n for n in names if n in _OF_PYTHON or n.startswith("config-")]
    )
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        for shared in Path(sysconfig.get_config_var("LIBDIR")).glob("libpython3*.so*"):
            shutil.copy(shared, home / "lib" / shared.name)
    packages = library / "site-packages"
    for name in _closure():
        for file in distribution(name).files or ():
            source = Path(str(file.locate()))
            if _is_needed(str(file)) and source.is_file():
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, packages / file)


def _is_needed(file: str) -> bool:
    return not (file.startswith(("..", *_LEFT_OUT)) or "__pycache__" in file or "/tests/" in file)


def _closure() -> list[str]:
    """Return the names of all packages that a worker needs, sorted."""
    found: set[str] = set()
    waiting = list(_NEEDED)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            waiting += _required(name)
    return sorted(found)


def _required(name: str) -> Iterator[str]:
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            try:
                distribution(requirement.name)
            except PackageNotFoundError:
                continue  # for another system, or optional
            yield requirement.name


def _try(home: Path) -> None:
    code = str(Path(udfs.__file__).parents[1])
    imports = f"import sys; sys.path.append({code!r}); import udfs.flink.scoring, udfs.flink.drift; print(sys.prefix)"
    words = [str(home / "bin" / "python"), "-I", "-B", "-c", imports]
    run = subprocess.run(words, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    if run.returncode != 0 or Path(run.stdout.strip()) != home.resolve():
        raise ClusterError(
            "this Python environment does not run from another folder",
            facts=tuple((run.stderr or f"its home is {run.stdout.strip()}").strip().splitlines()[-2:]),
            fixes=(
                "name an environment that the workers have: `python` of the target",
                "make this environment with a Python whose library is not shared",
            ),
            detail=run.stderr,
        )
