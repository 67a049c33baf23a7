"""The contract between a CREATE MODEL statement and its ONNX file.

An ONNX model expects its columns in one of two ways: as one matrix [batch, k], where the columns count by
position, or as one tensor for each column, where they count by name. INPUT must match either.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean
from pyflink_jobs.planning.companion import companions
from pyflink_jobs.project.units import seconds
from udfs.scoring.arguments import SQL_TYPES
from udfs.scoring.model import TIME_LIMIT, Input, ModelSpec, Output

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.parsing.column import Column
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.parsing.option import Option
    from pyflink_jobs.project.model_files import ModelFile
    from udfs.scoring.signature import Tensor

__all__ = ["OPTIONS", "bind", "check_options"]

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
OPTIONS = ("provider", "version", "null-inputs", "time-limit")
_OWN_NAMES = ("model_version", "error")
_ELEMENT = re.compile(r"(?P<tensor>.+?)(?:\[(?P<element>\d+)\])?")


def check_options(model: ModelDefinition) -> list[Finding]:
    """Return a finding for each option of WITH that is unknown or has no valid value."""
    findings = []
    outputs = tuple(f"output.{column.name}" for column in model.outputs)
    prefixes = tuple(companion.prefix for companion in companions() if companion.prefix)
    for key, option in model.options.items():
        if key not in (*OPTIONS, *outputs) and not key.startswith(prefixes):
            facts = (f"known are: {', '.join((*OPTIONS, *outputs))}",)
            ways = did_you_mean(key, (*OPTIONS, *outputs), "leave it out", fix="write '{}'")
            findings.append(Finding(f"unknown option '{key}'", option.place, facts, ways))
    provider = model.options.get("provider")
    if provider is None or provider.value.lower() != "onnx":
        found = f"'provider' is '{provider.value}'" if provider else f"model `{model.name}` names no provider"
        place = provider.place if provider else model.place
        findings.append(Finding(f"{found}, expected 'onnx'", place, fixes=("write 'provider' = 'onnx'",)))
    nulls = model.options.get("null-inputs")
    if nulls is not None and nulls.value not in ("nan", "refuse"):
        findings.append(Finding(f"'null-inputs' is '{nulls.value}', expected 'nan' or 'refuse'", nulls.place))
    limit = model.options.get("time-limit")
    if limit is not None and seconds(limit.value) is None:
        ways = ("write '500 ms', '10 s' or '1 min'",)
        findings.append(Finding(f"'time-limit' is '{limit.value}', expected a span of time", limit.place, (), ways))
    return findings


def bind(
    model: ModelDefinition, file: ModelFile, shown: Path, worker_memory: int
) -> tuple[ModelSpec | None, list[Finding]]:
    """Compare a model's SQL with its file; return what a worker needs, or all findings.

    `shown` is the file's path as findings print it, `worker_memory` the bound of each worker process in bytes.
    """
    findings = check_options(model)
    outputs = _bind_outputs(model, file, shown, findings)
    bind_inputs = _bind_matrix if _is_matrix(model, file) else _bind_tensors
    inputs = bind_inputs(model, file, shown, findings)
    if findings:
        return None, findings
    nulls = model.options.get("null-inputs")
    limit = model.options.get("time-limit")
    return ModelSpec(
        name=model.name,
        version=file.version,
        path=str(file.onnx),
        sha256=file.sha256,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        null_inputs="refuse" if nulls and nulls.value == "refuse" else "nan",
        time_limit=(limit and seconds(limit.value)) or TIME_LIMIT,
        worker_memory=worker_memory,
    ), []


def _is_matrix(model: ModelDefinition, file: ModelFile) -> bool:
    required = [tensor for tensor in file.signature.inputs if not tensor.optional]
    if len(required) != 1 or len(required[0].shape) != 2:  # noqa: PLR2004 - [batch, columns]
        return False
    named = {column.name for column in model.inputs} <= {tensor.name for tensor in file.signature.inputs}
    return not (named and required[0].shape[1] == 1)


def _describe(tensor: Tensor, shown: Path) -> str:
    shape = ", ".join(
        "batch" if i == 0 and not isinstance(d, int) else str(d or "?") for i, d in enumerate(tensor.shape)
    )
    return f'{shown}: "{tensor.name}", shape [{shape}], {tensor.dtype}'


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
                (_describe(tensor, shown),),
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
    wanted = SQL_TYPES.get(tensor.dtype)
    if wanted is not None and _family(column.type) == wanted:
        return []
    message = f"model input `{column.name}` is {column.type}, but the ONNX file expects {tensor.dtype}"
    ways: tuple[str, ...] = (f"declare `{column.name}` {wanted}; ML_PREDICT casts numbers to it",)
    if wanted is None:
        message = f"the ONNX file expects {tensor.dtype}, which no SQL type holds"
        ways = ("export the model with float32, int64 or string inputs",)
    elif wanted != "STRING" and _family(column.type) == "STRING":
        ways = (
            "cast or encode the column in its feature file in sql/features/",
            "export the model with a string input (skl2onnx: StringTensorType)",
        )
    return [Finding(message, column.place, (_describe(tensor, shown),), ways)]


def _family(sql_type: str) -> str:
    return "STRING" if sql_type.startswith(("VARCHAR", "CHAR", "STRING")) else sql_type


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
        if not _one_per_row(tensor):
            message = f"model input `{column.name}` expects more than one value a row, a column has one"
            either = (
                "export the model with one matrix input",
                "export it with one tensor for each column",
            )
            findings.append(Finding(message, column.place, (_describe(tensor, shown),), either))
        findings += _compare_type(column, tensor, shown)
        inputs.append(Input(column.name, tensor.name, tensor.dtype))
    declared = {column.name for column in model.inputs}
    for tensor in file.signature.inputs:
        if not tensor.optional and tensor.name not in declared:
            message = f"model input `{tensor.name}` is missing from INPUT"
            way = f"add `{tensor.name}` {SQL_TYPES.get(tensor.dtype, tensor.dtype)}"
            findings.append(Finding(message, model.inputs[0].place, (_describe(tensor, shown),), (way,)))
    return inputs


def _one_per_row(tensor: Tensor) -> bool:
    match tensor.shape:
        case [_] | [_, 1] | [_, None] | [_, str()]:
            return True
    return False


def _bind_outputs(model: ModelDefinition, file: ModelFile, shown: Path, findings: list[Finding]) -> list[Output]:
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
    place = option.place if option else column.place
    listed = tuple(_describe(tensor, shown) for tensor in tensors.values())
    name, element = column.name, None
    if option:
        match = _ELEMENT.fullmatch(option.value)
        name = match["tensor"] if match else option.value
        element = int(match["element"]) if match and match["element"] else None
    elif name not in tensors and len(tensors) == len(model.outputs) == 1:
        name = next(iter(tensors))
    tensor = tensors.get(name)
    if tensor is None:
        way = f"say which output it is: 'output.{column.name}' = '{_example(file)}'"
        findings.append(Finding(f"the model has no output `{name}`", place, listed, (way,)))
        return None
    problem, ways = _output_problem(column, tensor, element)
    if problem:
        findings.append(Finding(problem, place, (_describe(tensor, shown),), ways))
        return None
    return Output(column.name, tensor.name, element, _DTYPES[_family(column.type)])


def _output_problem(column: Column, tensor: Tensor, element: int | None) -> tuple[str, tuple[str, ...]]:
    """Return what keeps `column` from holding the output, and the ways out; "" where nothing does."""
    width = tensor.shape[1] if len(tensor.shape) > 1 else 1
    wanted = _OUTPUT_TYPES.get(tensor.dtype)
    problem = ""
    ways: tuple[str, ...] = ()
    if tensor.dtype.startswith("sequence"):
        problem = f"output `{tensor.name}` is a sequence of maps (ZipMap), which a column cannot hold"
        ways = ("export the model with zipmap=False; the output is then a tensor [batch, classes]",)
    elif len(tensor.shape) not in (1, 2):
        problem = f"output `{tensor.name}` has {len(tensor.shape)} dimensions, expected [batch] or [batch, k]"
        ways = ("export the model with an output of one row for each row that goes in",)
    elif isinstance(width, int) and element is None and width > 1:
        problem = f"output `{tensor.name}` has {width} values a row, column `{column.name}` holds one"
        ways = (f"pick one of its {width} values: 'output.{column.name}' = '{tensor.name}[{width - 1}]'",)
    elif isinstance(width, int) and element is not None and element >= width:
        problem = f"output `{tensor.name}` has {width} values a row, there is none at [{element}]"
        ways = (f"the last is '{tensor.name}[{width - 1}]'",)
    elif wanted is None:
        problem = f"output `{tensor.name}` is {tensor.dtype}, which no SQL type holds"
        ways = ("export the model with float32, int64 or string outputs",)
    elif _family(column.type) not in wanted:
        problem = f"OUTPUT column `{column.name}` is {column.type}, but the ONNX file gives {tensor.dtype}"
        ways = (f"declare `{column.name}` {wanted[-1]}",)
    return problem, ways


def _example(file: ModelFile) -> str:
    last = file.signature.outputs[-1]
    wide = len(last.shape) > 1 and last.shape[1] != 1
    return f"{last.name}[1]" if wide else last.name
