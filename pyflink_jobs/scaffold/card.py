"""The card of a model that a project has, with samples from rows, compared at once if SQL declares the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.parsing.create_model import read_create_model
from pyflink_jobs.planning.checks.model_file import bind
from pyflink_jobs.planning.checks.samples import check_samples
from pyflink_jobs.planning.project_sql import read_project_sql
from pyflink_jobs.project.cards import columns_of_card, write_card
from pyflink_jobs.project.model_files import find_model
from pyflink_jobs.project.read_model import SAMPLES, signature_in
from pyflink_jobs.scaffold.samples import take_samples

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.project.settings import Project

__all__ = ["card_with_samples"]


def card_with_samples(
    project: Project, onnx: Path, columns: tuple[str, ...], rows: Path | None, tolerance: float | None
) -> tuple[list[Path], list[Finding]]:
    """Write the card of a model file, and its samples if there are `rows`; return the files, and what is wrong.

    Raises ModelError, with nothing written, for a file that is not a model and for rows that lack a column.
    """
    name, version = onnx.parents[1].name, onnx.parent.name
    definition = _declared(project, name)
    samples = None
    if rows:
        signature = signature_in(onnx)
        inputs = tuple(column.name for column in definition.inputs) if definition else ()
        known = columns or columns_of_card(onnx, signature) or inputs
        found, samples = take_samples(rows, signature, known, _outputs(definition))
        columns = known or found
    card = write_card(onnx, name, version, columns, samples, tolerance)
    written = [card, *([onnx.with_name(SAMPLES)] if rows else [])]
    return written, _compared(project, definition, version) if definition else []


def _declared(project: Project, name: str) -> ModelDefinition | None:
    """Return how SQL declares a model; None if it does not, or not validly: `check` reports that."""
    try:
        statements = read_project_sql(project)["models"]
        return next((read_create_model(s) for s in statements if s.kind == "CREATE MODEL" and s.name == name), None)
    except MillstreamError:
        return None


def _outputs(definition: ModelDefinition | None) -> dict[str, str]:
    """Return the outputs that OUTPUT columns are declared to be."""
    columns = definition.outputs if definition else ()
    options = definition.options if definition else {}
    return {c.name: options[key].value for c in columns if (key := f"output.{c.name}") in options}


def _compared(project: Project, definition: ModelDefinition, version: str) -> list[Finding]:
    """Return the findings on a version's samples, if the version fits its declaration: `check` reports the others."""
    try:
        file = find_model(project, definition.name, version, definition.place)
    except MillstreamError as error:
        return error.findings
    spec, *_ = bind(definition, file, project.relative(file.onnx), project.settings.worker_bytes)
    return check_samples(spec, project.relative) if spec else []
