"""A model that is ready to score: its specification (`ModelSpec`), and how a worker loads it (`load_model`).

Inputs of one tensor are the columns of a matrix, and an output may be one element of a row of another:

>>> numbers = [Input(name, "X", "float32") for name in ("delay", "distance")]
>>> spec = ModelSpec("m", "1", "model.onnx", "", (numbers[0], Input("carrier", "C", "string"), numbers[1]), ())
>>> spec.columns_of(Tensor("X", "float32", (None, 2)))
[0, 2]
>>> probabilities = np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)
>>> one_per_row(probabilities, 2, Output("late", "probabilities", 1, "float32")).tolist()
[0.75, 0.5]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from udfs.scoring.call_size import Calls
from udfs.scoring.onnx_files import ModelFileError
from udfs.scoring.signature import Signature, Tensor, open_session
from udfs.scoring.time_limit import TimeLimitError, run_limited
from udfs.scoring.verified_files import verified_model
from udfs.scoring.worker_memory import bounded_options, release_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import onnxruntime
    from numpy.typing import NDArray

__all__ = [
    "RUN_ERRORS",
    "TIME_LIMIT",
    "DataFile",
    "Input",
    "Model",
    "ModelSpec",
    "Output",
    "SampleFile",
    "load_model",
    "numpy_dtype",
    "one_per_row",
]


class OutputShapeError(Exception):
    """An output that does not have the expected value for each row."""


RUN_ERRORS = (
    runtime.EPFail,
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.NotImplemented,
    runtime.RuntimeException,
    MemoryError,
    OutputShapeError,
    TimeLimitError,
)
"""The errors that `Model.run` raises when the model refuses its input."""

_RESIZING = ("Compress", "NonZero", "Unique")
"""Operators whose number of results depends on values: one row may have none and another two, and the sum be right."""


TIME_LIMIT = 10.0
WORKER_MEMORY = 2 * 2**30


@dataclass(frozen=True)
class Input:
    """One SQL column that the model expects: the tensor it is part of, and that tensor's dtype ("string" for text).

    Several inputs with one tensor are the columns of a matrix, in order.
    """

    name: str
    tensor: str
    dtype: str


@dataclass(frozen=True)
class Output:
    """One SQL column that the model returns: an ONNX output with one value per row, or an `element` along its axis 1.

    `dtype` is the column's; the model's own must convert to it without loss.
    """

    name: str
    tensor: str
    element: int | None
    dtype: str


@dataclass(frozen=True)
class DataFile:
    """A file with weights of a model: its `name` in the ONNX file, relative to that; its path or URI, and digest."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True)
class SampleFile:
    """Rows with the scores that the trainer computed: the path or URI of their file, its digest.

    A float score may differ from the model's by `tolerance`, or by that share of it where it is above 1.
    """

    path: str
    sha256: str
    tolerance: float


@dataclass(frozen=True)
class ModelSpec:
    """Everything that a worker needs to load and call a model; small and picklable.

    `path` is a path, or a URI that pyarrow's file systems know; `sha256` is the file's digest. `data` are the files
    with weights that the ONNX file does not have itself, `samples` rows with known scores. With `null_inputs`
    "nan", a NULL in a float column is NaN for the model; with "refuse", the row is refused.
    `time_limit` is for one call, in seconds; `worker_memory` is for the whole process, in bytes.
    `calls` is how rows are passed to the model: many in one call, each in a call filled with copies of it ("copies"),
    or each in a call of one row ("single").
    """

    name: str
    version: str
    path: str
    sha256: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    null_inputs: Literal["nan", "refuse"] = "nan"
    time_limit: float = TIME_LIMIT
    worker_memory: int = WORKER_MEMORY
    calls: Literal["many", "copies", "single"] = "many"
    data: tuple[DataFile, ...] = ()
    samples: SampleFile | None = None

    @property
    def files(self) -> dict[str, str]:
        """The paths of all files that a worker needs, with their digests."""
        files = {self.path: self.sha256, **{part.path: part.sha256 for part in self.data}}
        return files | {self.samples.path: self.samples.sha256} if self.samples else files

    def moved(self, locate: Callable[[str, str], str]) -> ModelSpec:
        """Return the same with its files elsewhere: `locate` returns the new path of a path and a sha256."""
        data = tuple(replace(part, path=locate(part.path, part.sha256)) for part in self.data)
        samples = self.samples
        if samples:
            samples = replace(samples, path=locate(samples.path, samples.sha256))
        return replace(self, path=locate(self.path, self.sha256), data=data, samples=samples)

    def columns_of(self, tensor: Tensor) -> list[int]:
        """Return the positions of the inputs that a tensor consists of."""
        return [i for i, given in enumerate(self.inputs) if given.tensor == tensor.name]


