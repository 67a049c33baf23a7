"""What the statistics of drift cost on one core, and scipy's exact test on the same windows."""

from __future__ import annotations

from functools import partial
from itertools import cycle, islice
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import scipy.stats
from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import count
from udfs.distributions.ks import ks
from udfs.distributions.psi import psi
from udfs.distributions.wasserstein import wasserstein
from udfs.drift.monitor import GROUP

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from udfs.distributions.bins import Bins

__all__ = ["drift"]

_SEED = 7
_ROWS = 5000
"""Rows of a batch."""

_BATCHES = 200
_REFERENCE = 10_000_000
_PAIRS = 1000
_ZEROS = 0.93

COLUMNS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda g, n: g.normal(size=n),
    "normal around 1000": lambda g, n: g.normal(1000, 1, n),
    "lognormal": lambda g, n: g.lognormal(size=n),
    "mostly zero": lambda g, n: np.where(g.random(n) < _ZEROS, 0.0, g.exponential(size=n)),
    "hours": lambda g, n: g.integers(0, 24, n).astype(float),
}


def drift() -> dict[str, object]:
    """Measure counting, testing and building; print tables, return their figures for JSON."""
    console = console_for_tables()
    generator = np.random.default_rng(_SEED)
    counting = {name: _counting(generator, draw) for name, draw in COLUMNS.items()}
    table = Table(title=f"one core, batches of {_ROWS:,} float32")
    for title in ("column", "ns a value", "M values/s", "ks_2samp, ns a value", "times"):
        table.add_column(title, justify="left" if title == "column" else "right")
    for name, (ours, scipys) in counting.items():
        table.add_row(name, f"{ours:.1f}", f"{1e3 / ours:.0f}", f"{scipys:.0f}", f"{scipys / ours:.0f}")
    console.print(table)
    build, tests = _build(generator), _tests(generator)
    console.print(f"a reference of {_REFERENCE:,} values: {build:.2f} s")
    console.print(f"KS, PSI and Wasserstein of {_PAIRS:,} columns of windows: {1e3 * tests:.0f} ms")
    return {"machine": describe(), "ns_a_value": counting, "build_seconds": build, "tests_seconds": tests}


def _counting(
    generator: np.random.Generator, draw: Callable[[np.random.Generator, int], NDArray[np.float64]]
) -> tuple[float, float]:
    """Return nanoseconds a value, ours to count and scipy's to test, on the same windows; medians.

    Scipy gets a reference no larger than the window, for it sorts both.
    """
    reference = draw(generator, 100_000).astype(np.float32)
    bins = choose_bins(lambda: [reference])
    windows = [draw(generator, _ROWS).astype(np.float32) for _ in range(_BATCHES)]
    bins.count(windows[0])  # creates its table
    ours = [_seconds(bins.count, window) for window in windows]
    small = reference[:_ROWS]
    scipys = [_seconds(lambda x: scipy.stats.ks_2samp(small, x, method="asymp"), window) for window in windows]
    return 1e9 * float(np.median(ours)) / _ROWS, 1e9 * float(np.median(scipys)) / _ROWS


def _build(generator: np.random.Generator) -> float:
    """Return the seconds to choose bins for a large reference and to count it."""
    chunks = [generator.normal(size=_REFERENCE // 10).astype(np.float32) for _ in range(10)]
    start = perf_counter()
    bins: Bins = choose_bins(lambda: chunks)
    for chunk in chunks:
        bins.count(chunk)
    return perf_counter() - start


def _tests(generator: np.random.Generator) -> float:
    """Return the seconds for three tests of many columns of windows, in the groups of columns that a merge has."""
    reference = [draw(generator, 100_000).astype(np.float32) for draw in islice(cycle(COLUMNS.values()), GROUP)]
    bins = tuple(choose_bins(partial(list, [values])) for values in reference)
    features = Features(tuple(f"x{i}" for i in range(GROUP)), bins)
    then = count(features, reference).numbers
    rows = [generator.permutation(100_000)[:_ROWS] for _ in range(_PAIRS // GROUP)]
    windows = [count(features, [values[some] for values in reference]).numbers for some in rows]
    start = perf_counter()
    for window in windows:
        for test in (ks, psi, wasserstein):
            test(then, window)
    return perf_counter() - start


def _seconds(call: Callable[[NDArray[np.float32]], object], argument: NDArray[np.float32]) -> float:
    start = perf_counter()
    call(argument)
    return perf_counter() - start
