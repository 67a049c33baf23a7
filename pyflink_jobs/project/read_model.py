"""The files of one model as they are on disk, with findings where they cannot be read."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from pyflink_jobs.errors import ModelError, Place
from udfs.scoring.onnx_files import DataFileError, ModelFileError, read_files, with_data
from udfs.scoring.signature import Signature, signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["SAMPLES", "read_model", "signature_in", "signature_of_files"]

T = TypeVar("T")

SAMPLES = "samples.jsonl"
"""The name of a file next to a model's card, with rows that the trainer has scored."""

_OWN_FILES = ("model.onnx", "model.json", "reference.parquet", SAMPLES)


def read_model(onnx: Path, shown: Path | None = None) -> tuple[bytes, dict[str, bytes]]:
    """Return the bytes of a model's file and those of its files of weights, by their names in it.

    `shown` is the model's path as errors print it. Raises ModelError where a file cannot be read, or has the name of
    another in a model's folder.
    """
    graph, data = _readable(lambda: read_files(onnx), shown or onnx)
    if taken := [name for name in data if str(PurePosixPath(name)) in _OWN_FILES]:
        raise ModelError(
            f"the model keeps weights in `{taken[0]}`, which is the name of another file in a model's folder",
            place=Place(shown or onnx),
            fixes=("export the model with another name for that file", "export it as one file"),
        )
    return graph, data


def signature_in(onnx: Path) -> Signature:
    """Return the inputs and outputs of a model file; raise ModelError where it cannot be read."""
    return signature_of_files(*read_model(onnx), onnx)


def signature_of_files(graph: bytes, data: Mapping[str, bytes], shown: Path) -> Signature:
    """Return the inputs and outputs of a model that `read_model` has read; raise ModelError where it is not valid."""
    return _readable(lambda: signature_of(with_data(graph, data), str(shown)), shown)


def _readable(read: Callable[[], T], shown: Path) -> T:
    """Return the result of `read`; raise ModelError where the model cannot be read."""
    try:
        return read()
    except DataFileError as error:
        raise ModelError(
            str(error),
            place=Place(shown),
            fixes=(
                "put the file where the model expects it, with the bytes that it was exported with",
                "export the model as one file: torch.onnx.export(..., external_data=False), onnx.save(onnx.load(A), B)",
            ),
        ) from error
    except ModelFileError as error:
        raise ModelError(f"ONNX Runtime cannot read the model: {error}", place=Place(shown)) from error
