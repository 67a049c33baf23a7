"""Archives for a job's workers: the code of `udfs/`, and the models. The same inputs give the same bytes."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import udfs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MODELS_FOLDER", "Package", "digest_of", "pack_code", "pack_files"]

MODELS_FOLDER = "models"
"""The worker's folder for the unpacked archive of models."""

_TIME = (1980, 1, 1, 0, 0, 0)  # the time of each file: the earliest that zip files can have


@dataclass(frozen=True)
class Package:
    """A file that is sent with a job, its digest, and the names of its contents."""

    file: Path
    sha256: str
    contents: tuple[str, ...]


def pack_code(folder: Path) -> Package:
    """Write `udfs.zip`: the worker's side of Millstream, without byte code."""
    home = Path(udfs.__file__).parent
    files = {f"udfs/{file.relative_to(home)}": file for file in home.rglob("*") if file.suffix in (".py", ".typed")}
    return pack_files(folder / "udfs.zip", files)


def pack_files(archive: Path, files: Mapping[str, Path]) -> Package:
    """Write a zip file of `files`, by their names in it."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as packed:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            # Not compressed: models hardly get smaller, and the code is small.
            packed.writestr(entry, file.read_bytes())
    part.replace(archive)
    return Package(archive, digest_of(archive), tuple(sorted(files)))


def digest_of(file: Path) -> str:
    """Return the sha256 of a file, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
