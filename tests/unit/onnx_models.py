"""The small ONNX files in `models/`, and rows for them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from udfs.scoring.arguments import SQL_TYPES
from udfs.scoring.model import Input, ModelSpec, Output
from udfs.scoring.signature import Tensor, read_signature, sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["SCORABLE", "bits", "model_path", "model_spec", "random_batch", "run_directly"]

SCORABLE = [
    "columns",
    "double",
    "every_dtype",
    "fixed_batch",
    "fixed_batch_3",
    "gather",
    "gather_fixed_batch",
    "gather_matrix",
    "label_probabilities",
    "linear",
    "mlp",
    "optional_input",
    "string_label",
    "strings",
    "tanh_double",
    "trees",
    "two_matrices",
]
"""All models that score rows: every file of `make.py` but `zipmap` and `batch_mean`."""


def model_path(name: str) -> Path:
    return Path(__file__).parent / "models" / f"{name}.onnx"


def model_spec(name: str, **changes: Any) -> ModelSpec:  # noqa: ANN401 - whatever the spec's fields hold
    """Return the spec that has all inputs and all outputs, each element of each, of a model file."""
    signature = read_signature(model_path(name))
    inputs = [
        Input(f"{tensor.name}{i}" if width > 1 else tensor.name, tensor.name, tensor.dtype)
        for tensor in signature.inputs
        for width in [_width(tensor)]
        for i in range(width)
    ]
    outputs = [
        Output(f"{tensor.name}{i}" if width > 1 else tensor.name, tensor.name, i if width > 1 else None, _wide(tensor))
        for tensor in signature.outputs
        for width in [_width(tensor)]
        for i in range(width)
    ]
    path = model_path(name)
    spec = ModelSpec(name, "1", str(path), sha256(path), tuple(inputs), tuple(outputs))
    return dataclasses.replace(spec, **changes)


def _width(tensor: Tensor) -> int:
    width = (*tensor.shape, 1)[1] if tensor.shape else 1
    assert isinstance(width, int)
    return width


def _wide(tensor: Tensor) -> str:
    return "float32" if tensor.dtype == "float16" else tensor.dtype if tensor.dtype in SQL_TYPES else "string"


def random_batch(spec: ModelSpec, rows: int, seed: int = 0) -> list[NDArray[Any]]:
    """Return one array per input; integers are such that the models' tables hold them."""
    random = np.random.default_rng(seed)
    batch: list[NDArray[Any]] = []
    for given in spec.inputs:
        if given.dtype == "string":
            batch.append(random.choice(np.array(["AA", "B6", "DL", "UA", "?"], object), rows))
        elif given.dtype == "bool":
            batch.append(random.random(rows) < 0.5)
        elif given.dtype.startswith("int"):
            batch.append(random.integers(-5, 5, rows).astype(given.dtype))
        else:
            batch.append(random.normal(size=rows).astype("float32" if given.dtype == "float16" else given.dtype))
    return batch


def run_directly(spec: ModelSpec, batch: Sequence[NDArray[Any]], call: int | None = None) -> list[NDArray[Any]]:
    """Return the spec's outputs from ONNX Runtime alone, all rows in one call or in calls of `call` rows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # with more, a tree ensemble's sum depends on how its trees are shared out
    session = onnxruntime.InferenceSession(spec.path, options, providers=["CPUExecutionProvider"])
    shapes = {tensor.name: tensor.shape for tensor in read_signature(Path(spec.path)).inputs}
    feeds = {}
    for name in dict.fromkeys(given.tensor for given in spec.inputs):
        given, columns = zip(*[p for p in zip(spec.inputs, batch, strict=True) if p[0].tensor == name], strict=True)
        tensor = np.stack(columns, axis=1).astype(object if given[0].dtype == "string" else given[0].dtype)
        feeds[name] = tensor if len(shapes[name]) == 2 else tensor[:, 0]
    rows = len(batch[0])
    parts = [
        session.run(None, {name: tensor[start : start + (call or rows)] for name, tensor in feeds.items()})
        for start in range(0, rows, call or rows)
    ]
    names = [tensor.name for tensor in session.get_outputs()]
    whole = {name: np.concatenate(part) for name, part in zip(names, zip(*parts, strict=True), strict=True)}
    return [whole[o.tensor].reshape(rows, -1)[:, o.element or 0] for o in spec.outputs]


def bits(values: NDArray[Any]) -> list[Any]:
    """Return what two arrays have in common if and only if they are the same to the bit: -0.0 is not 0.0."""
    return [values.dtype.str, values.tolist() if values.dtype == object else values.tobytes()]
