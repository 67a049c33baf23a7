"""Local copies of the files that a worker needs, from wherever pyarrow's file systems reach; kept by their digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

__all__ = ["FileError", "local_file"]


class FileError(Exception):
    """A file that cannot be fetched, or does not have the expected digest."""


def local_file(location: str, sha256: str) -> Path:
    """Return the path of a file: `location` itself, or for a URI (file, s3, gs, hdfs) a copy whose digest is `sha256`.

    Copies are kept in `$MILLSTREAM_CACHE/files`, or else in a folder of the user's in the temporary folder. Several
    processes may fetch the same file at once.
    Raises FileError for a URI that cannot be read or whose file has another digest.
    """
    if "://" not in location:
        return Path(location)
    copy = _cache() / f"{sha256}{Path(location).suffix}"
    if not copy.is_file():
        _fetch(location, sha256, copy)
    return copy


def _fetch(location: str, sha256: str, copy: Path) -> None:
    """Download a file and move it to its place, if it has the expected digest."""
    from pyarrow import fs

    try:
        system, path = fs.FileSystem.from_uri(location)
        with system.open_input_stream(path) as stream:
            content: bytes = stream.read()
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise FileError(f"{location} cannot be read: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise FileError(f"{location} has sha256 {found}, expected {sha256}: put the file back that the job came with")
    copy.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as private:
        private.write(content)
    Path(private.name).replace(copy)


def _cache() -> Path:
    if chosen := os.environ.get("MILLSTREAM_CACHE"):
        return Path(chosen) / "files"
    return Path(tempfile.gettempdir()) / f"millstream-{os.getuid()}" / "files"
