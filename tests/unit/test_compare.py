"""All columns of a window compared at once: the same as each one by itself, whatever is next to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.distributions.categories import Categories
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts, count, empty
from udfs.distributions.histogram import Histogram
from udfs.distributions.ks import ks
from udfs.distributions.psi import psi
from udfs.distributions.quantiles import quantiles
from udfs.distributions.wasserstein import wasserstein
from udfs.drift.compare import compare
from udfs.drift.compared import Compared, from_json, to_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_generator = np.random.default_rng(11)
REFERENCE: dict[str, NDArray[Any]] = {
    "normal": _generator.normal(size=4000),
    "text": _generator.choice(np.array(["a", "b", None], object), 4000),
    "hours": _generator.integers(0, 24, 4000),
    "mostly zero": np.where(_generator.random(4000) < 0.9, 0, _generator.exponential(size=4000)),
    "one value": np.full(4000, 7.5),
    "infinite": np.where(_generator.random(4000) < 0.01, np.inf, _generator.normal(size=4000)),
    "three": _generator.choice([-1.0, 0.0, np.nan, 2.0], 4000),
}


def counted(columns: dict[str, NDArray[Any]], rows: NDArray[np.intp] | slice = slice(None)) -> Counts:
    arrays = [values[rows] for values in columns.values()]
    return count(FEATURES, [a if a.dtype == object else np.ascontiguousarray(a, np.float32) for a in arrays])


FEATURES = Features(
    tuple(REFERENCE),
    tuple(
        Categories(("a", "b")) if name == "text" else choose_bins(partial(list, [values.astype(np.float32)]))
        for name, values in REFERENCE.items()
    ),
)
THEN = counted(REFERENCE)


@given(seed=st.integers(0, 2**32), n=st.integers(1, 300), empty_columns=st.sets(st.sampled_from([*REFERENCE])))
def test_a_column_is_compared_as_if_it_were_alone(seed: int, n: int, empty_columns: set[str]) -> None:
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 4000, n)
    columns = {name: np.where(np.arange(4000) % 2, values, values[0]) for name, values in REFERENCE.items()}
    for name in empty_columns:
        columns[name] = np.full(4000, None) if name == "text" else np.full(4000, np.nan)
    window = counted(columns, rows)
    found = compare(THEN, window)
    assert [c.feature for c in found] == [*REFERENCE]
    for index, one in enumerate(found):
        then, now = THEN.column(index), window.column(index)
        sizes = [one.n, one.nulls, one.reference_n, one.reference_nulls]
        assert sizes == [int(size) for size in (now.n, now.nulls, then.n, then.nulls)]
        assert one.n + one.nulls == n
        if not now.n:
            assert (one.d_lo, one.p, one.psi, one.quantiles, one.reference_quantiles) == (None, None, None, (), ())
        elif isinstance(now, Histogram) and isinstance(then, Histogram):
            alone = ks(then, now)
            area = wasserstein(then, now).estimate
            assert one.d_lo == pytest.approx(alone.lo, abs=1e-12)
            assert one.d_hi == pytest.approx(alone.hi, abs=1e-12)
            assert one.p == pytest.approx(alone.p, abs=1e-9)
            assert one.psi == pytest.approx(psi(then, now).estimate, abs=1e-12)
            assert one.wasserstein == (pytest.approx(area, abs=1e-9) if np.isfinite(area) else None)
            shown = [None if not np.isfinite(q) else pytest.approx(q) for q in quantiles(now)]
            assert [*one.quantiles] == shown
    compared = Compared(0, 0, "(all)", 0, {0: n}, tuple(found))
    assert from_json(to_json(compared)) == compared


def test_without_a_reference_there_are_sizes_and_quantiles_alone() -> None:
    window = counted(REFERENCE, slice(100))
    for one, with_reference in zip(compare(None, window), compare(THEN, window), strict=True):
        assert (one.n, one.nulls, one.quantiles) == (with_reference.n, with_reference.nulls, with_reference.quantiles)
        assert (one.reference_n, one.d_lo, one.psi, one.reference_quantiles) == (0, None, None, ())


def test_no_rows_at_all() -> None:
    assert [(c.n, c.d_lo) for c in compare(THEN, empty(FEATURES))] == [(0, None)] * len(REFERENCE)
