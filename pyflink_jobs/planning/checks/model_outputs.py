"""OUTPUT of CREATE MODEL against the outputs of its ONNX file. Outputs that no column asks for do not matter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.planning.checks.tensor_text import describe, family, shape_text
from udfs.scoring.arguments import SQL_TYPES
from udfs.scoring.model import Output
from udfs.scoring.operators import read_nodes

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.parsing.column import Column
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.parsing.option import Option
    from pyflink_jobs.project.model_files import ModelFile
    from udfs.scoring.signature import Signature, Tensor

__all__ = ["bind_outputs", "tensor_problem"]

_OUTPUT_TYPES = {
    "float16": ("FLOAT", "DOUBLE"),
    "float32": ("FLOAT", "DOUBLE"),
    "float64": ("DOUBLE",),
    "int8": ("TINYINT", "SMALLINT", "INT", "BIGINT"),
    "int16": ("SMALLINT", "INT", "BIGINT"),
    "int32": ("INT", "BIGINT"),
    "int64": ("BIGINT",),
    "bool": ("BOOLEAN",),
    "string": ("STRING",),
}
_DTYPES = {sql: dtype for dtype, sql in SQL_TYPES.items() if dtype != "float16"}
_OWN_NAMES = ("model_version", "error")
_ELEMENT = re.compile(r"(?P<tensor>.+)\[(?P<element>\d+)\]", re.DOTALL)
_MATRIX = 2  # dimensions: [batch, k]


def bind_outputs(model: ModelDefinition, file: ModelFile, shown: Path, findings: list[Finding]) -> list[Output]:
    """Return the outputs of the columns of OUTPUT; add what is wrong with them to `findings`."""
    bound: list[Output] = []
    taken: set[str] = set()
    for column in model.outputs:
        if column.name in (*_OWN_NAMES, *taken):
            why = "it is there twice" if column.name in taken else "ML_PREDICT uses that name itself"
            findings.append(Finding(f"OUTPUT column `{column.name}` needs another name: {why}", column.place))
        taken.add(column.name)
        option = model.options.get(f"output.{column.name}")
        output = _bind_output(model, column, option, file, shown, findings)
        if output:
            bound.append(output)
    return bound


def _bind_output(
    model: ModelDefinition,
    column: Column,
    option: Option | None,
    file: ModelFile,
    shown: Path,
    findings: list[Finding],
) -> Output | None:
    tensors = {tensor.name: tensor for tensor in file.signature.outputs}
    usable = [tensor for tensor in tensors.values() if tensor.dtype in _OUTPUT_TYPES]
    place = option.place if option else column.place
    name, element = column.name, None
    if option:
        name, element = _named(option.value, tensors)
    elif name not in tensors and len(usable) == len(model.outputs) == 1:
        name = usable[0].name
    tensor = tensors.get(name)
    if tensor is None:
        listed = tuple(describe(one, shown) for one in tensors.values())
        way = f"say which output it is: 'output.{column.name}' = '{_example(file.signature)}'"
        findings.append(Finding(f"the model has no output `{name}`", place, listed, (way,)))
        return None
    problem, ways = tensor_problem(tensor, file.onnx)
    if not problem:
        problem, ways = _column_problem(column, tensor, element)
    if problem:
        findings.append(Finding(problem, place, (describe(tensor, shown),), ways))
        return None
    return Output(column.name, tensor.name, element, _DTYPES[family(column.type)])


def _named(option: str, tensors: dict[str, Tensor]) -> tuple[str, int | None]:
    """Return the output's name and element that an option names; an output may itself be called `variable[0]`."""
    match = _ELEMENT.fullmatch(option)
    if option in tensors or match is None:
        return option, None
    return match["tensor"], int(match["element"])


def tensor_problem(tensor: Tensor, onnx: Path) -> tuple[str, tuple[str, ...]]:
    """Return why no column can hold a value of an output of the model at `onnx`, and fixes; "" where one can."""
    name = tensor.name
    if tensor.dtype.startswith("sequence(map("):
        problem = f"output `{name}` is a sequence of maps (ZipMap), which a column cannot hold"
        return problem, ("export the model with zipmap=False (skl2onnx, onnxmltools)", *_without_zipmap(name, onnx))
    if tensor.dtype not in _OUTPUT_TYPES:
        problem = f"output `{name}` is {tensor.dtype}, which no SQL type holds"
        return problem, ("export the model with a tensor of float32, int64 or strings, [batch] or [batch, k]",)
    if len(tensor.shape) > _MATRIX:
        problem = f"output `{name}` has shape {shape_text(tensor)}, expected [batch] or [batch, k]"
        return problem, ("export the model with an output of one row for each row that goes in",)
    return "", ()


def _without_zipmap(name: str, onnx: Path) -> tuple[str, ...]:
    """Return how to cut a ZipMap off, for exporters that always write one, such as CatBoost's."""
    nodes, _ = read_nodes(onnx.read_bytes())
    given = next((node.inputs[0] for node in nodes if node.operator == "ZipMap" and name in node.outputs), None)
    if given is None:
        return ()
    added = f"m = onnx.load(A); m.graph.output.append(onnx.ValueInfoProto(name={given!r})); onnx.save(m, B)"
    return (f"with another exporter, such as CatBoost's, add its input `{given}`, a tensor, as an output: {added}",)


def _column_problem(column: Column, tensor: Tensor, element: int | None) -> tuple[str, tuple[str, ...]]:
    """Return what keeps `column` from holding the output, and the fixes; "" where nothing does."""
    width = tensor.shape[1] if len(tensor.shape) > 1 else 1
    wanted = _OUTPUT_TYPES[tensor.dtype]
    if isinstance(width, int) and element is None and width > 1:
        problem = f"output `{tensor.name}` has {width} values a row, column `{column.name}` holds one"
        return problem, (f"pick one of its {width} values: 'output.{column.name}' = '{tensor.name}[{width - 1}]'",)
    if isinstance(width, int) and element is not None and element >= width:
        problem = f"output `{tensor.name}` has {width} values a row, there is none at [{element}]"
        return problem, (f"the last is '{tensor.name}[{width - 1}]'",)
    if family(column.type) not in wanted:
        problem = f"OUTPUT column `{column.name}` is {column.type}, but the ONNX file gives {tensor.dtype}"
        return problem, (f"declare `{column.name}` {wanted[-1]}",)
    return "", ()


def _example(signature: Signature) -> str:
    last = [tensor for tensor in signature.outputs if tensor.dtype in _OUTPUT_TYPES or tensor is signature.outputs[0]][
        -1
    ]
    wide = len(last.shape) > 1 and last.shape[1] != 1
    return f"{last.name}[1]" if wide else last.name
