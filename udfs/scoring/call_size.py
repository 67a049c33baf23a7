"""How many rows a model call scores, so that a row's score depends on that row alone and calls are efficient.

>>> Calls(rows=512, multiple=16).pad(np.array([1.0, 2.0], np.float32)).shape
(16,)
"""

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
"""The most rows that one call scores, where a job's configuration has no other number.

Measured with 5,120 rows of 16 float32, in thousand rows a second at 64, 512 and 5,120 rows a call: LightGBM of 100
trees 311, 316, 280; MLP 16-64-32-1 1,960, 5,400, 6,070; MLP 16-512-256-1 219, 235, 149.
"""

ROWS_PER_CALL = "millstream.rows-per-call."
"""The prefix of the job parameter with the number of rows that a call of a model scores; the model's name follows.

In Flink's configuration it is `pipeline.global-job-parameters.millstream.rows-per-call.NAME`. It changes how fast a
model scores, never the scores: so it is not part of the model, and may change when a job is upgraded.
"""

MULTIPLE = 16
"""Every call gets a multiple of this number of rows.

ONNX Runtime computes the tail of an array differently than the whole SIMD vectors before it, and a single row
differently than several. Of 43 networks and tree ensembles, split into batches of 1 to 257 rows, 17 scored some rows
differently in the last bits (float64 sigmoid, tanh, exp, log, sin; float32 elu, selu, mish, softplus, log, sin;
scikit-learn's logistic regression at one row). With a multiple of 2 rows 6 did, with 4 or more none. 16 float32 are
the widest vector that processors have.
"""

SAFE_MULTIPLE = 4
"""The smallest multiple with which no row's score depended on other rows."""


@dataclass(frozen=True)
class Calls:
    """A call scores at most `rows` rows, and gets a multiple of `multiple` rows: the last one is repeated."""

    rows: int = ROWS
    multiple: int = MULTIPLE

    @classmethod
    def of(
        cls, tensors: Iterable[Tensor], *, alone: bool = False, single: bool = False, rows: int | None = None
    ) -> Calls:
        """Return the call size for a model with these inputs, whose batch dimension may be fixed.

        `rows` is the wanted number of rows of a call, used where the batch dimension is free; None for ROWS. With
        `alone`, each row gets a call of its own, filled with copies of it; with `single`, one of that row alone.
        Raises ModelFileError where inputs have different batch sizes.
        """
        fixed = {tensor.shape[0] for tensor in tensors if isinstance(tensor.shape[0], int)}
        if not fixed:
            if single:
                return cls(1, 1)
            return cls(1) if alone else cls(rows or ROWS)
        if len(fixed) > 1:
            raise ModelFileError(f"its inputs have different batch sizes: {sorted(fixed)}")
        [batch] = fixed
        # In a batch of, say, 3, the last row would be a tail: each row gets a call of its own, filled with copies.
        return cls(batch if batch % SAFE_MULTIPLE == 0 and not alone else 1, batch)

    @property
    def size(self) -> int:
        """The number of rows in a full call."""
        return max(self.rows, self.multiple)

    def pad(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return a tensor of 1 to `rows` rows, with its last row repeated up to a multiple of `multiple` rows."""
        wanting = -len(tensor) % self.multiple
        return np.concatenate([tensor, np.repeat(tensor[-1:], wanting, axis=0)]) if wanting else tensor
