"""Model files on disk: `models/<name>/<version>/` with `model.onnx` and its card, `model.json`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pyflink_jobs.errors import ModelError, Place, did_you_mean
from udfs.scoring.signature import ModelFileError, Signature, read_signature, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyflink_jobs.project.settings import Project

__all__ = ["ModelFile", "find_model", "writable_version", "write_card"]

T = TypeVar("T")


@dataclass(frozen=True)
class ModelFile:
    """A model file that matches its card: its signature is read, its digest verified.

    `columns` are the names of a matrix input's columns in the order the model was trained with, or () if the
    card does not name them. Paths are absolute.
    """

    name: str
    version: str
    onnx: Path
    sha256: str
    signature: Signature
    columns: tuple[str, ...]

    @property
    def card(self) -> Path:
        """The card's file."""
        return self.onnx.parent / "model.json"


def find_model(project: Project, name: str, version: str | None, place: Place) -> ModelFile:
    """Return a version of a model: the given one, or else the newest by number.

    Raises ModelError at `place` for an unknown model or version, and for a file that does not match its card.
    """
    folder = project.models / name
    versions = _versions(folder)
    if not versions:
        known = sorted(path.name for path in project.models.glob("*") if _versions(path))
        raise ModelError(
            f"there is no model `{name}`",
            place=place,
            facts=(
                f"looked for {project.relative(folder)}/<version>/model.onnx",
                f"models here: {', '.join(known) or 'none'}",
            ),
            fixes=(
                *did_you_mean(name, known, fix="write {} in CREATE MODEL"),
                f"put the file at {project.relative(folder)}/1/model.onnx and write its card: millstream card {name}",
            ),
        )
    if version is not None and version not in versions:
        raise ModelError(
            f"model `{name}` has no version {version}",
            place=place,
            facts=(f"{project.relative(folder)}/ has: {', '.join(versions)}",),
            fixes=("name one of these in 'version' = '...'", "leave the option out to use the newest"),
        )
    return _read_model_file(project, name, version or versions[-1])


def _versions(folder: Path) -> list[str]:
    """Return the versions in a model's folder, the newest last: 2 before 10, 1.2 before 1.10."""
    found = [file.parent.name for file in folder.glob("*/model.onnx")]
    return sorted(found, key=lambda v: [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"[.\-_]", v)])


def _read_model_file(project: Project, name: str, version: str) -> ModelFile:
    """Read a model file and compare it with its card.

    Raises ModelError where either is missing or damaged, or where the digest differs from the card's.
    """
    onnx = project.models / name / version / "model.onnx"
    shown = project.relative(onnx)
    card = _read_card(project, onnx.with_name("model.json"), f"millstream card {name}")
    digest = _readable(sha256, onnx, shown)
    if digest != card.get("sha256"):
        raise ModelError(
            "the model file is not the one that its card describes",
            place=Place(shown),
            facts=(
                f"its sha256 is          {digest}",
                f"{shown.with_name('model.json')} says {card.get('sha256')}",
            ),
            fixes=(
                "restore the file that the card was written for",
                f"give the new file its own version, models/{name}/<next>/, then millstream card {name}",
            ),
        )
    signature = _readable(read_signature, onnx, shown)
    inputs = card.get("inputs", [])
    columns = inputs[0].get("columns", []) if len(inputs) == 1 and isinstance(inputs[0], dict) else []
    return ModelFile(name, version, onnx, digest, signature, tuple(columns))


def _read_card(project: Project, file: Path, command: str) -> dict[str, Any]:
    shown = project.relative(file)
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError("the model has no card", place=Place(shown), fixes=(f"write it: {command}",)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"the card is not valid JSON: {error}",
            place=Place(shown, getattr(error, "lineno", None)),
            fixes=("correct it", f"write it again: {command}"),
        ) from error
    if not isinstance(card, dict):
        raise ModelError("the card is not a JSON object", place=Place(shown), fixes=(f"write it again: {command}",))
    return card


def writable_version(project: Project, name: str, version: str | None) -> Path:
    """Return the model file of `version`, or else of the newest, to write a card for.

    Raises ModelError where there is none.
    """
    folder = project.models / name
    versions = _versions(folder)
    if not versions or (version and version not in versions):
        raise ModelError(
            f"there is no {project.relative(folder)}/{version or '<version>'}/model.onnx",
            facts=(f"{project.relative(folder)}/ has: {', '.join(versions) or 'nothing'}",),
            fixes=(f"put the file at {project.relative(folder)}/{version or '1'}/model.onnx",),
        )
    return folder / (version or versions[-1]) / "model.onnx"


def _readable(read: Callable[[Path], T], onnx: Path, shown: Path) -> T:
    """Return the result of `read` for a model file; raise ModelError where it cannot be read."""
    try:
        return read(onnx)
    except ModelFileError as error:
        raise ModelError(f"ONNX Runtime cannot read the model: {error}", place=Place(shown)) from error


def write_card(onnx: Path, name: str, version: str, columns: tuple[str, ...] = ()) -> Path:
    """Write `model.json` next to a model file, from the file's own signature, and return its path.

    `columns` names the columns of a matrix input, in order. Raises ModelError for a file that is not an ONNX model.
    """
    signature = _readable(read_signature, onnx, onnx)
    inputs: list[dict[str, Any]] = [
        {"tensor": t.name, "dtype": t.dtype, "shape": list(t.shape)} for t in signature.inputs
    ]
    if columns and len(inputs) == 1:
        inputs[0]["columns"] = list(columns)
    card = {
        "name": name,
        "version": version,
        "sha256": sha256(onnx),
        "inputs": inputs,
        "outputs": [{"tensor": t.name, "dtype": t.dtype, "shape": list(t.shape)} for t in signature.outputs],
    }
    file = onnx.with_name("model.json")
    file.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return file
