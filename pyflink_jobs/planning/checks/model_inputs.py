"""INPUT of CREATE MODEL against the inputs of its ONNX file.

An ONNX model expects its columns in one of two ways: as one matrix [batch, k], where the columns count by position, or
as one tensor for each column, where they count by name. INPUT must match either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.planning.checks.tensor_text import describe, family, shape_text
from udfs.scoring.arguments import SQL_TYPES
from udfs.scoring.model import Input

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.parsing.column import Column
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.project.model_files import ModelFile
    from udfs.scoring.signature import Signature, Tensor

__all__ = ["bind_inputs", "shape_problem"]

_MATRIX = 2  # dimensions: [batch, columns]


def bind_inputs(model: ModelDefinition, file: ModelFile, shown: Path, findings: list[Finding]) -> list[Input]:
    """Return the inputs of the columns of INPUT; add what is wrong with them to `findings`.

    An input of a shape or type that no columns have is one finding, whatever INPUT declares.
    """
    problems = []
    for tensor in _required(file.signature):
        problem, fixes = shape_problem(tensor, file.signature)
        if problem:
            problems.append(Finding(problem, model.inputs[0].place, (describe(tensor, shown),), fixes))
    findings += problems
    if problems:
        return []
    bind = _bind_matrix if _is_matrix(model, file.signature) else _bind_tensors
    return bind(model, file, shown, findings)


def _required(signature: Signature) -> list[Tensor]:
    return [tensor for tensor in signature.inputs if not tensor.optional]


def shape_problem(tensor: Tensor, signature: Signature) -> tuple[str, tuple[str, ...]]:
    """Return why columns cannot be an input of a model, and fixes; "" where they can."""
    name, shape = tensor.name, tensor.shape
    if tensor.dtype not in SQL_TYPES:
        problem = f"the ONNX file expects {tensor.dtype} for input `{name}`, which no SQL type holds"
        return problem, ("export the model with float32, int64 or string inputs",)
    matrix = "export the model with an input of shape [batch, columns]"
    if not shape:
        return f"input `{name}` is a single value, with no dimension for the rows of a batch", (matrix,)
    if len(shape) > _MATRIX:
        problem = f"input `{name}` has shape {shape_text(tensor)}: a row of SQL has one value for each column"
        columns = shape[1:] if not isinstance(shape[0], int) or shape[0] == 1 else shape
        inside = ", ".join(str(size) if isinstance(size, int) else "?" for size in columns)
        reshape = f"export the model with an input [batch, columns] that it reshapes itself, to [batch, {inside}]"
        return problem, (reshape,)
    if len(shape) == 1 and isinstance(shape[0], int) and shape[0] > 1 and _is_one_row(tensor, signature):
        problem = f"input `{name}` has shape [{shape[0]}], without a dimension for the rows of a batch"
        batch = f"export the model with an input of shape [batch, {shape[0]}] (PyTorch: dynamic_shapes, dynamic_axes)"
        return problem, (batch,)
    wide = len(shape) == _MATRIX and isinstance(shape[1], int) and shape[1] != 1
    if wide and len(_required(signature)) > 1:
        problem = f"input `{name}` has {shape[1]} values for a row, and the model has other inputs too"
        return problem, ("export the model with one matrix input", "export it with one tensor for each column")
    return "", ()


def _is_one_row(tensor: Tensor, signature: Signature) -> bool:
    """Return whether a vector of fixed size is one row: then no output has as many rows."""
    return not any(output.shape[:1] == tensor.shape for output in signature.outputs)


def _is_matrix(model: ModelDefinition, signature: Signature) -> bool:
    required = _required(signature)
    if len(required) != 1 or len(required[0].shape) != _MATRIX:
        return False
    named = {column.name for column in model.inputs} <= {tensor.name for tensor in signature.inputs}
    return not (named and required[0].shape[1] == 1)


def _bind_matrix(
    model: ModelDefinition,
    file: ModelFile,
    shown: Path,
    findings: list[Finding],
) -> list[Input]:
    tensor = next(tensor for tensor in file.signature.inputs if not tensor.optional)
    width, wanted = tensor.shape[1], file.columns
    if wanted:
        findings += _compare_names(model, wanted, f'{shown.with_name("model.json")}: columns of "{tensor.name}"')
    elif isinstance(width, int) and width != len(model.inputs):
        findings.append(
            Finding(
                f"INPUT has {len(model.inputs)} columns, but the ONNX file expects {width}",
                model.inputs[0].place,
                (describe(tensor, shown),),
                ("declare one column for each of the model's features, in the order of training",),
            ),
        )
    for column in model.inputs:
        if not wanted or column.name in wanted:
            findings += _compare_type(column, tensor, shown)
    return [Input(column.name, tensor.name, tensor.dtype) for column in model.inputs]


def _compare_names(model: ModelDefinition, wanted: tuple[str, ...], source: str) -> list[Finding]:
    """Compare the names and the order of INPUT with those the model was trained with."""
    found = {column.name: column for column in model.inputs}
    facts = (f"{source}: {', '.join(wanted)}",)
    findings = []
    for position, name in enumerate(wanted):
        if name not in found:
            before = [found[other] for other in wanted[:position] if other in found]
            place = before[-1].place if before else model.inputs[0].place
            behind = f" behind `{before[-1].name}`" if before else " in the first place"
            findings.append(Finding(f"model input `{name}` is missing from INPUT", place, facts, (f"add it{behind}",)))
    for column in model.inputs:
        if column.name not in wanted:
            near = did_you_mean(column.name, [name for name in wanted if name not in found])
            message = f"the model has no input `{column.name}`"
            findings.append(Finding(message, column.place, facts, (*near, "leave it out")))
    ours = [column.name for column in model.inputs if column.name in wanted]
    theirs = [name for name in wanted if name in found]
    for mine, its in zip(ours, theirs, strict=True):
        if mine != its:
            message = f"model input `{mine}` is where the model expects `{its}`: a matrix counts by position"
            findings.append(Finding(message, found[mine].place, facts, ("put the columns in the model's order",)))
            break
    return findings


def _compare_type(column: Column, tensor: Tensor, shown: Path) -> list[Finding]:
    wanted = SQL_TYPES[tensor.dtype]
    if family(column.type) == wanted:
        return []
    message = f"model input `{column.name}` is {column.type}, but the ONNX file expects {tensor.dtype}"
    ways: tuple[str, ...] = (f"declare `{column.name}` {wanted}; ML_PREDICT converts numbers to it",)
    if wanted != "STRING" and family(column.type) == "STRING":
        ways = (
            "cast or encode the column in its feature file in sql/features/",
            "export the model with a string input (skl2onnx: StringTensorType)",
        )
    return [Finding(message, column.place, (describe(tensor, shown),), ways)]


def _bind_tensors(
    model: ModelDefinition,
    file: ModelFile,
    shown: Path,
    findings: list[Finding],
) -> list[Input]:
    tensors = {tensor.name: tensor for tensor in file.signature.inputs}
    inputs: list[Input] = []
    for column in model.inputs:
        tensor = tensors.get(column.name)
        if tensor is None:
            facts = (f"{shown}: inputs {', '.join(tensors)}",)
            ways = did_you_mean(column.name, tensors, "leave it out")
            findings.append(Finding(f"the model has no input `{column.name}`", column.place, facts, ways))
            continue
        problem, fixes = shape_problem(tensor, file.signature)
        if problem:  # of an input that might be left out
            findings.append(Finding(problem, column.place, (describe(tensor, shown),), fixes))
            continue
        findings += _compare_type(column, tensor, shown)
        inputs.append(Input(column.name, tensor.name, tensor.dtype))
    declared = {column.name for column in model.inputs}
    for tensor in file.signature.inputs:
        if not tensor.optional and tensor.name not in declared:
            message = f"model input `{tensor.name}` is missing from INPUT"
            way = f"add `{tensor.name}` {SQL_TYPES[tensor.dtype]}"
            findings.append(Finding(message, model.inputs[0].place, (describe(tensor, shown),), (way,)))
    return inputs
