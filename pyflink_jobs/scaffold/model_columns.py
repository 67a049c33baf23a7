"""The SQL columns of a model's inputs and outputs, for a new project: whatever they are, `check` accepts them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pyflink_jobs.errors import Finding, ModelError, Place
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.checks.model_inputs import shape_problem
from pyflink_jobs.planning.checks.model_outputs import tensor_problem
from pyflink_jobs.planning.checks.model_rows import check_model_rows
from pyflink_jobs.project.read_model import signature_in
from pyflink_jobs.scaffold.names import OWN_COLUMNS, column_name, name_problem
from udfs.scoring.arguments import SQL_TYPES
from udfs.scoring.model import RUN_ERRORS, DataFile, Input, ModelSpec, Output, load_model, numpy_dtype
from udfs.scoring.onnx_files import external_files, read, sha256
from udfs.scoring.signature import Signature, Tensor, read_signature

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ModelColumn", "ModelColumns", "output_findings", "read_columns"]

MOST_OUTPUTS = 100
"""Only the first so many values of a wide output become columns."""

_WIDE = {"FLOAT": "DOUBLE"}  # of an output: what follows in SQL is DOUBLE


@dataclass(frozen=True)
class ModelColumn:
    """A column; `output` is the model's output, as the option names it, if the column's name is another."""

    name: str
    type: str
    output: str = ""

    def __str__(self) -> str:
        # Always quoted: Flink SQL has four hundred reserved words.
        return f"{quoted(self.name)} {self.type}"


@dataclass(frozen=True)
class ModelColumns:
    """The columns of a model; `matrix` is whether its inputs are one tensor's columns.

    `notes` say which of the model's outputs have no column, and why.
    """

    inputs: list[ModelColumn]
    outputs: list[ModelColumn]
    matrix: bool
    notes: list[str]


def read_columns(onnx: Path, names: tuple[str, ...]) -> ModelColumns:
    """Return the columns of the model at `onnx`; `names` are those of a matrix input's columns, if they are given.

    Raises ModelError where the file cannot be read, or its rows cannot be scored.
    """
    signature = signature_in(onnx)
    inputs, matrix = _inputs(signature, names, onnx)
    for column, _ in inputs:
        if why := name_problem(column.name):
            fixes = ("name the columns: --columns a,b,c",) if matrix else ("export the model with other names",)
            raise ModelError(
                f"no column can have the name of input `{column.name}`: {why}", place=Place(onnx), fixes=fixes
            )
    spec = ModelSpec(
        onnx.stem,
        "1",
        str(onnx),
        sha256(onnx),
        tuple(Input(column.name, tensor.name, tensor.dtype) for column, tensor in inputs),
        (),
        data=_data(onnx),
    )
    tensors, notes = _usable(signature, spec, onnx)
    taken = {column.name for column, _ in inputs} | set(OWN_COLUMNS)
    outputs: list[ModelColumn] = []
    for tensor in tensors:
        width = _width(tensor, spec)
        elements = range(min(width, MOST_OUTPUTS)) if width > 1 or _is_free(tensor) else (None,)
        kind = SQL_TYPES[tensor.dtype]
        for element in elements:
            output = tensor.name if element is None else f"{tensor.name}[{element}]"
            if element is not None and any(other.name == output for other in signature.outputs):
                notes.append(f"{output} is not among the outputs: the model has another output of that name")
                continue
            name = column_name(tensor.name, element if width > 1 else None, taken)
            taken.add(name)
            outputs.append(ModelColumn(name, _WIDE.get(kind, kind), output))
        if width > MOST_OUTPUTS:
            more = f"'output.NAME' = '{tensor.name}[{MOST_OUTPUTS}]'"
            notes.append(
                f"{tensor.name} has {width} values a row; the first {MOST_OUTPUTS} are outputs, add others as {more}"
            )
    return ModelColumns([column for column, _ in inputs], outputs, matrix, notes)


def _data(onnx: Path) -> tuple[DataFile, ...]:
    """Return a model's files of weights."""
    files = {name: onnx.parent / name for name in external_files(read(onnx))}
    return tuple(DataFile(name, str(file), sha256(file)) for name, file in files.items())


