"""The inputs and outputs of an ONNX file, as ONNX Runtime reports them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnxruntime

from udfs.scoring.onnx_files import ModelFileError, sha256, whole_model

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ModelFileError", "Signature", "Tensor", "open_session", "read_signature", "sha256", "signature_of"]


@dataclass(frozen=True)
class Tensor:
    """One input or output of a model.

    `dtype` is numpy's name ("float32", "int64", "bool", ...) or "string". For anything but a tensor it is ONNX
    Runtime's type with those names in it: "sequence(map(int64,float32))" is the output of a ZipMap node.
    `shape` has an int for each fixed dimension, and a name or None for each free one.
    `optional` inputs have a default in the file and may be left out.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]
    optional: bool = False


@dataclass(frozen=True)
class Signature:
    """All inputs and outputs of a model, in the file's order, optional inputs last."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @classmethod
    def of(cls, session: onnxruntime.InferenceSession) -> Signature:
        """Return the signature of an open session."""
        required = [_tensor(node) for node in session.get_inputs()]
        optional = [_tensor(node, optional=True) for node in session.get_overridable_initializers()]
        return cls((*required, *optional), tuple(_tensor(node) for node in session.get_outputs()))


def read_signature(path: Path) -> Signature:
    """Return the inputs and outputs of the model at `path`, with its files of weights.

    Raises ModelFileError for a file that cannot be read or is not an ONNX model.
    """
    return signature_of(whole_model(path), str(path))


def signature_of(content: bytes, path: str) -> Signature:
    """Return the inputs and outputs of a whole model, without optimising its graph; `path` is for the error's text.

    Raises ModelFileError for bytes that are not an ONNX model.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return Signature.of(open_session(content, path, options))


def open_session(
    content: bytes,
    path: str,
    options: onnxruntime.SessionOptions | None = None,
) -> onnxruntime.InferenceSession:
    """Open a session on a model's bytes; `path` is only for the error's text.

    A session has one thread: Flink's subtasks run in parallel, and more threads were slower at these batch sizes. With
    more threads, the last bits of a tree ensemble's scores depend on their number: each thread sums some of the trees.
    Raises ModelFileError for bytes that are not an ONNX model, or one that this ONNX Runtime does not support.
    """
    options = options or onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Fatal messages only: LightGBM's export warns about a shape at each run, and a row that the model refuses would be
    # logged once for each half in which it is searched. Errors are raised as exceptions.
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common class
        raise ModelFileError(f"{path} cannot be loaded as an ONNX model ({len(content):,} bytes): {error}") from error


NUMPY = {"float": "float32", "double": "float64"}


def _tensor(node: Any, *, optional: bool = False) -> Tensor:  # noqa: ANN401 - ONNX Runtime ships no types
    dtype = re.sub(r"tensor\((\w+)\)", lambda match: NUMPY.get(match[1], match[1]), node.type)
    return Tensor(node.name, dtype.replace("seq(", "sequence("), tuple(node.shape), optional)
