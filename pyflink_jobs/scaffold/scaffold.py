"""Write a new project for an ONNX file: source, features, CREATE MODEL, sink, job, feature test."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from pyflink_jobs.errors import ProjectError
from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.project.cards import write_card
from pyflink_jobs.project.read_model import SAMPLES, read_model, signature_in
from pyflink_jobs.scaffold.model_columns import read_columns
from pyflink_jobs.scaffold.names import OWN_COLUMNS, free_name, model_name
from pyflink_jobs.scaffold.samples import take_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.scaffold.model_columns import ModelColumn, ModelColumns

__all__ = ["create_project"]

_TEMPLATES = Path(__file__).with_name("template")
_EXAMPLE_COLUMNS = ("temperature", "vibration", "load")  # of template/example.onnx
_EXAMPLES: dict[str, list[object]] = {
    "STRING": ["a", "b", "c"],
    "BOOLEAN": [True, False, True],
    "FLOAT": [0.5, -1.0, 2.25],
    "DOUBLE": [0.5, -1.0, 2.25],
}


def create_project(
    folder: Path,
    onnx: Path | None = None,
    columns: tuple[str, ...] = (),
    on_note: Callable[[str], None] = lambda _: None,
    rows: Path | None = None,
) -> list[Path]:
    """Write a project into `folder`, which must be new or empty, and return the files written.

    Without `onnx`, a small example model is used. `columns` names the columns of a matrix input. `on_note`
    gets a sentence about each output that has no column. `rows` is a file of rows with the trainer's scores, some of
    which become the model's samples.
    Raises ProjectError for a folder that is not empty, ModelError for a file that cannot be scored or rows that lack a
    column.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder} exists and is not empty", fixes=("name a folder that does not exist yet",))
    onnx, columns = (onnx, columns) if onnx else (_TEMPLATES / "example.onnx", _EXAMPLE_COLUMNS)
    name = model_name(onnx.stem)
    samples = None
    if rows:
        named, samples = take_samples(rows, signature_in(onnx), columns)
        columns = columns or named
    found = read_columns(onnx, columns)
    for note in found.notes:
        on_note(note)
    target = folder / "models" / name / "1" / "model.onnx"
    data = _copy_model(onnx, target)
    card = write_card(target, name, "1", tuple(column.name for column in found.inputs) if found.matrix else (), samples)
    written = [target, *data, card, *([card.with_name(SAMPLES)] if samples else [])]
    values = _values(folder.name, name, found)
    for template in sorted(path for path in _TEMPLATES.rglob("*") if path.suffix != ".onnx" and path.is_file()):
        file = folder / Template(str(template.relative_to(_TEMPLATES))).substitute(model=name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
        written.append(file)
    return written


def _copy_model(onnx: Path, target: Path) -> list[Path]:
    """Copy a model's file and its files of weights, which keep their names; return the latter."""
    graph, data = read_model(onnx)
    for file, content in [(target, graph), *((target.parent / name, content) for name, content in data.items())]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return [target.parent / name for name in data]


def _values(project: str, model: str, columns: ModelColumns) -> dict[str, str]:
    """Return the values of the templates' placeholders."""
    inputs, outputs = columns.inputs, columns.outputs
    taken = {column.name for column in (*inputs, *outputs)}
    own = {name: free_name(name, taken) for name in OWN_COLUMNS}
    rows = [_row(inputs, i, own) for i in range(100)]
    options = [f"  {literal(f'output.{c.name}')} = {literal(c.output)}" for c in outputs if c.output != c.name]
    notes = "".join(f"-- {' '.join(note.split())}\n" for note in columns.notes)
    return {
        **own,
        "project": re.sub(r"[^A-Za-z0-9._-]+", "-", project).strip("-") or "project",
        "model": model,
        "quoted_model": quoted(model),
        "names": ", ".join(quoted(column.name) for column in inputs),
        "notes": notes.replace("${", "$ {"),
        "source_columns": "".join(f"  {column},\n" for column in inputs),
        "inputs": ",\n".join(f"  {column}" for column in inputs),
        "outputs": ", ".join(str(column) for column in outputs),
        "options": "".join(f",\n{option}" for option in options),
        "sink_columns": "".join(f"  {column},\n" for column in outputs),
        "output_names": ", ".join(quoted(column.name) for column in outputs),
        "events": "\n".join(json.dumps(row) for row in rows),
        "given": json.dumps(rows[0], ensure_ascii=False),
        "expected": json.dumps({k: v for k, v in rows[0].items() if k != own["event_ms"]}, ensure_ascii=False),
    }


def _row(inputs: list[ModelColumn], number: int, own: dict[str, str]) -> dict[str, object]:
    values: dict[str, object] = {
        own["id"]: f"event-{number}",
        own["event_ms"]: 1_700_000_000_000 + 1000 * number,
    }
    for position, column in enumerate(inputs):
        examples = _EXAMPLES.get(column.type, [1, 0, 2])
        values[column.name] = examples[(number + position) % len(examples)]
    return values
