"""Rows for a model of which there are none: values by type, from several seeded distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.scoring.model import numpy_dtype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from udfs.scoring.model import ModelSpec

__all__ = ["example_rows"]

_SCALES = (1.0, 100.0, 0.01, 1000.0)  # of normal distributions
_INTEGERS = (2, 5, 1, 3, 10, 100, 2)  # one more than the largest: small ones are in most tables and vocabularies
_TEXTS = ("", "a", "b", "1", "2", "A", "yes", "no")


def example_rows(
    spec: ModelSpec,
    texts: Sequence[str] = (),
    known: Mapping[str, Sequence[float] | Sequence[str]] | None = None,
    size: int = 6,
) -> list[list[NDArray[Any]]]:
    """Return batches of `size` rows, each from another distribution: one array of shape (size,) for each input.

    The last one has NaN, unless the model refuses it. `texts` are values that the model's text inputs may have, `known`
    values of inputs by name, such as those of a reference profile: with these, the first batch has them.
    """
    random = np.random.default_rng(20_240_229)
    batches = []
    if known:
        usual = example_rows(spec, texts, size=size)[0]
        batches.append([_known(random, known.get(i.name, ()), v) for i, v in zip(spec.inputs, usual, strict=True)])
    for number, largest in enumerate(_INTEGERS if spec.null_inputs == "nan" else _INTEGERS[:-1]):
        batch: list[NDArray[Any]] = []
        for given in spec.inputs:
            dtype = numpy_dtype(given.dtype)
            if dtype.kind == "f":
                batch.append(_floats(random, number, size).astype(dtype))
            elif dtype.kind == "O":
                batch.append(random.choice(np.array([*texts[:100], *_TEXTS[: 0 if texts else None]], object), size))
            elif dtype.kind == "b":
                batch.append(random.random(size) < 0.5)  # noqa: PLR2004 - one as often as the other
            else:
                batch.append(random.integers(0, largest, size).astype(dtype))
        batches.append(batch)
    return batches


def _known(
    random: np.random.Generator, values: Sequence[float] | Sequence[str], otherwise: NDArray[Any]
) -> NDArray[Any]:
    """Return values of a column, chosen by chance; `otherwise`, if none is known that its dtype can have."""
    if len(values) == 0 or isinstance(values[0], str) != (otherwise.dtype.kind == "O") or otherwise.dtype.kind == "b":
        return otherwise
    chosen: NDArray[Any] = random.choice(
        np.array(values, None if otherwise.dtype.kind != "O" else object), len(otherwise)
    )
    return chosen.astype(otherwise.dtype)


def _floats(random: np.random.Generator, number: int, size: int) -> NDArray[np.float64]:
    """Return values of one distribution; float16 holds them all."""
    if number < len(_SCALES):
        return random.normal(size=size) * _SCALES[number]
    if number == len(_SCALES):
        return random.random(size)
    if number == len(_SCALES) + 1:
        return random.integers(0, 6, size).astype(np.float64)
    values = random.normal(size=size)
    values[:: size // 2] = np.nan
    return values
