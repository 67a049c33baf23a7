"""Files that a worker needs: beside it, or wherever pyarrow's file systems reach, kept by their digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

__all__ = ["FileError", "local_file"]


class FileError(Exception):
    """A file cannot be fetched, or is another than the one that was asked for."""


def local_file(location: str, sha256: str) -> Path:
    """Return the path of a file: `location` itself, or for a URI (file, s3, gs, hdfs) a copy whose digest is `sha256`.

    Copies stay in `$MILLSTREAM_CACHE/files`, else in a folder of the user's among the temporary files; several
    processes may fetch one at once. Raises FileError.
    """
    if "://" not in location:
        return Path(location)
    copy = _cache() / f"{sha256}{Path(location).suffix}"
    if not copy.is_file():
        _fetch(location, sha256, copy)
    return copy


def _fetch(location: str, sha256: str, copy: Path) -> None:
    """Put a file in its place whole, if it is the right one."""
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
    with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as made:
        made.write(content)
    Path(made.name).replace(copy)


def _cache() -> Path:
    if chosen := os.environ.get("MILLSTREAM_CACHE"):
        return Path(chosen) / "files"
    return Path(tempfile.gettempdir()) / f"millstream-{os.getuid()}" / "files"
