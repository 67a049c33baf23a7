"""How soon sums of the latest windows see a drift, beside ADWIN on the same values with the same past."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track
from rich.table import Table

from bench.adwin import adwin, changes
from bench.trailing import LENGTHS, N, distances_of_latest, fires
from bench.windows import counts_of, for_json
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import Histogram, histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from rich.console import Console

    Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

__all__ = ["ALPHAS", "DELTA", "DRIFTS", "PAST", "beside_adwin", "delays"]

DELTA = 1e-5
ALPHAS = (1e-5, 1e-6, 1e-7)
PAST = 1_000_000
"""Values without drift that both know: rows of the reference, and ADWIN's window before the change."""

BINS = 64

DRIFTS: dict[str, Draw] = {
    "mean + .1 sd": lambda g, n: g.normal(0.1, 1, n),
    "mean + .25 sd": lambda g, n: g.normal(0.25, 1, n),
    "mean + .5 sd": lambda g, n: g.normal(0.5, 1, n),
    "mean + 1 sd": lambda g, n: g.normal(1, 1, n),
    "sd x 1.3": lambda g, n: g.normal(0, 1.3, n),
    "Laplace, same mean and sd": lambda g, n: g.laplace(0, np.sqrt(0.5), n),
    "two humps, same mean and sd": lambda g, n: g.choice([-0.9, 0.9], n) + g.normal(0, np.sqrt(1 - 0.9**2), n),
}
"""What comes after the change; before it, a column is standard normal."""

_HORIZON = 12_800  # values after the change
_SEED = 5
_TIMES = 1.3
_SEES = 0.5  # of the runs; where ADWIN finds fewer, there is nothing to compare with


def delays(
    generator: np.random.Generator,
    reference: Histogram,
    warm: Any,  # noqa: ANN401 - river ships no types
    draw: Draw,
) -> list[float]:
    """Return values until ADWIN sees one change, and until sums do for each of ALPHAS; infinite where it is not seen.

    All of it starts as many windows before the change as the longest sum has; alarms before the change do not count.
    """
    before = N * LENGTHS[-1] + int(generator.integers(N))
    values = np.concatenate((generator.normal(size=before), draw(generator, _HORIZON)))
    values = values[: len(values) // N * N]
    detector = deepcopy(warm)
    changes(detector, values[:before])
    found = [float(next(iter(changes(detector, values[before:], most=1)), np.inf))]
    d = distances_of_latest(reference, counts_of(reference, values.reshape(-1, N)))
    ends = N * np.arange(1, d.shape[1] + 1) - before
    for alpha in ALPHAS:
        late = ends[fires(d, int(reference.n), alpha) & (ends > 0)]
        found.append(float(late[0]) if len(late) else np.inf)
    return found


def beside_adwin(console: Console, runs: int) -> list[dict[str, object]]:
    """Simulate all drifts; print a table, return its figures."""
    generator = np.random.default_rng(_SEED)
    past = generator.normal(size=PAST)
    warm = adwin(DELTA)
    changes(warm, past)
    rounded = past.astype(np.float32)
    reference = histogram(choose_bins(lambda: [rounded], BINS), rounded)
    table = Table(
        title=f"sums of the latest 1 to {LENGTHS[-1]} windows of {N}, margin with d_min 0, by alpha, beside "
        f"ADWIN(delta={DELTA}); past of {PAST:,} values, {runs} runs: share found within {_HORIZON:,} values; "
        f"median delay, times ADWIN's"
    )
    heads = [head for alpha in ALPHAS for head in (f"{alpha:g}:\ndelay", "\ntimes")]
    for name in ("\ndrift", "ADWIN:\nfound", "\ndelay", "sums:\nfound", *heads, f"within {_TIMES}\ndown to"):
        table.add_column(name, justify="left" if name == "\ndrift" else "right")
    figures: list[dict[str, object]] = []
    for name, draw in track(DRIFTS.items(), "drifts, beside ADWIN", transient=True):
        found = np.array([delays(generator, reference, warm, draw) for _ in range(runs)]).T
        middle, seen = np.median(found, axis=1), np.isfinite(found).mean(axis=1)
        times = middle / middle[0] if seen[0] > _SEES else np.full(len(middle), np.nan)
        cells = [f"{seen[0]:.2f}", _number(middle[0]), f"{seen[1:].min():.2f}"]
        for delay, ratio in zip(middle[1:], times[1:], strict=True):
            cells += [_number(delay), "" if np.isnan(ratio) else f"{ratio:.2f}"]
        within = [alpha for alpha, ratio in zip(ALPHAS, times[1:], strict=True) if ratio <= _TIMES]
        table.add_row(name, *cells, f"{min(within):g}" if within else "")
        figures.append({"drift": name, "detectors": ["ADWIN", *ALPHAS], "delays": [for_json(row) for row in found]})
    console.print(table)
    return figures


def _number(delay: float) -> str:
    return f"{delay:,.0f}" if np.isfinite(delay) else ""
