"""Findings on a model whose scores are not those that its trainer computed, with what may be the reason."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, Place
from udfs.scoring.model import WORKER_MEMORY, load_model
from udfs.scoring.onnx_files import ModelFileError
from udfs.scoring.samples import SampleError, compare, read_samples
from udfs.scoring.verified_files import verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from udfs.scoring.model import ModelSpec
    from udfs.scoring.samples import Comparison, Sample

__all__ = ["check_samples"]

_SMALL = 1e-2  # a difference that rounding alone may make


def check_samples(spec: ModelSpec, relative: Callable[[Path], Path]) -> list[Finding]:
    """Return a finding if the model scores its samples in another way than its trainer did.

    `relative` returns a path as findings print it.
    """
    file = spec.samples
    if file is None:
        return []
    shown = relative(Path(file.path))
    # The limit of a worker's memory is not for this process.
    here = replace(spec, worker_memory=max(spec.worker_memory, WORKER_MEMORY))
    try:
        samples = read_samples(verified(spec, file.path, file.sha256))
        found = compare(load_model(here), samples, file.tolerance)
        return [_finding(here, samples, found, shown)] if found.differences else []
    except SampleError as error:
        fix = f"write them again: millstream card {spec.name} --samples ROWS"
        return [Finding(str(error), Place(shown), fixes=(fix,))]
    except ModelFileError as error:
        return [Finding(str(error), Place(relative(Path(spec.path))))]


def _finding(spec: ModelSpec, samples: Sequence[Sample], found: Comparison, shown: Path) -> Finding:
    worst = found.worst
    missing = [name for name, value in samples[worst.place].inputs.items() if value is None]
    lacks = f"; row {worst.row} has no value for {', '.join(missing)}" if missing else ""
    reason, fixes = _reason(spec, samples, found)
    return Finding(
        f"row {worst.row} of the trainer's rows: `{worst.output}` is {_text(worst.found)}, "
        f"the trainer's score is {_text(worst.expected)}",
        Place(shown, worst.place + 1),
        (f"{found.differing} of {found.rows} rows differ by more than {found.tolerance:g}{lacks}", reason),
        fixes,
    )


def _reason(spec: ModelSpec, samples: Sequence[Sample], found: Comparison) -> tuple[str, tuple[str, ...]]:
    """Return what the differences have in common, and what to do about it."""
    if order := _other_order(spec, samples, found.tolerance):
        return (
            "in the order of the trainer's columns the scores agree: a matrix counts by position",
            (f"put the columns of INPUT, and of the card, in the order {', '.join(order)}",),
        )
    if _only_missing(samples, found):
        return (
            "only rows with missing values differ: NULL is NaN for the file, and training treated it in another way",
            (
                "export what fills missing values together with the model: a pipeline with its imputer",
                "refuse these rows: 'null-inputs' = 'refuse' in CREATE MODEL",
            ),
        )
    return _reason_by_values(spec.name, found)


def _reason_by_values(model: str, found: Comparison) -> tuple[str, tuple[str, ...]]:
    """Return what the values that differ have in common."""
    pairs = [(one.found, one.expected) for one in found.differences]
    numbers = [(f, e) for f, e in pairs if isinstance(f, int | float) and isinstance(e, int | float)]
    if any(isinstance(f, str) and f.startswith("refused (") for f, _ in pairs):
        return (
            "the model refuses rows that its trainer scored",
            ("leave these rows out", "export the model so that it scores them"),
        )
    if len(numbers) == len(pairs) and all(math.isinf(one.size) for one in found.differences):
        return (
            "only labels differ: the column may have true labels, not those that the trainer predicted",
            ("leave the column out of the rows", "give it what the trainer predicted: predict"),
        )
    if len(numbers) == len(pairs) and all(abs(f + e - 1) <= found.tolerance for f, e in numbers):
        return (
            "each is 1 minus the trainer's score: the probability of the other class",
            ("pick that element of the output: 'output.NAME' = 'TENSOR[1]' in CREATE MODEL",),
        )
    text = any(isinstance(value, str) for pair in pairs for value in pair)
    if text or _labels(f for f, _ in numbers) != _labels(e for _, e in numbers):
        return (
            "one of the two is a label, the other a probability or another label",
            (
                "give the column of probabilities (predict_proba) the name of the output, and leave out true labels",
                "pick the output that the rows have: 'output.NAME' = 'TENSOR[1]' in CREATE MODEL",
            ),
        )
    if max(one.size for one in found.differences) <= _SMALL:
        return (
            "the differences are small: in float32, in which the file computes, a value may be on a split's other side",
            (
                f"allow them: millstream card {model} --samples ROWS --tolerance {_SMALL:g}",
                "export the model with float64 inputs",
            ),
        )
    return (
        "the rows are not as this file expects them (scaling, encoding, order of columns), or of another model",
        (
            "export the whole pipeline, with its preparation of columns",
            "give the rows as they come into the model, with the scores of the model that was exported",
        ),
    )


def _other_order(spec: ModelSpec, samples: Sequence[Sample], tolerance: float) -> tuple[str, ...]:
    """Return the trainer's order of columns, if it is another one and gives a matrix the expected scores."""
    names = tuple(given.name for given in spec.inputs)
    order = tuple(name for name in samples[0].inputs if name in names)
    if len({given.tensor for given in spec.inputs}) != 1 or order == names:
        return ()
    reordered = replace(spec, inputs=tuple(replace(spec.inputs[0], name=name) for name in order))
    return () if compare(load_model(reordered), samples, tolerance).differences else order


def _only_missing(samples: Sequence[Sample], found: Comparison) -> bool:
    """Return whether all rows that differ lack a value, and there are rows that lack none."""
    missing = {place for place, sample in enumerate(samples) if None in sample.inputs.values()}
    return {one.place for one in found.differences} <= missing and len(missing) < len(samples)


def _labels(values: Iterable[float]) -> bool:
    return all(value in (0, 1) for value in values)


def _text(value: object) -> str:
    return "NULL" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
