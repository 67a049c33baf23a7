"""Write the card of a model file: its digests, its inputs and outputs, and the samples next to it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pyflink_jobs.project.read_model import SAMPLES, read_model, signature_of_files
from udfs.scoring.samples import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from udfs.scoring.signature import Signature

__all__ = ["columns_of", "columns_of_card", "write_card"]


def write_card(
    onnx: Path,
    name: str,
    version: str,
    columns: tuple[str, ...] = (),
    samples: str | None = None,
    tolerance: float | None = None,
) -> Path:
    """Write `model.json` next to a model file, from the file's own signature, and return its path.

    `columns` names the columns of a matrix input, in order. `samples` are rows with the trainer's scores, which are
    written next to the card; their scores may differ by `tolerance`. What an older card says of these stays, and of the
    same model everything else it says. Raises ModelError for a file that is not an ONNX model.
    """
    graph, data = read_model(onnx)
    signature = signature_of_files(graph, data, onnx)
    inputs: list[dict[str, Any]] = [
        {"tensor": t.name, "dtype": t.dtype, "shape": list(t.shape)} for t in signature.inputs
    ]
    old = _old_card(onnx)
    if len(inputs) == 1 and (named := columns or _columns(old, signature)):
        inputs[0]["columns"] = list(named)
    card: dict[str, Any] = {
        "name": name,
        "version": version,
        "sha256": hashlib.sha256(graph).hexdigest(),
        **({"data": {part: hashlib.sha256(content).hexdigest() for part, content in data.items()}} if data else {}),
        "inputs": inputs,
        "outputs": [{"tensor": t.name, "dtype": t.dtype, "shape": list(t.shape)} for t in signature.outputs],
    }
    if [old.get(key) for key in ("sha256", "data")] == [card.get(key) for key in ("sha256", "data")]:
        card |= {key: value for key, value in old.items() if key not in (*card, "samples")}
        said = {output["tensor"]: output for output in old.get("outputs", ()) if "tensor" in output}
        card["outputs"] = [said.get(output["tensor"], {}) | output for output in card["outputs"]]
    beside = onnx.with_name(SAMPLES)
    if samples is not None:
        beside.write_text(samples, encoding="utf-8")
    if beside.is_file():
        kept = old["samples"].get("tolerance", TOLERANCE) if isinstance(old.get("samples"), dict) else TOLERANCE
        digest = hashlib.sha256(beside.read_bytes()).hexdigest()
        card["samples"] = {"sha256": digest, "tolerance": kept if tolerance is None else tolerance}
    file = onnx.with_name("model.json")
    file.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return file


def _old_card(onnx: Path) -> dict[str, Any]:
    """Return the card that is there, {} if there is none that can be read."""
    try:
        card = json.loads(onnx.with_name("model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def columns_of_card(onnx: Path, signature: Signature) -> tuple[str, ...]:
    """Return the columns of a matrix input that a model's card names; () if it names none, or too many or few."""
    return _columns(_old_card(onnx), signature)


def columns_of(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of a matrix input that a card names; () if it names none."""
    match card.get("inputs"):
        case [{"columns": [*names]}]:
            return tuple(str(name) for name in names)
    return ()


def _columns(card: Mapping[str, Any], signature: Signature) -> tuple[str, ...]:
    names, shape = columns_of(card), signature.inputs[0].shape
    fits = len(shape) > 1 and (not isinstance(shape[1], int) or shape[1] == len(names))
    return names if fits else ()
