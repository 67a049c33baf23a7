"""What a worker reads: the files of a model, each compared with the digest that the job was planned with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from udfs.local_file import FileError, local_file
from udfs.scoring.onnx_files import DataFileError, ModelFileError, external_files, read, with_data

if TYPE_CHECKING:
    from udfs.scoring.model import ModelSpec

__all__ = ["verified", "verified_model"]


def verified_model(spec: ModelSpec) -> tuple[bytes, bytes]:
    """Return the model's graph as its file has it, and the model with all weights; most often they are the same.

    Raises ModelFileError for a file that is missing, damaged, or does not have the digest of the spec.
    """
    graph = verified(spec, spec.path, spec.sha256)
    data = {part.name: part for part in spec.data}
    names = external_files(graph)
    if unknown := [name for name in names if name not in data]:
        raise DataFileError(f"{spec.path} keeps weights in `{unknown[0]}`, which the job was not planned with")
    return graph, with_data(graph, {name: verified(spec, data[name].path, data[name].sha256) for name in names})


def verified(spec: ModelSpec, location: str, digest: str) -> bytes:
    """Return the bytes of a file of the model. They are read once: what is verified is what is opened.

    Raises ModelFileError where it cannot be read, or has another digest.
    """
    try:
        content = read(local_file(location, digest))
    except FileError as error:
        raise ModelFileError(str(error)) from error
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ModelFileError(
            f"{location} is not the file that model {spec.name}, version {spec.version}, was planned with: "
            f"sha256 is {found}, expected {digest}; put that file back, or start the job again",
        )
    return content
