"""Rows with the scores that the model's trainer computed, compared with those of the ONNX file.

A file of samples has one JSON object in each line: `row`, the row's number where it came from, `inputs` by name in the
trainer's order, and `outputs` by the names of the ONNX file: `probabilities[1]` is an element along axis 1. A missing
value is null.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.nulls import masked
from udfs.scoring.inference import score_batch
from udfs.scoring.model import numpy_dtype
from udfs.scoring.onnx_files import ModelFileError
from udfs.scoring.verified_files import verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from udfs.scoring.model import Input, Model, Output

__all__ = [
    "TOLERANCE",
    "Comparison",
    "Difference",
    "Sample",
    "SampleError",
    "column_of",
    "compare",
    "element_name",
    "read_samples",
    "verify_samples",
]

TOLERANCE = 1e-4
"""How much a float score may differ, if the card says nothing else.

An ONNX file computes in float32, with 24 bits. Sums of some hundred trees, or of a network's weights, then differ from
the trainer's float64 in the sixth or fifth digit. A score that is wrong differs in the third, or more.
"""


class SampleError(ModelFileError):
    """Samples that cannot be compared with the model: not valid, or without a column that it needs."""


@dataclass(frozen=True)
class Sample:
    """One row: its number in the trainer's file, its inputs, and its expected outputs by the ONNX file's names."""

    row: int
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """A score that is not the expected one. `place` is the sample's position; `size` is infinite for text and NULL."""

    place: int
    row: int
    output: str
    found: Any
    expected: Any
    size: float


@dataclass(frozen=True)
class Comparison:
    """All differences above the tolerance, and how many rows were compared.

    Rows that the model refuses because of their NULLs are not compared.
    """

    rows: int
    tolerance: float
    differences: tuple[Difference, ...]

    @property
    def differing(self) -> int:
        """The number of rows with a difference."""
        return len({difference.place for difference in self.differences})

    @property
    def worst(self) -> Difference:
        """The largest difference of a number, or else one of text or NULL; there must be one."""
        return max(self.differences, key=lambda difference: (math.isfinite(difference.size), difference.size))


def read_samples(content: bytes) -> list[Sample]:
    """Return the rows of a file. Raises SampleError where it is not valid."""
    samples = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        try:
            values = json.loads(line)
            samples.append(Sample(int(values["row"]), dict(values["inputs"]), dict(values["outputs"])))
        except (KeyError, TypeError, ValueError) as error:
            raise SampleError(f"line {number} of the samples is not a row with inputs and outputs: {error}") from error
    return samples


def verify_samples(model: Model) -> None:
    """Compare a worker's model with its samples, if it has some.

    Raises ModelFileError for a score that differs, SampleError for samples that cannot be read or compared.
    """
    file = model.spec.samples
    if file is None:
        return
    found = compare(model, read_samples(verified(model.spec, file.path, file.sha256)), file.tolerance)
    if found.differences:
        worst = found.worst
        raise ModelFileError(
            f"model {model.spec.name}, version {model.spec.version}, does not score here as its trainer did: in row "
            f"{worst.row} of the samples, `{worst.output}` is {worst.found}, expected {worst.expected}; "
            f"{found.differing} of {found.rows} rows differ by more than {file.tolerance:g}"
        )


