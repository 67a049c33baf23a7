"""Choose how many rows a call of ONNX Runtime scores: timed without Flink, on rows of the sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import thread_time
from typing import TYPE_CHECKING, Any

import numpy as np

from pyflink_jobs.tuning.choice import Choice, choose, noise
from udfs.scoring.call_size import MULTIPLE, ROWS
from udfs.scoring.inference import run_inference
from udfs.scoring.model import load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from udfs.scoring.model import ModelSpec

__all__ = ["SIZES", "InnerBatch", "best_inner_batch"]

SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""The rows of a call that are tried."""

_ROUNDS = (3, 40)  # at least, and at most
_ENOUGH = 2.0  # CPU seconds after which no more rounds are made
_MEMORY = 8 * 2**30  # bytes: more than in a worker, because this process has other data too


@dataclass(frozen=True)
class InnerBatch:
    """Rows per CPU second of one thread, by rows of a call, and the choice.

    `rows` is the number of different rows from the sample. `choice` is None, and nothing was timed, for a model without
    a choice: its batch is fixed, or each row needs a call of its own.
    """

    model: str
    rows: int
    speeds: dict[str, list[float]]
    choice: Choice | None


def best_inner_batch(
    spec: ModelSpec, batch: Sequence[NDArray[Any]], on_size: Callable[[int], None] = lambda _: None
) -> InnerBatch:
    """Time a model with each of SIZES, in turn and at least three times; scores are the same with each.

    The measure is the CPU time of this thread, in which ONNX Runtime works, so other processes matter little.
    """
    rows = len(batch[0])
    model = load_model(replace(spec, worker_memory=max(_MEMORY, spec.worker_memory)))
    if (model.calls.rows, model.calls.multiple) != (ROWS, MULTIPLE) or not rows:
        return InnerBatch(spec.name, rows, {}, None)
    largest = SIZES[-1]
    again = np.arange(largest) % rows  # the rows repeat if there are too few
    filled = [column[again] for column in batch]
    speeds: dict[str, list[float]] = {str(size): [] for size in SIZES}
    for size in SIZES:  # once to warm up: memory and kernels
        run_inference(filled, replace(model, calls=replace(model.calls, rows=size)))
    fewest, most = _ROUNDS
    started = thread_time()
    for number in range(most):
        if number >= fewest and thread_time() - started > _ENOUGH:
            break
        for size in SIZES:
            on_size(size)
            sized = replace(model, calls=replace(model.calls, rows=size))
            began = thread_time()
            run_inference(filled, sized)
            speeds[str(size)].append(largest / max(thread_time() - began, 1e-9))
    return InnerBatch(spec.name, rows, speeds, choose(speeds, str(ROWS), noise(speeds.values())))
