"""Whether a model's scores depend on the row alone: the model is called, and its operators are looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from udfs.distributions.categories import Categories
from udfs.drift.reference import ProfileError, read_profile
from udfs.scoring.example_rows import example_rows
from udfs.scoring.model import WORKER_MEMORY, load_model
from udfs.scoring.operators import by_chance, categories, needed_nodes, read_nodes
from udfs.scoring.row_check import RowCheck, check_rows
from udfs.scoring.signature import ModelFileError

if TYPE_CHECKING:
    from pyflink_jobs.errors import Place
    from udfs.scoring.model import ModelSpec

__all__ = ["CheckedRows", "check_model_rows"]

_LONGEST = 30.0  # seconds: a model that takes longer for its rows is not judged by them
_NO_LIMIT = 86_400.0  # seconds: the watchdog of workers would end this process
_EVAL = (
    "export the model for inference: model.eval() before torch.onnx.export, training=TrainingMode.EVAL",
    "take the operator out of the graph before the export",
)
_PROBLEMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "chance": ("change from call to call, with the same rows", _EVAL),
    "neighbours": (
        "depend on the other rows of a call, and a job puts together whatever rows arrive",
        (
            "export the model so that it reduces, sorts and normalises along axis 1 or later: axis 0 is the batch",
            "export it for inference: model.eval() before torch.onnx.export",
            "compute what several rows have in common in SQL, in a window, and make it an input",
        ),
    ),
    "position": (
        "depend on the place of a row in its call",
        ("export the model so that no operator uses the index of a row along axis 0, which is the batch",),
    ),
}


@dataclass(frozen=True)
class CheckedRows:
    """The spec with how the model is to be called, what is wrong, and what is worth to know."""

    spec: ModelSpec
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def check_model_rows(spec: ModelSpec, graph: bytes, place: Place, shown: Path) -> CheckedRows:
    """Call a model that fits its SQL with rows alone, in company and twice; `graph` is the content of its file."""
    nodes, functions = read_nodes(graph)
    needed = needed_nodes(nodes, (output.tensor for output in spec.outputs))
    facts = (f"{shown}: {', '.join(f'output {name!r}' for name in dict.fromkeys(o.tensor for o in spec.outputs))}",)
    if chance := by_chance([*needed, *functions], [*nodes, *functions]):
        message = f"the scores of `{spec.name}` are not the same each time: the ONNX file has {', '.join(chance)}"
        return CheckedRows(spec, (Finding(message, place, facts, _EVAL),))
    here = replace(spec, worker_memory=max(spec.worker_memory, WORKER_MEMORY), time_limit=_NO_LIMIT)
    try:
        found = _called(here, tuple(categories([*nodes, *functions])), _reference_values(spec))
    except ModelFileError as error:
        message = f"the model cannot score rows: {str(error).removeprefix(f'{spec.path}: ')}"
        one = "export the model with an output of one row for each row that goes in"
        return CheckedRows(spec, (Finding(message, place, facts, (one,)),))
    if found is None:
        message = f"`{spec.name}` was called for {_LONGEST:g} s: whether its rows depend on each other is not known"
        return CheckedRows(spec, warnings=(Finding(message, place, facts),))
    if found.problem:
        words, fixes = _PROBLEMS[found.problem]
        return CheckedRows(spec, (Finding(f"the scores of `{spec.name}` {words}", place, facts, fixes),))
    if found.calls == "many":
        return CheckedRows(spec)
    message = f"rows of `{spec.name}` are scored one by one, which is slower: {found.reason}"
    free = "export the model with a free batch dimension (PyTorch: dynamic_shapes, dynamic_axes)"
    warning = Finding(message, place, facts, (free,) if found.calls == "single" else ())
    return CheckedRows(replace(spec, calls=found.calls), warnings=(warning,))


def _reference_values(spec: ModelSpec) -> tuple[tuple[str, tuple[float, ...] | tuple[str, ...]], ...]:
    """Return values of the model's columns from the reference profile next to it: edges of bins, and categories."""
    file = Path(spec.path).with_name("reference.parquet")
    try:
        features = read_profile(file, spec.name).features if file.is_file() else None
    except ProfileError:  # the companion that needs it says so
        features = None
    if features is None:
        return ()
    values = [c.names if isinstance(c, Categories) else tuple(c.edges.tolist()) for c in features.columns]
    return tuple(zip(features.names, values, strict=True))


@lru_cache(maxsize=64)
def _called(
    spec: ModelSpec, texts: tuple[str, ...], known: tuple[tuple[str, tuple[float, ...] | tuple[str, ...]], ...]
) -> RowCheck | None:
    """Return what calls of the model show; None where they do not end in time. Raises ModelFileError."""
    outcome: list[RowCheck | Exception] = []

    def call() -> None:
        try:
            rows = example_rows(spec, texts, dict(known))
            outcome.append(check_rows(lambda calls: load_model(replace(spec, calls=calls)), rows))
        except Exception as error:  # noqa: BLE001 - it is raised below
            outcome.append(error)

    # A call cannot be stopped inside an operator: such a thread is left behind.
    thread = Thread(target=call, daemon=True)
    thread.start()
    thread.join(_LONGEST)
    found = outcome[0] if outcome else None
    if isinstance(found, Exception):
        raise found
    return found
