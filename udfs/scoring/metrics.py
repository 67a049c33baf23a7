"""A model's metrics for Flink, updated once for each batch.

PyFlink's metrics are whole numbers, and its distributions reach no reporter. So a histogram is a counter for each
bound, cumulative and labelled `le`, as in Prometheus: the histograms of all subtasks can be added up.

>>> from types import SimpleNamespace
>>> found = []
>>> def group(le):
...     return SimpleNamespace(counter=lambda name: SimpleNamespace(inc=lambda n=1: found.append((name, le, n))))
>>> made = SimpleNamespace(counter=group("").counter, add_group=lambda _, bound: group(bound))
>>> _Histogram(made, "rows", (10, 100)).add(50)
>>> [(le, n) for name, le, n in found if name == "rows_bucket"], found[3:]
([('10', 0), ('100', 1), ('+Inf', 1)], [('rows_sum', '', 50), ('rows_count', '', 1)])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from udfs.scoring.model import ModelSpec

__all__ = ["ModelMetrics"]

_BATCH_ROWS = (1, 10, 100, 1_000, 5_000, 10_000)
_MICROSECONDS = (250, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000)


class _Counter(Protocol):
    def inc(self, n: int = 1) -> None: ...


class _MetricGroup(Protocol):
    """The part of PyFlink's MetricGroup that is used; `add_group` with `extra` adds a label with its value."""

    def add_group(self, name: str, extra: str | None = None) -> _MetricGroup: ...
    def counter(self, name: str) -> _Counter: ...
    def gauge(self, name: str, obj: Callable[[], int]) -> None: ...


class ModelMetrics:
    """The metrics of a model, labelled with its name and version, in the operator's metric group.

    `load_microseconds` is how long it took to load the model.
    """

    def __init__(self, group: _MetricGroup, spec: ModelSpec, load_microseconds: int) -> None:
        labelled = group.add_group("millstream").add_group("model", spec.name).add_group("version", spec.version)
        self._rows = labelled.counter("rows")
        self._errors = labelled.counter("errors")
        self._nulls = [labelled.add_group("input", given.name).counter("nulls") for given in spec.inputs]
        self._sizes = _Histogram(labelled, "batch_rows", _BATCH_ROWS)
        self._times = _Histogram(labelled, "inference_microseconds", _MICROSECONDS)
        labelled.gauge("session_load_microseconds", lambda: load_microseconds)
        process = psutil.Process()
        labelled.gauge("worker_resident_bytes", lambda: process.memory_info().rss)

    def count(self, batch: Sequence[NDArray[Any]], error: NDArray[np.object_] | None, microseconds: int) -> None:
        """Count a scored batch: an array of shape (rows,) for each input, `Predictions.error`, and how long it took."""
        rows = len(batch[0])
        self._rows.inc(rows)
        self._errors.inc(0 if error is None else int(np.count_nonzero(error)))
        for counter, column in zip(self._nulls, batch, strict=True):
            counter.inc(_nulls(column))
        self._sizes.add(rows)
        self._times.add(microseconds)


class _Histogram:
    """Counters with the names of a histogram in Prometheus: _bucket, _sum, _count."""

    def __init__(self, group: _MetricGroup, name: str, bounds: tuple[int, ...]) -> None:
        self._bounds = [*bounds, float("inf")]
        labels = [*map(str, bounds), "+Inf"]
        self._buckets = [group.add_group("le", label).counter(f"{name}_bucket") for label in labels]
        self._sum = group.counter(f"{name}_sum")
        self._count = group.counter(f"{name}_count")

    def add(self, value: int) -> None:
        for bound, bucket in zip(self._bounds, self._buckets, strict=True):
            bucket.inc(int(value <= bound))  # also 0: a counter that was never updated is not reported
        self._sum.inc(value)
        self._count.inc()


def _nulls(column: NDArray[Any]) -> int:
    """Return how many values are NULL, which is NaN in a float column."""
    if isinstance(column, np.ma.MaskedArray):
        return int(np.count_nonzero(column.mask))
    return int(np.count_nonzero(np.isnan(column))) if column.dtype.kind == "f" else 0
