"""How often rules fire without drift where each value depends on the one before; with ranks among earlier windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from rich.progress import track
from rich.table import Table
from scipy.signal import lfilter

from bench.windows import allowed, counts_of, distances, p_values
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import histogram
from udfs.drift.thresholds import ALPHA, D_MIN, margin

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

__all__ = ["Counted", "autoregressive", "correlated", "ranks", "simulate"]

COEFFICIENT = 0.9
N = 200
REFERENCE_ROWS = 10_000
EARLIER = 200
"""Windows that a distance is ranked among."""

RANK = 0.01

_SEED = 2
_BURN_IN = 200  # .9 to the 200th is nothing
_SHIFT = 2.0  # in standard deviations; the mean of such a window is off by .3 anyway
_LEVEL = 0.05


@dataclass(frozen=True)
class Counted:
    """A rule, its level, the share of windows that fire for each reference, and how often it finds a shift."""

    name: str
    level: float
    shares: NDArray[np.float64]
    found: float


def autoregressive(generator: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Return n values with mean 0 and sd 1, each .9 of the one before and noise: AR(1)."""
    noise = generator.normal(scale=np.sqrt(1 - COEFFICIENT**2), size=n + _BURN_IN)
    values: NDArray[np.float64] = lfilter([1.0], [1.0, -COEFFICIENT], noise)[_BURN_IN:]
    return values


def ranks(d: NDArray[np.float64], earlier: int) -> NDArray[np.float64]:
    """Return `conformal_p` of each distance among so many before it, from the first that has them."""
    before = sliding_window_view(d, earlier)[:-1]
    p: NDArray[np.float64] = (1 + (before >= d[earlier:, None]).sum(axis=1)) / (earlier + 1)
    return p


def simulate(references: int, windows: int, bins: int) -> list[Counted]:
    """Return each rule's shares."""
    generator = np.random.default_rng(_SEED)
    rows = [_one(generator, windows, bins) for _ in track(range(references), "references, AR(1)", transient=True)]
    names = [(name, level) for name, level, _, _ in rows[0]]
    return [
        Counted(name, level, np.array([row[i][2] for row in rows]), float(np.mean([row[i][3] for row in rows])))
        for i, (name, level) in enumerate(names)
    ]


def _one(generator: np.random.Generator, windows: int, bins: int) -> list[tuple[str, float, float, float]]:
    """Return name, level, share that fired and share that found the shift, for each rule and one reference."""
    sample = autoregressive(generator, REFERENCE_ROWS).astype(np.float32)
    reference = histogram(choose_bins(lambda: [sample], bins), sample)

    def d_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return distances(reference, counts_of(reference, values.reshape(-1, N)), N)

    d = d_of(autoregressive(generator, (windows + EARLIER) * N))
    drifted = d_of(autoregressive(generator, windows // 10 * N) + _SHIFT)
    p = ranks(d, EARLIER)
    history = np.sort(d[:EARLIER])
    drifted_p = (1 + EARLIER - np.searchsorted(history, drifted)) / (EARLIER + 1)
    d = d[EARLIER:]

    def beyond(values: NDArray[np.float64], d_min: float) -> NDArray[np.bool_]:
        return values > margin(N, REFERENCE_ROWS, d_min, ALPHA)

    rules: list[tuple[str, float, NDArray[np.bool_], NDArray[np.bool_]]] = [
        ("textbook: p < .05", _LEVEL, p_values(d, N) < _LEVEL, p_values(drifted, N) < _LEVEL),
        (f"margin, d_min 0, alpha {ALPHA}", ALPHA, beyond(d, 0), beyond(drifted, 0)),
        (f"margin, d_min {D_MIN}, alpha {ALPHA}", ALPHA, beyond(d, D_MIN), beyond(drifted, D_MIN)),
        (f"margin, d_min 0, and rank <= {RANK}", RANK, beyond(d, 0) & (p <= RANK), drifted_p <= RANK),
    ]
    fired = rules[-1][2]
    twice = np.append(False, fired[1:] & fired[:-1])  # what opens an alarm
    rules.append(("the same twice in a row", RANK, twice, drifted_p <= RANK))
    return [(name, level, float(now.mean()), float(then.mean())) for name, level, now, then in rules]


def correlated(console: Console, references: int, windows: int, bins: int) -> list[dict[str, object]]:
    """Simulate; print a table, return its figures."""
    counted = simulate(references, windows, bins)
    table = Table(
        title=f"values that depend on the one before, AR(1) with {COEFFICIENT}: {references} references of "
        f"{REFERENCE_ROWS:,} rows, {windows:,} windows of {N} each, {bins} bins: share of windows that fire"
    )
    for name in ("rule", "at most", "worst", "mean", "largest\nby chance", f"shift of\n{_SHIFT:g} sd found", ""):
        table.add_column(name, justify="left" if name in ("rule", "") else "right")
    found = []
    for rule in counted:
        worst, mean, chance = rule.shares.max(), rule.shares.mean(), allowed(rule.level, windows, references)
        verdict = "holds" if worst <= rule.level else "within chance" if worst <= chance else "FAILS"
        figures = (f"{rule.level:g}", f"{worst:.4f}", f"{mean:.4f}", f"{chance:.4f}", f"{rule.found:.2f}")
        table.add_row(rule.name, *figures, verdict)
        found.append({"rule": rule.name, "level": rule.level, "shares": rule.shares.tolist(), "verdict": verdict})
    console.print(table)
    return found
