"""Model files on disk: `models/<name>/<version>/` with `model.onnx`, its files of weights, and its card."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import ModelError, Place, did_you_mean
from pyflink_jobs.project.cards import columns_of
from pyflink_jobs.project.read_model import SAMPLES, read_model, signature_of_files
from udfs.scoring.model import DataFile, SampleFile

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.project.settings import Project
    from udfs.scoring.signature import Signature

__all__ = ["ModelFile", "find_model", "writable_version"]


@dataclass(frozen=True)
class ModelFile:
    """A model file that matches its card: its signature is read, its digest verified.

    `columns` are the names of a matrix input's columns in the order the model was trained with, or () if the
    card does not name them. `data` are the files with weights that the ONNX file does not have itself, `samples` rows
    with the trainer's scores. Paths are absolute.
    """

    name: str
    version: str
    onnx: Path
    sha256: str
    signature: Signature
    columns: tuple[str, ...]
    data: tuple[DataFile, ...] = ()
    samples: SampleFile | None = None

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
    graph, data = read_model(onnx, shown)
    instead = f"give the new file its own version, models/{name}/<next>/, then millstream card {name}"
    digest = _verified(graph, card.get("sha256"), shown, name, instead)
    known = card.get("data")
    parts = []
    for part, content in data.items():
        expected = known.get(part) if isinstance(known, dict) else None
        found = _verified(content, expected, shown.parent / part, name, instead)
        parts.append(DataFile(part, str(onnx.parent / part), found))
    signature = signature_of_files(graph, data, shown)
    samples = _samples(card, onnx.with_name(SAMPLES), shown, name)
    return ModelFile(name, version, onnx, digest, signature, columns_of(card), tuple(parts), samples)


def _samples(card: dict[str, Any], file: Path, shown: Path, name: str) -> SampleFile | None:
    """Return the samples that a card names; raise ModelError where the file is gone or another."""
    described = card.get("samples")
    if not isinstance(described, dict):
        return None
    again = f"write the card again: millstream card {name} --samples ROWS"
    place = Place(shown.with_name(file.name))
    try:
        content = file.read_bytes()
    except OSError as error:
        message = f"the card's samples cannot be read: {error.strerror}"
        raise ModelError(message, place=place, fixes=("put the file back", again)) from error
    digest = _verified(content, described.get("sha256"), place.file, name, again)
    tolerance = described.get("tolerance")
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
        message = f"the samples' tolerance is {tolerance!r}, expected a number from 0 on"
        raise ModelError(message, place=Place(shown.with_name("model.json")), fixes=(again,))
    return SampleFile(str(file), digest, float(tolerance))


def _verified(content: bytes, expected: object, shown: Path, name: str, instead: str) -> str:
    """Return a file's digest; raise ModelError where it is not the one in the card: restore it, or do `instead`."""
    digest = hashlib.sha256(content).hexdigest()
    if digest == expected:
        return digest
    if expected is None:
        raise ModelError(
            "the model's card does not have this file",
            place=Place(shown),
            facts=("its sha256 is not in model.json",),
            fixes=(f"write the card again: millstream card {name}",),
        )
    raise ModelError(
        "this file is not the one that the model's card describes",
        place=Place(shown),
        facts=(f"its sha256 is {digest}", f"model.json says {expected}"),
        fixes=("restore the file that the card was written for", instead),
    )


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
