"""ADWIN of the package river (Bifet and Gavalda, 2007, SIAM Int. Conf. on Data Mining), which watches a mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyflink_jobs.errors import MillstreamError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["adwin", "changes"]


def adwin(delta: float) -> Any:  # noqa: ANN401 - river ships no types
    """Return a new ADWIN. Raises MillstreamError without river."""
    try:
        from river.drift import ADWIN
    except ImportError as error:
        raise MillstreamError("this bench needs the package river: pip install -e .[bench]") from error
    return ADWIN(delta=delta)


def changes(detector: Any, values: NDArray[np.float64], most: float = np.inf) -> list[int]:  # noqa: ANN401 - same
    """Feed values; return after how many of them it saw a change each time, and stop once it saw so many."""
    seen = []
    for i, value in enumerate(values.tolist(), 1):
        detector.update(value)
        if detector.drift_detected:
            seen.append(i)
            if len(seen) >= most:
                break
    return seen
