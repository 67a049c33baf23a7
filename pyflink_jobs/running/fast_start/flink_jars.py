"""The jars that Flink's JVM on this machine starts with, in a folder of the cache.

Flink's planner lies in a jar inside a jar, is unpacked at every start, and gets a class loader of its own. Flink lets
one put the planner itself into lib/ in that jar's place. That saves the unpacking, and classes of the usual class
loader can be kept in an archive (`class_archive`). The Kafka connector is there too, for the same reason: as a job's
own jar it would be loaded anew for planning, for the JobManager and for the TaskManager.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.local.flink_home import jars_of_flink
from pyflink_jobs.local.jars import cache_folder, jars

if TYPE_CHECKING:
    from pyflink_jobs.local.java import Java

__all__ = ["PLANNER", "prepare_folder"]

_LOADER = "flink-table-planner-loader"
PLANNER = "flink-table-planner.jar"


def prepare_folder(java: Java) -> Path:
    """Return a folder whose `lib` has the jars; it is for this Java and for these very files.

    Raises LocalError where a jar cannot be fetched.
    """
    files = sorted([*jars_of_flink(), *jars("flink-kafka")])
    digest = hashlib.sha256()
    for file in (java.home / "lib" / "modules", *files):  # Java's own classes: another build of it has others
        found = file.stat()
        digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
    folder = cache_folder() / "flink" / digest.hexdigest()[:16]
    if not folder.is_dir():
        _fill(folder, files)
    return folder


def _fill(folder: Path, files: list[Path]) -> None:
    """Put the folder in its place whole; several processes may do this at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    private = Path(tempfile.mkdtemp(prefix="fill-", dir=folder.parent))
    lib = private / "lib"
    lib.mkdir()
    for file in files:
        if file.name.startswith(_LOADER):
            with zipfile.ZipFile(file) as loader:
                loader.extract(PLANNER, lib)
        else:
            (lib / file.name).symlink_to(file)
    try:
        private.rename(folder)
    except OSError:  # somebody else was faster
        shutil.rmtree(private)
