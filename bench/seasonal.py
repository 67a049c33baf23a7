"""How often the margin fires where the mean follows the hour: one reference for all hours, or one for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from rich.table import Table
from scipy.stats import norm

from bench.windows import distances, p_values
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import Histogram, histogram
from udfs.drift.thresholds import ALPHA, D_MIN, margin

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

__all__ = ["KEYS", "Keyed", "seasonal", "simulate"]

N = 500
"""Values in an hour, which is a window."""

HOURS = 168
WEEKS = 8
"""Of reference data."""

KEYS = {"all hours": np.zeros(HOURS, int), "hour of day": np.arange(HOURS) % 24, "hour of week": np.arange(HOURS)}
"""Which reference each hour of the week is compared with."""

_MEANS = np.sin(2 * np.pi * np.arange(HOURS) / 24) + np.where(np.arange(HOURS) // 24 >= 5, 0.5, 0.0)  # noqa: PLR2004 - days
_SEED = 3
_LEVEL = 0.05


@dataclass(frozen=True)
class Keyed:
    """For one way to key references and each of many sets of them, the share of windows that fire, by rule."""

    key: str
    textbook: NDArray[np.float64]
    hard: NDArray[np.float64]
    default: NDArray[np.float64]


def simulate(references: int, windows: int, bins: int) -> list[Keyed]:
    """Return shares for each way to key; hours are drawn in whole weeks, so there may be some more than `windows`."""
    generator = np.random.default_rng(_SEED)
    shares = {name: np.empty((3, references)) for name in KEYS}
    for r in track(range(references), "references, seasons", transient=True):
        sample = generator.normal(np.repeat(_MEANS, N)).astype(np.float32)
        plain = _histogram(sample, bins)
        truth = np.diff(norm.cdf(plain.bins.positions - _MEANS[:, None]), prepend=0, append=1)
        seen = generator.multinomial(N * WEEKS, truth)
        counts = generator.multinomial(N, truth, (-(-windows // HOURS), HOURS))
        for name, keys in KEYS.items():
            shares[name][:, r] = _fired(plain, keys, seen, counts)
    return [Keyed(name, *found) for name, found in shares.items()]


def _histogram(sample: NDArray[np.float32], bins: int) -> Histogram:
    return histogram(choose_bins(lambda: [sample], bins), sample)


def _fired(
    plain: Histogram, keys: NDArray[np.int_], seen: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the shares that fire of counts of shape (weeks, hours, bins): by p-value, d_min 0 and the default."""
    keyed = {
        int(key): Histogram(plain.bins, seen[keys == key].sum(axis=0), 0, plain.least, plain.most)
        for key in np.unique(keys)
    }
    fired = np.empty((3, HOURS))
    for hour, key in enumerate(keys):
        reference = keyed[int(key)]
        d = distances(reference, counts[:, hour], N)
        fired[0, hour] = np.mean(p_values(d, N) < _LEVEL)
        fired[1:, hour] = [np.mean(d > margin(N, int(reference.n), d_min, ALPHA)) for d_min in (0.0, D_MIN)]
    share: NDArray[np.float64] = fired.mean(axis=1)
    return share


def seasonal(console: Console, references: int, windows: int, bins: int) -> list[dict[str, object]]:
    """Simulate; print a table, return its figures."""
    table = Table(
        title=f"mean by hour of day and weekend: {references} references of {WEEKS} weeks, {windows:,} windows of an "
        f"hour, {N} values each, {bins} bins: share of windows that fire, worst reference"
    )
    rules = "textbook: p < .05", f"margin, d_min 0, alpha {ALPHA}", f"margin, d_min {D_MIN}, alpha {ALPHA}"
    for name in ("reference", *rules, ""):
        table.add_column(name, justify="left" if name in ("reference", "") else "right")
    found = []
    for keyed in simulate(references, windows, bins):
        holds = max(keyed.hard.max(), keyed.default.max()) <= ALPHA
        worst = [float(shares.max()) for shares in (keyed.textbook, keyed.hard, keyed.default)]
        table.add_row(keyed.key, *(f"{share:.4f}" for share in worst), "margin holds" if holds else "FAILS")
        found.append({"reference": keyed.key, "worst": dict(zip(rules, worst, strict=True)), "holds": bool(holds)})
    console.print(table)
    return found