def compare(model: Model, samples: Sequence[Sample], tolerance: float) -> Comparison:
    """Score samples as a stream's rows are scored, and compare.

    A float may differ by `tolerance`, or by that share of the expected value where that is above 1. Outputs that
    samples do not have are not compared. Raises SampleError where they have no common output, or lack an input.
    """
    spec = model.spec
    batch = [column_of([_value(sample, given) for sample in samples], given, samples) for given in spec.inputs]
    predictions = score_batch(batch, model)
    kept = ~_refused_by_null(batch, spec.inputs, refuse=spec.null_inputs == "refuse")
    outputs = [
        (output, name, values)
        for output, values in zip(spec.outputs, predictions.outputs, strict=True)
        if (name := _expected_name(output, samples))
    ]
    if not outputs:
        known = sorted({name for sample in samples for name in sample.outputs})
        used = ", ".join(f"`{element_name(output.tensor, output.element)}`" for output in spec.outputs)
        raise SampleError(f"the samples have the outputs {', '.join(known)}, the model is asked for {used}")
    differences = []
    for output, name, values in outputs:
        for place in np.flatnonzero(kept):
            sample = samples[place]
            if name not in sample.outputs:
                continue
            found, expected = _plain(values[place]), sample.outputs[name]
            if found is None and predictions.error is not None and (why := predictions.error[place]):
                shown: Any = f"refused ({why})"
            else:
                shown = found
            size = _distance(found, expected, exact=not output.dtype.startswith("float"))
            if not size <= tolerance:
                differences.append(Difference(int(place), sample.row, name, shown, expected, size))
    return Comparison(int(kept.sum()), tolerance, tuple(differences))


def element_name(tensor: str, element: int | None) -> str:
    """Return the name of an output, or of an element of one along axis 1.

    >>> element_name("probabilities", 1)
    'probabilities[1]'
    """
    return tensor if element is None else f"{tensor}[{element}]"


def column_of(values: Sequence[Any], given: Input, samples: Sequence[Sample]) -> NDArray[Any]:
    """Return one input's values as a batch has them. Raises SampleError for a value of another kind."""
    dtype = numpy_dtype(given.dtype)
    missing = np.array([value is None for value in values], np.bool_)
    for value, sample in zip(values, samples, strict=True):
        if value is not None and not _fits(value, dtype.kind):
            raise SampleError(
                f"input `{given.name}` is {value!r} in row {sample.row} of the samples, expected {given.dtype}"
            )
    instead: Any = {"f": math.nan, "O": "", "b": False}.get(dtype.kind, 0)
    try:
        column = np.array([instead if value is None else value for value in values], dtype)
    except (OverflowError, ValueError) as error:
        raise SampleError(f"input `{given.name}` of the samples: {error}, expected {given.dtype}") from error
    return masked(column, missing) if dtype.kind != "f" and missing.any() else column


def _fits(value: Any, kind: str) -> bool:  # noqa: ANN401 - a value of JSON
    if kind == "O":
        return isinstance(value, str)
    if kind == "b":
        return value in (0, 1)
    return isinstance(value, int | float) and (kind == "f" or (math.isfinite(value) and value == int(value)))


def _value(sample: Sample, given: Input) -> Any:  # noqa: ANN401 - a value of JSON
    if given.name not in sample.inputs:
        raise SampleError(f"the samples have no input `{given.name}`; they have: {', '.join(sample.inputs)}")
    return sample.inputs[given.name]


def _refused_by_null(batch: Sequence[NDArray[Any]], inputs: Sequence[Input], *, refuse: bool) -> NDArray[np.bool_]:
    refused = np.zeros(len(batch[0]), np.bool_)
    for values, given in zip(batch, inputs, strict=True):
        if isinstance(values, np.ma.MaskedArray):
            refused |= np.ma.getmaskarray(values)  # type: ignore[no-untyped-call]  # numpy has no types for it
        elif refuse and given.dtype.startswith("float"):
            refused |= np.isnan(values)
    return refused


def _expected_name(output: Output, samples: Sequence[Sample]) -> str:
    """Return the name that samples have for an output; "" if they have none."""
    names = {element_name(output.tensor, output.element), *([f"{output.tensor}[0]"] if output.element is None else [])}
    return next((name for sample in samples for name in sample.outputs if name in names), "")


def _plain(value: Any) -> Any:  # noqa: ANN401 - a value of numpy
    if value is np.ma.masked:
        return None
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def _distance(found: Any, expected: Any, *, exact: bool) -> float:  # noqa: ANN401 - values of JSON
    """Return how far a score is from the expected one, relative to that where it is above 1."""
    if found is None or expected is None:
        return 0.0 if found is expected else math.inf
    if found == expected:
        return 0.0
    if exact or isinstance(found, str) or not isinstance(expected, int | float):
        return math.inf
    return abs(float(found) - expected) / max(1.0, abs(expected))