@dataclass(frozen=True)
class Model:
    """An open session, the input tensors that the spec has columns for, and the call size.

    `resizing` is True for a model with operators whose number of results depends on values.
    """

    spec: ModelSpec
    session: onnxruntime.InferenceSession
    resizing: bool
    tensors: tuple[Tensor, ...]
    calls: Calls

    @property
    def wanted(self) -> list[str]:
        """The names of the ONNX outputs that the outputs of the spec are part of."""
        return list(dict.fromkeys(output.tensor for output in self.spec.outputs))

    @property
    def title(self) -> str:
        """The model's name and version, as the first words of a message."""
        return f"model {self.spec.name}, version {self.spec.version},"

    def run(self, tensors: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Call the model once; return an array of shape (rows,), of the model's own dtype, for each output of the spec.

        Raises one of RUN_ERRORS where the model refuses the input: TimeLimitError where it does not answer in time,
        OutputShapeError where an output does not have the expected value for each row.
        """
        wanted = self.wanted

        def call(options: onnxruntime.RunOptions) -> list[Any]:
            release_after(options)
            results: list[Any] = self.session.run(wanted, dict(tensors), options)
            return results

        results = run_limited(call, self.spec.time_limit, self.title)
        given = dict(zip(wanted, results, strict=True))
        rows = len(next(iter(tensors.values())))
        return [one_per_row(given[output.tensor], rows, output) for output in self.spec.outputs]


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """Return numpy's dtype for a tensor's; that of text is object, for Python strings."""
    return np.dtype(object if dtype == "string" else dtype)


_sessions: dict[tuple[str, ...], tuple[onnxruntime.InferenceSession, bool]] = {}
_lock = Lock()


def load_model(spec: ModelSpec, rows: int | None = None) -> Model:
    """Return the model, verified and warmed up. A process has one session for the same digests.

    `rows` is the most rows that a call scores, where the batch dimension is free; None for `call_size.ROWS`.
    Raises ModelFileError for a file that is missing, damaged, or does not have the digest, inputs and outputs of the
    spec.
    """
    digests = (spec.sha256, *(part.sha256 for part in spec.data))
    with _lock:
        if digests not in _sessions:
            _sessions[digests] = _open_verified(spec)
        session, resizing = _sessions[digests]
    try:
        return _warm(_fit(spec, session, resizing=resizing, rows=rows))
    except ModelFileError as error:
        raise ModelFileError(f"{spec.path}: {error}") from error


def _open_verified(spec: ModelSpec) -> tuple[onnxruntime.InferenceSession, bool]:
    graph, model = verified_model(spec)
    # A node's operator as protobuf writes it: field 4, length, name. The same bytes in the weights only cost time.
    resizing = any(bytes([0x22, len(name)]) + name.encode() in graph for name in _RESIZING)
    return open_session(model, spec.path, bounded_options(spec.worker_memory)), resizing


def _fit(spec: ModelSpec, session: onnxruntime.InferenceSession, *, resizing: bool, rows: int | None = None) -> Model:
    signature = Signature.of(session)
    tensors = tuple(_find(name, signature.inputs, "input") for name in dict.fromkeys(i.tensor for i in spec.inputs))
    for tensor in tensors:
        columns = len(spec.columns_of(tensor))
        width = tensor.shape[1] if len(tensor.shape) == 2 else 1  # noqa: PLR2004 - a matrix
        if len(tensor.shape) not in (1, 2) or (isinstance(width, int) and width != columns):
            raise ModelFileError(
                f"input `{tensor.name}` has shape {list(tensor.shape)}, but gets {columns} column(s); "
                "it must be [batch], or [batch, columns]",
            )
    for output in spec.outputs:
        if "map(" in _find(output.tensor, signature.outputs, "output").dtype:
            raise ModelFileError(
                f"output `{output.tensor}` is a sequence of maps, one Python dictionary per row; "
                "export the model with plain probabilities (skl2onnx and onnxmltools: zipmap=False)",
            )
    calls = Calls.of(tensors, alone=resizing or spec.calls == "copies", single=spec.calls == "single", rows=rows)
    return Model(spec, session, resizing, tensors, calls)


def _find(name: str, tensors: tuple[Tensor, ...], kind: str) -> Tensor:
    for tensor in tensors:
        if tensor.name == name:
            return tensor
    raise ModelFileError(f"no {kind} `{name}`; it has {', '.join(tensor.name for tensor in tensors)}")


def _warm(model: Model) -> Model:
    """Score a full call of zeros, so that memory and kernels are ready for the first real one."""
    zeros = {}
    for tensor in model.tensors:
        shape = (model.calls.size, len(model.spec.columns_of(tensor)))[: len(tensor.shape)]
        zeros[tensor.name] = np.full(shape, "" if tensor.dtype == "string" else 0, numpy_dtype(tensor.dtype))
    try:
        model.run(zeros)
    except OutputShapeError as error:
        if not model.resizing:  # then the model is wrong for any values, not only for zeros
            raise ModelFileError(str(error)) from error
    except RUN_ERRORS:
        pass  # a model may refuse zeros
    return model


def one_per_row(values: NDArray[Any], rows: int, output: Output) -> NDArray[Any]:
    """Return an output's values, of shape (rows,). Raises OutputShapeError where a tensor has not one for each row."""
    width = values.size // rows
    if values.shape[:1] != (rows,) or not (width == 1 if output.element is None else output.element < width):
        wanted = "one value" if output.element is None else f"element {output.element}"
        raise OutputShapeError(
            f"output `{output.tensor}` has shape {list(values.shape)} for {rows} rows; "
            f"{wanted} per row is wanted for `{output.name}`",
        )
    column: NDArray[Any] = values.reshape(rows, width)[:, output.element or 0]
    return column
