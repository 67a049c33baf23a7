"""Whether alarms need more than what a monitor remembers: long streams, judged with its memory and with an endless one.

Values are AR(1), each .9 of the one before and noise, so windows differ from the reference by more than chance: it is
the ranks among earlier windows that keep alarms away, and they come from memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
from rich.progress import track
from rich.table import Table
from scipy.signal import lfilter

from bench.windows import Column, column, counts_of, distances, p_values
from udfs.distributions.count_layout import Features
from udfs.drift import history, thresholds
from udfs.drift.compare import Comparison
from udfs.drift.compared import Compared
from udfs.drift.history import Arrival, Memory, first_window, judge_next
from udfs.drift.monitor import LoadedMonitor, Monitor
from udfs.drift.reference import ALL, LEVELS, Keys, Profile
from udfs.drift.state import DriftState

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

__all__ = ["memory"]

N = 200
REFERENCE_ROWS, BINS = 20_000, 64
WINDOW = 3600
D_MINS = (0.0, thresholds.D_MIN)
SHIFT = 0.6  # standard deviations; the mean of such a window is off by .3 anyway
AFTER = 64  # windows in which a shift is to be found
_COEFFICIENT = 0.9
_BURN_IN = 200
_SEED = 5
_ENDLESS = 1 << 40  # windows of a block

Distances = dict[tuple[str, str, int], tuple[float, ...]]


@dataclass(frozen=True)
class Found:
    """Alarms that open without drift, and of each shift the windows until one opens; infinite if none does."""

    alarms: int
    delays: list[float]


def memory(console: Console, streams: int, windows: int, features: int = 2) -> list[dict[str, object]]:
    """Judge streams of so many windows, each with a shift at its end; print a table, return its figures."""
    generator = np.random.default_rng(_SEED)
    names = tuple(f"x{i}" for i in range(features))
    memories = {"one to two blocks": history.BLOCK, "all windows": _ENDLESS}
    found: dict[tuple[float, str], list[Found]] = {(d_min, name): [] for d_min in D_MINS for name in memories}
    for _ in track(range(streams), "streams", transient=True):
        columns = [column(generator, REFERENCE_ROWS, BINS) for _ in names]
        own = _own_distances(columns, names, generator)
        values = [_autoregressive(generator, (windows + AFTER) * N) for _ in names]
        for each in values:
            each[windows * N :] += SHIFT
        stream = _stream(columns, names, values)
        for (d_min, name), several in found.items():
            with patch.object(history, "BLOCK", memories[name]):
                several.append(_judged(_loaded(own, names, d_min), stream, windows, names))
    return _shown(console, found, streams, windows, features)


def _autoregressive(generator: np.random.Generator, n: int) -> NDArray[np.float64]:
    noise = generator.normal(scale=np.sqrt(1 - _COEFFICIENT**2), size=n + _BURN_IN)
    values: NDArray[np.float64] = lfilter([1.0], [1.0, -_COEFFICIENT], noise)[_BURN_IN:]
    return values


def _own_distances(columns: list[Column], names: tuple[str, ...], generator: np.random.Generator) -> Distances:
    """Return distances of the reference's own windows: as far as those of a stream without drift."""
    own = {}
    for name, each in zip(names, columns, strict=True):
        values = _autoregressive(generator, REFERENCE_ROWS)
        for level, comparisons in _compared(each, name, values):
            own[ALL, name, level] = tuple(c.d_lo for c in comparisons if c.d_lo is not None)
    return own


def _loaded(own: Distances, names: tuple[str, ...], d_min: float) -> LoadedMonitor:
    profile = Profile("m", "1", Features((), ()), Keys(), {}, own)
    return LoadedMonitor(Monitor("m", "1", "", "", names, (d_min,) * len(names), ("",) * len(names), WINDOW), profile)


def _compared(each: Column, name: str, values: NDArray[np.float64]) -> list[tuple[int, list[Comparison]]]:
    """Return the comparisons of all windows, and of all complete sums of 2, 4, ... of them."""
    counts = counts_of(each.reference, values.reshape(-1, N))
    found = []
    for level in range(LEVELS):
        many = 1 << level
        whole = len(counts) // many
        sums = counts[: whole * many].reshape(whole, many, -1).sum(axis=1)
        d = distances(each.reference, sums, N * many)
        both = zip(d.tolist(), p_values(d, N * many).tolist(), strict=True)
        m = int(each.reference.n)
        found.append((level, [Comparison(name, N * many, 0, m, 0, d_lo, d_lo, p) for d_lo, p in both]))
    return found


def _stream(columns: list[Column], names: tuple[str, ...], values: list[NDArray[np.float64]]) -> list[Arrival]:
    """Return the windows, the first of which begins a block, each with the sums that end with it."""
    several = [_compared(*each) for each in zip(columns, names, values, strict=True)]
    first = 64 * history.BLOCK
    arrivals = []
    for i in range(len(values[0]) // N):
        found = []
        for level in range(LEVELS):
            many = 1 << level
            if (i + 1) % many == 0:
                comparisons = tuple(of_column[level][1][i // many] for of_column in several)
                start = (first + i + 1 - many) * WINDOW
                found.append(Compared(level, start, ALL, 0, {0: N * many}, comparisons))
        arrivals.append(Arrival((first + i) * WINDOW, "in time", tuple(found)))
    return arrivals


def _judged(loaded: LoadedMonitor, stream: list[Arrival], change: int, names: tuple[str, ...]) -> Found:
    memory_, known, alarms = Memory(DriftState()), list[Arrival](), 0
    known_open: set[str] = set()
    delays = dict.fromkeys(names, np.inf)
    for i, arrival in enumerate(stream):
        if i == change:  # an alarm that is open by chance is no finding
            known_open = {feature for _, feature in memory_.state.open_alarms}
        memory_, new = judge_next(loaded, memory_, arrival, known)
        begin = first_window(arrival.start, WINDOW)
        known = [*(one for one in known if one.start >= begin), arrival] if i % 64 == 0 else [*known, arrival]
        opened = {c.result.judgement.comparison.feature for c in new.changes if c.opens}
        if i < change:
            alarms += len(opened)
        else:
            for feature in opened - known_open:
                delays[feature] = min(delays[feature], i - change + 1)
    return Found(alarms, [delays[name] for name in names if name not in known_open])


def _shown(
    console: Console, found: dict[tuple[float, str], list[Found]], streams: int, windows: int, features: int
) -> list[dict[str, object]]:
    table = Table(
        title=f"{streams} streams of {features} features, {windows:,} windows of {N} values each, AR(1) with "
        f"{_COEFFICIENT}; then a shift of {SHIFT:g} sd"
    )
    titles = ("alarms in 1,000 windows of a feature", "shifts found", "windows to the alarm: median, p90")
    for title in ("d_min", "memory", *titles):
        table.add_column(title, justify="left" if title == "memory" else "right")
    figures: list[dict[str, object]] = []
    for (d_min, name), several in found.items():
        rate = 1000 * sum(each.alarms for each in several) / (streams * windows * features)
        delays = np.array([delay for each in several for delay in each.delays])
        seen = delays[np.isfinite(delays)]
        share = len(seen) / len(delays)
        shown = f"{np.median(seen):.0f}, {np.quantile(seen, 0.9):.0f}" if len(seen) else ""
        table.add_row(f"{d_min:g}", name, f"{rate:.2f}", f"{share:.2f}", shown)
        row = {"d_min": d_min, "memory": name, "alarms_per_1000": rate, "found": share, "delays": seen.tolist()}
        figures.append(row)
    console.print(table)
    return figures
