"""Does a row's score depend on that row alone? Ask the model: with a row alone, in company, elsewhere, and twice.

A call of Flink has whatever rows arrive together, so a model whose rows depend on each other has no defined scores.
What differs in the last bits only, as sums in another order do, is no dependence: such rows are scored each in a call
of its own, and the results are the same to the bit in any batch. Likewise where the file accepts one row at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from udfs.scoring.inference import assemble
from udfs.scoring.model import RUN_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from udfs.scoring.model import Model

__all__ = ["RowCheck", "check_rows"]

_SECONDS = 5.0  # of a slow model, fewer rows and sizes are tried
_SIZES = (16, 48, 512)
_LAST_BITS = {2: 2e-2, 4: 1e-4, 8: 1e-9}
"""What is a difference in the last bits, by the bytes of a float: a share of the largest score of a distribution."""

Way = Literal["many", "copies", "single"]
"""How rows are passed to a model, see `ModelSpec.calls`."""

Tensors = dict[str, "NDArray[Any]"]


@dataclass(frozen=True)
class RowCheck:
    """What was found: `problem` is "" or what is wrong with the scores, `calls` how the model is to be called.

    `reason` says why it is not to be called with many rows. `accepted` is how many rows the model scored.
    """

    calls: Way = "many"
    problem: Literal["", "chance", "neighbours", "position"] = ""
    reason: str = ""
    accepted: int = 0


def check_rows(open_model: Callable[[Way], Model], batches: Sequence[Sequence[NDArray[Any]]]) -> RowCheck:
    """Call the model of `open_model(calls)`, where `calls` is as in `ModelSpec`, with the rows of `batches`.

    Each batch has one array for each input, of its dtype, and is of one distribution.
    """
    model = open_model("many")
    trial = _Trial(model, batches)
    if not trial.rows and model.calls.multiple > 1 and not _has_fixed_batch(model):
        single = open_model("single")
        alone = _Trial(single, batches)
        if alone.rows:
            problem: Literal["", "chance"] = "chance" if alone.differs_twice() else ""
            return RowCheck("single", problem, "the file accepts calls of one row only", len(alone.rows))
    if not trial.rows:
        return RowCheck()
    return trial.outcome()


def _has_fixed_batch(model: Model) -> bool:
    return any(isinstance(tensor.shape[0], int) for tensor in model.tensors)


class _Trial:
    """The rows that a model scores when each is alone, with their scores."""

    def __init__(self, model: Model, batches: Sequence[Sequence[NDArray[Any]]]) -> None:
        self.model = model
        self.until = monotonic() + _SECONDS
        self.rows: list[Tensors] = []
        self.group: list[int] = []
        self.scores: list[list[NDArray[Any]]] = []
        self.unlike_copies = False
        for place in range(len(batches[0][0])):  # one row of each distribution, then the next of each
            for group, batch in enumerate(batches):
                if monotonic() < self.until or not self.rows:
                    self._score_alone(group, [column[place : place + 1] for column in batch])

    def _score_alone(self, group: int, row: list[NDArray[Any]]) -> None:
        tensors = {tensor.name: assemble(tensor, row, self.model) for tensor in self.model.tensors}
        outputs = self._run(tensors, np.zeros(1, int))
        if outputs is None:
            return
        self.rows.append(tensors)
        self.group.append(group)
        self.scores.append([values[:1] for values in outputs])
        self.unlike_copies |= any(not _same(values, np.repeat(values[:1], len(values))) for values in outputs)

    def _run(self, tensors: Tensors, rows: NDArray[np.intp]) -> list[NDArray[Any]] | None:
        """Return the outputs for some rows of tensors, filled up as in a worker; None where the model refuses them."""
        try:
            return self.model.run({name: self.model.calls.pad(tensor[rows]) for name, tensor in tensors.items()})
        except RUN_ERRORS:
            return None

    def differs_twice(self) -> bool:
        """Return whether a row alone has other scores when it is scored again."""
        for row, scores in zip(self.rows, self.scores, strict=True):
            outputs = self._run(row, np.zeros(1, int))
            if outputs is None or not all(_same(v[:1], s) for v, s in zip(outputs, scores, strict=True)):
                return True
            if monotonic() > self.until:
                break
        return False

    def outcome(self) -> RowCheck:
        """Return what many rows in one call show."""
        accepted = len(self.rows)
        if self.differs_twice():
            return RowCheck(problem="chance", accepted=accepted)
        # A call of a model that resizes has copies of one row alone, whatever is found.
        largest, refused = (0.0, False) if self.model.resizing else self._in_company()
        if largest > 1:
            return RowCheck(problem="neighbours", accepted=accepted)
        if self.unlike_copies and largest == 0:
            return RowCheck(problem="position", accepted=accepted)
        reason = ""
        if largest > 0 and self.model.calls.rows > 1:
            reason = "its scores differ in the last bits with the other rows of a call"
        elif refused and not _has_fixed_batch(self.model):
            reason = "the file accepts no calls of many rows"
        return RowCheck("copies" if reason else "many", "", reason, accepted)

    def _in_company(self) -> tuple[float, bool]:
        """Return the largest difference, see `_difference`, and whether the model refused rows that it scores alone."""
        largest, refused = 0.0, False
        pool = {name: np.concatenate([row[name] for row in self.rows]) for name in self.rows[0]}
        for places in self._companies():
            outputs = self._run(pool, places)
            if outputs is None:
                refused = True
            else:
                largest = max(largest, self._difference(outputs, places))
            if largest > 1:
                break
        return largest, refused

    def _companies(self) -> list[NDArray[np.intp]]:
        """Return calls: the places of their rows. All rows are in some, at other places, with other neighbours."""
        random = np.random.default_rng(7)
        count = len(self.rows)
        sizes = (self.model.calls.size,) * 4 if _has_fixed_batch(self.model) else _SIZES
        found = []
        for size in sizes:
            order = np.concatenate([random.permutation(count) for _ in range(-(-size // count))])
            found += [order[:size], order[:size][::-1]]
            if size < count:
                found += [order[start : start + size] for start in range(size, len(order), size)]
        return found

    def _difference(self, outputs: list[NDArray[Any]], places: NDArray[np.intp]) -> float:
        """Return the largest difference from the scores of rows alone; up to 1 it is in the last bits."""
        largest = 0.0
        groups = np.array(self.group)
        for number, values in enumerate(outputs):
            alone = np.concatenate([scores[number] for scores in self.scores])
            expected, found = alone[places], values[: len(places)]
            if _same(found, expected):
                continue
            if values.dtype.kind != "f":
                return np.inf
            for group in np.unique(groups):
                known = np.abs(alone[groups == group])
                scale = np.max(known[np.isfinite(known)], initial=np.finfo(values.dtype).tiny)
                here = groups[places] == group
                with np.errstate(invalid="ignore"):
                    apart = np.abs(found[here].astype(float) - expected[here].astype(float)) / float(scale)
                apart[_equal(found[here], expected[here])] = 0
                apart = np.where(np.isnan(apart), np.inf, apart)
                largest = max(largest, float(np.max(apart, initial=0.0)) / _LAST_BITS[values.dtype.itemsize])
            largest = max(largest, float(np.finfo(float).tiny))  # 0.0 and -0.0 differ too
        return largest


def _same(values: NDArray[Any], others: NDArray[Any]) -> bool:
    """Return whether two arrays are the same to the bit, where any NaN is like another."""
    if values.dtype.kind != "f":
        return bool(np.array_equal(values, others))
    return bool(np.all(_equal(values, others) & ((np.signbit(values) == np.signbit(others)) | np.isnan(values))))


def _equal(values: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (values == others) | (np.isnan(values) & np.isnan(others))
    return equal
