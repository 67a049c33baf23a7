"""The contract between a CREATE MODEL statement and its ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.planning.checks.model_inputs import bind_inputs
from pyflink_jobs.planning.checks.model_options import check_options
from pyflink_jobs.planning.checks.model_outputs import bind_outputs
from pyflink_jobs.planning.checks.model_rows import check_model_rows
from pyflink_jobs.project.units import seconds
from udfs.scoring.model import TIME_LIMIT, ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.create_model import ModelDefinition
    from pyflink_jobs.project.model_files import ModelFile

__all__ = ["bind"]


def bind(
    model: ModelDefinition, file: ModelFile, shown: Path, worker_memory: int
) -> tuple[ModelSpec | None, list[Finding], tuple[Finding, ...]]:
    """Compare a model's SQL with its file, and call it; return what a worker needs, or all findings; and warnings.

    `shown` is the file's path as findings print it, `worker_memory` the bound of each worker process in bytes.
    """
    findings = check_options(model)
    outputs = bind_outputs(model, file, shown, findings)
    inputs = bind_inputs(model, file, shown, findings)
    if findings:
        return None, findings, ()
    nulls = model.options.get("null-inputs")
    limit = model.options.get("time-limit")
    spec = ModelSpec(
        name=model.name,
        version=file.version,
        path=str(file.onnx),
        sha256=file.sha256,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        null_inputs="refuse" if nulls and nulls.value == "refuse" else "nan",
        time_limit=(limit and seconds(limit.value)) or TIME_LIMIT,
        worker_memory=worker_memory,
        data=file.data,
        samples=file.samples,
    )
    rows = check_model_rows(spec, file.onnx.read_bytes(), model.place, shown)
    return (None if rows.findings else rows.spec), [*rows.findings], rows.warnings
