"""Write a new project for an ONNX file: source, features, CREATE MODEL, sink, job, feature test."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ModelError, Place, ProjectError
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.project.model_files import write_card
from udfs.scoring.arguments import SQL_TYPES
from udfs.scoring.signature import ModelFileError, Signature, Tensor, read_signature

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["create_project"]

_TEMPLATES = Path(__file__).with_name("template")
_EXAMPLE_COLUMNS = ("temperature", "vibration", "load")  # of template/example.onnx
_MOST_OUTPUTS = 4  # only the first so many of a wide output become columns
_EXAMPLES: dict[str, list[object]] = {
    "STRING": ["a", "b", "c"],
    "BOOLEAN": [True, False, True],
    "FLOAT": [0.5, -1.0, 2.25],
    "DOUBLE": [0.5, -1.0, 2.25],
}


@dataclass(frozen=True)
class _Column:
    name: str
    type: str
    output: str = ""  # the ONNX output, if its name differs

    def __str__(self) -> str:
        # Always quoted: Flink SQL has four hundred reserved words.
        return f"{quoted(self.name)} {self.type}"


def create_project(folder: Path, onnx: Path | None = None, columns: tuple[str, ...] = ()) -> list[Path]:
    """Write a project into `folder`, which must be new or empty, and return the files written.

    Without `onnx`, a small example model is used. `columns` names the columns of a matrix input.
    Raises ProjectError for a folder that is not empty, ModelError for a file that cannot be scored.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder} exists and is not empty", fixes=("name a folder that does not exist yet",))
    onnx, columns = (onnx, columns) if onnx else (_TEMPLATES / "example.onnx", _EXAMPLE_COLUMNS)
    name = re.sub(r"\W+", "_", onnx.stem).strip("_").lower() or "model"
    inputs, outputs, matrix = _read(onnx, columns)
    target = folder / "models" / name / "1" / "model.onnx"
    target.parent.mkdir(parents=True)
    shutil.copyfile(onnx, target)
    card = write_card(target, name, "1", tuple(column.name for column in inputs) if matrix else ())
    written = [target, card]
    values = _values(folder.name, name, inputs, outputs)
    for template in sorted(path for path in _TEMPLATES.rglob("*") if path.suffix != ".onnx" and path.is_file()):
        file = folder / Template(str(template.relative_to(_TEMPLATES))).substitute(model=name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
        written.append(file)
    return written


def _read(onnx: Path, columns: tuple[str, ...]) -> tuple[list[_Column], list[_Column], bool]:
    """Return the SQL columns of a model's inputs and outputs, and whether it expects one matrix."""
    try:
        signature = read_signature(onnx)
    except ModelFileError as error:
        raise ModelError(f"ONNX Runtime cannot read the model: {error}", place=Place(onnx)) from error
    inputs, matrix = _inputs(signature, columns, onnx)
    outputs = [column for tensor in signature.outputs for column in _outputs(tensor, onnx)]
    taken = {column.name for column in inputs} | {"id", "event_time", "event_ms", "model_version"}
    outputs = [_Column(_free(c.name, taken), c.type, c.output) for c in outputs]
    return inputs, outputs, matrix


def _inputs(signature: Signature, columns: tuple[str, ...], onnx: Path) -> tuple[list[_Column], bool]:
    required = [tensor for tensor in signature.inputs if not tensor.optional]
    first = required[0]
    if len(required) > 1 or len(first.shape) == 1:
        return [_Column(tensor.name, _sql_type(tensor, onnx)) for tensor in required], False
    width = first.shape[1]
    if not isinstance(width, int) and not columns:
        raise ModelError(
            f"input `{first.name}` does not say how many columns it expects",
            place=Place(onnx),
            fixes=("name them: --columns a,b,c",),
        )
    names = columns or (tuple(f"x{i}" for i in range(width)) if isinstance(width, int) else ())
    if isinstance(width, int) and len(names) != width:
        raise ModelError(
            f"--columns names {len(names)} columns, input `{first.name}` expects {width}",
            place=Place(onnx),
            fixes=("name one column for each feature, in the order of training",),
        )
    return [_Column(name, _sql_type(first, onnx)) for name in names], True


def _outputs(tensor: Tensor, onnx: Path) -> Iterable[_Column]:
    kind = _sql_type(tensor, onnx)
    kind = "DOUBLE" if kind == "FLOAT" else kind
    width = tensor.shape[1] if len(tensor.shape) > 1 else 1
    base = re.sub(r"\W+", "_", tensor.name).strip("_") or "output"
    if width == 1 or not isinstance(width, int):
        return [_Column(base, kind, tensor.name if width == 1 else f"{tensor.name}[0]")]
    return [_Column(f"{base}_{i}", kind, f"{tensor.name}[{i}]") for i in range(min(width, _MOST_OUTPUTS))]


def _sql_type(tensor: Tensor, onnx: Path) -> str:
    if tensor.dtype not in SQL_TYPES:
        zipmap = tensor.dtype.startswith("sequence")
        raise ModelError(
            f"`{tensor.name}` is {tensor.dtype}, which is not a type of SQL",
            place=Place(onnx),
            fixes=("export the model with zipmap=False",) if zipmap else (),
        )
    return SQL_TYPES[tensor.dtype]


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_out"
    return name


def _values(project: str, model: str, inputs: list[_Column], outputs: list[_Column]) -> dict[str, str]:
    """Return the values of the templates' placeholders."""
    names = ", ".join(quoted(column.name) for column in inputs)
    rows = [_row(inputs, i) for i in range(100)]
    options = [f"  'output.{c.name}' = '{c.output}'" for c in outputs if c.output != c.name]
    given = json.dumps(rows[0])
    expected = json.dumps({k: v for k, v in rows[0].items() if k != "event_ms"})
    return {
        "project": re.sub(r"[^A-Za-z0-9._-]+", "-", project).strip("-") or "project",
        "model": model,
        "names": names,
        "source_columns": "".join(f"  {column},\n" for column in inputs),
        "inputs": ",\n".join(f"  {column}" for column in inputs),
        "outputs": ", ".join(str(column) for column in outputs),
        "options": "".join(f",\n{option}" for option in options),
        "sink_columns": "".join(f"  {column},\n" for column in outputs),
        "output_names": ", ".join(quoted(column.name) for column in outputs),
        "events": "\n".join(json.dumps(row) for row in rows),
        "given": given,
        "expected": expected,
    }


def _row(inputs: list[_Column], number: int) -> dict[str, object]:
    values: dict[str, object] = {"id": f"event-{number}", "event_ms": 1_700_000_000_000 + 1000 * number}
    for position, column in enumerate(inputs):
        examples = _EXAMPLES.get(column.type, [1, 0, 2])
        values[column.name] = examples[(number + position) % len(examples)]
    return values
