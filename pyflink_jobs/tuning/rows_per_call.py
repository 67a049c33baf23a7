"""How many rows a call of ONNX Runtime should score: timed without Flink, on rows that the model really gets."""

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
"""Rows of a call that are tried."""

_ROUNDS = (3, 40)  # at least, and at most
_ENOUGH = 2.0  # CPU seconds that are enough once there are the fewest rounds
_MEMORY = 8 * 2**30  # bytes: this process is no worker, and holds more than one


@dataclass(frozen=True)
class InnerBatch:
    """Rows per CPU second of one thread, by rows of a call, and what was chosen of them.

    `rows` is how many different rows the sample gave. `choice` is None, and nothing was timed, for a model that leaves
    no choice: its batch is fixed, or each row needs a call of its own.
    """

    model: str
    rows: int
    speeds: dict[str, list[float]]
    choice: Choice | None


def best_inner_batch(
    spec: ModelSpec, batch: Sequence[NDArray[Any]], on_size: Callable[[int], None] = lambda _: None
) -> InnerBatch:
    """Time a model at each of SIZES, in turn and at least three times over; scores are the same at each.

    The CPU time of this thread is taken, in which ONNX Runtime works: what else the machine does counts little.
    """
    rows = len(batch[0])
    model = load_model(replace(spec, worker_memory=max(_MEMORY, spec.worker_memory)))
    if (model.calls.rows, model.calls.multiple) != (ROWS, MULTIPLE) or not rows:
        return InnerBatch(spec.name, rows, {}, None)
    largest = SIZES[-1]
    again = np.arange(largest) % rows  # the rows from the beginning, where they are too few
    filled = [column[again] for column in batch]
    speeds: dict[str, list[float]] = {str(size): [] for size in SIZES}
    for size in SIZES:  # once for nothing: memory and kernels are made ready
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