def _inputs(signature: Signature, names: tuple[str, ...], onnx: Path) -> tuple[list[tuple[ModelColumn, Tensor]], bool]:
    """Return the columns of the inputs that must be given, each with its tensor, and whether they are one matrix."""
    given = [tensor for tensor in signature.inputs if not tensor.optional] or [*signature.inputs]
    if not given:
        raise ModelError("the model has no inputs", place=Place(onnx))
    for tensor in given:
        problem, fixes = shape_problem(tensor, signature)
        if problem:
            raise ModelError(problem, place=Place(onnx), fixes=fixes)
    first = given[0]
    width = first.shape[1] if len(first.shape) > 1 else 1
    if len(given) > 1 or first.optional or len(first.shape) == 1 or (width == 1 and not names):
        if names and names != tuple(tensor.name for tensor in given):
            fixes = ("leave --columns out: the columns have the names of the inputs",)
            raise ModelError("--columns is for a model with one matrix input", place=Place(onnx), fixes=fixes)
        return [(ModelColumn(tensor.name, SQL_TYPES[tensor.dtype]), tensor) for tensor in given], False
    if not isinstance(width, int) and not names:
        raise ModelError(
            f"input `{first.name}` does not say how many columns it expects",
            place=Place(onnx),
            fixes=("name them: --columns a,b,c",),
        )
    names = names or tuple(f"x{i}" for i in range(int(str(width))))
    if isinstance(width, int) and len(names) != width:
        raise ModelError(
            f"--columns names {len(names)} columns, input `{first.name}` expects {width}",
            place=Place(onnx),
            fixes=("name one column for each feature, in the order of training",),
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ModelError(
            f"--columns names {', '.join(twice)} twice", place=Place(onnx), fixes=("give each its own name",)
        )
    matrix = not (width == 1 and names == (first.name,))
    return [(ModelColumn(name, SQL_TYPES[first.dtype]), first) for name in names], matrix


def _usable(signature: Signature, spec: ModelSpec, onnx: Path) -> tuple[list[Tensor], list[str]]:
    """Return the outputs that columns can have, and notes about the others; raise ModelError where there are none."""
    usable: list[Tensor] = []
    notes: list[str] = []
    problem: Finding | None = None
    for tensor in signature.outputs:
        found = _problem(tensor, spec, onnx)
        if found is None:
            usable.append(tensor)
        else:
            problem = problem or found
            notes.append(f"{tensor.name} is not among the outputs: {found.message}")
    if not usable:
        raise ModelError(problem or Finding("the model has no outputs", Place(onnx)))
    return usable, notes


def output_findings(onnx: Path, shown: Path) -> dict[str, Finding | None]:
    """Return why an output cannot be a column's, None where it can, by name; the model is called.

    `shown` is the path as findings print it. A model whose inputs do not say how wide they are, or have more than two
    dimensions, is not called: {}. Raises ModelFileError where the file cannot be read.
    """
    signature = read_signature(onnx)
    inputs: list[Input] = []
    for tensor in [tensor for tensor in signature.inputs if not tensor.optional] or signature.inputs:
        width = (*tensor.shape, 1)[1] if tensor.shape else None
        if len(tensor.shape) > 2 or not isinstance(width, int) or tensor.dtype not in SQL_TYPES:  # noqa: PLR2004 - a matrix
            return {}
        inputs += [Input(f"{tensor.name}[{i}]", tensor.name, tensor.dtype) for i in range(width)]
    spec = ModelSpec(onnx.parent.parent.name, "1", str(onnx), sha256(onnx), tuple(inputs), (), data=_data(onnx))
    found = {tensor.name: _problem(tensor, spec, onnx) for tensor in signature.outputs}
    return {name: finding and replace(finding, place=Place(shown)) for name, finding in found.items()}


def _problem(tensor: Tensor, spec: ModelSpec, onnx: Path) -> Finding | None:
    """Return why an output cannot be a column's, None where it can."""
    problem, fixes = tensor_problem(tensor, onnx)
    if problem:
        return Finding(problem, Place(onnx), fixes=fixes)
    asked = replace(spec, outputs=(_first_of(tensor),))
    return next(iter(check_model_rows(asked, onnx.read_bytes(), Place(onnx), onnx).findings), None)


def _is_free(tensor: Tensor) -> bool:
    return len(tensor.shape) > 1 and not isinstance(tensor.shape[1], int)


def _first_of(tensor: Tensor) -> Output:
    wide = _is_free(tensor) or (len(tensor.shape) > 1 and tensor.shape[1] != 1)
    return Output("y", tensor.name, 0 if wide else None, tensor.dtype)


def _width(tensor: Tensor, spec: ModelSpec) -> int:
    """Return how many values a row of an output has; where the file does not say, as many as a call returns."""
    if not _is_free(tensor):
        return int(str(tensor.shape[1])) if len(tensor.shape) > 1 else 1
    model = load_model(replace(spec, outputs=(_first_of(tensor),)))
    rows = model.calls.multiple
    zeros = {}
    for given in model.tensors:
        shape = (rows, len(spec.columns_of(given)))[: len(given.shape)]
        zeros[given.name] = np.full(shape, "" if given.dtype == "string" else 0, numpy_dtype(given.dtype))
    try:
        [values] = model.session.run([tensor.name], zeros)
    except RUN_ERRORS:
        return 1
    return max(1, int(np.size(values)) // rows)
