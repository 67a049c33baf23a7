"""How rows are put into calls, so that a row's score depends on that row alone and calls are of a good size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.scoring.signature import ModelFileError, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["ROWS", "ROWS_PER_CALL", "Calls"]

ROWS = 512
"""The most rows one call scores, where a job's configuration names no other number.

Measured with 5,120 rows of 16 float32, in thousand rows a second at 64, 512 and 5,120 rows a call: LightGBM of 100
trees 311, 316, 280; MLP 16-64-32-1 1,960, 5,400, 6,070; MLP 16-512-256-1 219, 235, 149.
"""

ROWS_PER_CALL = "millstream.rows-per-call."
"""What stands before a model's name in the job parameter that says how many rows a call of it scores.

In Flink's configuration it is `pipeline.global-job-parameters.millstream.rows-per-call.NAME`. It changes how fast a
model scores, never what: so it is no part of the model, and a job may be upgraded to another number.
"""

MULTIPLE = 16
"""Every call gets a multiple of so many rows.

ONNX Runtime computes the tail of an array in another way than the whole SIMD vectors before it, and one row in
another way than several. Of 43 networks and tree ensembles, split into batches of 1 to 257 rows, 17 scored some rows
differently in the last bits (float64 sigmoid, tanh, exp, log, sin; float32 elu, selu, mish, softplus, log, sin;
scikit-learn's logistic regression at one row). With a multiple of 2 rows 6 did, with 4 or more none. 16 float32 are
the widest vector that processors have.
"""

SAFE_MULTIPLE = 4
"""With a multiple of so many rows no row's score depended on its neighbours."""


@dataclass(frozen=True)
class Calls:
    """A call scores at most `rows` rows, and gets a multiple of `multiple`: the last one is repeated to fill it."""

    rows: int = ROWS
    multiple: int = MULTIPLE

    @classmethod
    def of(cls, tensors: Iterable[Tensor], *, alone: bool = False, rows: int | None = None) -> Calls:
        """Return how to call a model with these inputs, whose batch dimension may be fixed.

        `rows` is the wanted number of rows of a call, where the model leaves a choice. `alone` asks for a call for each
        row, filled with itself.
        Raises ModelFileError where it is fixed to different sizes.
        """
        fixed = {tensor.shape[0] for tensor in tensors if isinstance(tensor.shape[0], int)}
        if not fixed:
            return cls(1) if alone else cls(rows or ROWS)
        if len(fixed) > 1:
            raise ModelFileError(f"its inputs have different batch sizes: {sorted(fixed)}")
        [batch] = fixed
        # In a batch of, say, 3, the last row would be a tail: each row gets a call of its own, filled with itself.
        return cls(batch if batch % SAFE_MULTIPLE == 0 and not alone else 1, batch)

    @property
    def size(self) -> int:
        """The number of rows in a full call."""
        return max(self.rows, self.multiple)

    def pad(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return a tensor of 1 to `rows` rows as a call must get it."""
        wanting = -len(tensor) % self.multiple
        return np.concatenate([tensor, np.repeat(tensor[-1:], wanting, axis=0)]) if wanting else tensor
