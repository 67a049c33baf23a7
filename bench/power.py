"""How often and how soon a drift opens an alarm: windows of 1,000 values, alone and summed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from rich.table import Table
from scipy.stats import laplace, norm

from bench.windows import column, distances, for_json, masses
from udfs.drift.alarm import OPENS_AFTER, Alarm, next_alarm
from udfs.drift.thresholds import ALPHA, D_MIN, verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

    from bench.windows import Cdf, Column

__all__ = ["DRIFTS", "Delays", "opened", "power", "simulate"]

N = 1000
REFERENCE_ROWS = 100_000
HORIZON = 64
"""Windows after the one in which the change falls."""

LEVELS = 6
"""Windows, and sums of 2, 4, ... 32 of them."""

_WIDTH = np.sqrt(1 - 0.9**2)  # of two humps at +-.9, so that the whole has sd 1

DRIFTS: dict[str, Cdf] = {
    "mean + .1 sd": lambda x: norm.cdf(x, loc=0.1),
    "mean + .25 sd": lambda x: norm.cdf(x, loc=0.25),
    "mean + .5 sd": lambda x: norm.cdf(x, loc=0.5),
    "mean + 1 sd": lambda x: norm.cdf(x, loc=1),
    "sd x 1.3": lambda x: norm.cdf(x, scale=1.3),
    "Laplace, same mean and sd": lambda x: laplace.cdf(x, scale=np.sqrt(0.5)),
    "two humps, same mean and sd": lambda x: (norm.cdf(x, -0.9, _WIDTH) + norm.cdf(x, 0.9, _WIDTH)) / 2,
}
"""Distribution functions after the change; before it, a column is standard normal."""

_SEED = 4


@dataclass(frozen=True)
class Delays:
    """For each run, values from the change to the end of the window that opens the alarm; infinite without one."""

    alone: NDArray[np.float64]
    summed: NDArray[np.float64]


def opened(column: Column, counts: NDArray[np.int64], n: int, d_min: float, levels: int) -> list[float]:
    """Return for windows alone, sums of 2, of 4, ...: values until an alarm opens. Counts have shape (windows, bins).

    Sums start at the first window and do not overlap. A sum is several windows already, so a single one opens.
    """
    found = []
    for level in range(levels):
        many = 1 << level
        whole = len(counts) // many
        sums = counts[: whole * many].reshape(whole, many, -1).sum(axis=1)
        alarm = Alarm()
        found.append(np.inf)
        for i, d in enumerate(distances(column.reference, sums, n * many)):
            said = verdict(float(d), n * many, int(column.reference.n), d_min, ALPHA)
            alarm, event = next_alarm(alarm, said, i, OPENS_AFTER if level == 0 else 1)
            if event == "opens":
                found[-1] = float((i + 1) * n * many)
                break
    return found


def simulate(column: Column, cdf: Cdf, d_min: float, runs: int, generator: np.random.Generator) -> Delays:
    """Return delays of many runs; the change comes at any value of any window of the first sum of 32."""
    after = masses(column.reference, cdf)
    whole = 1 << LEVELS - 1
    delays = np.empty((2, runs))
    for run in range(runs):
        change = int(generator.integers(whole * N))
        before = np.clip(change - N * np.arange(whole + HORIZON), 0, N)
        counts = generator.multinomial(before, column.truth) + generator.multinomial(N - before, after)
        ends = opened(column, counts, N, d_min, LEVELS)
        delays[:, run] = ends[0] - change, min(ends) - change
    return Delays(*delays)


def power(console: Console, runs: int, bins: int) -> list[dict[str, object]]:
    """Simulate all drifts; print a table, return its figures. A negative delay is a false alarm before the change."""
    generator = np.random.default_rng(_SEED)
    reference = column(generator, REFERENCE_ROWS, bins)
    table = Table(
        title=f"windows of {N:,} values, margin with alpha {ALPHA}, alarm after {OPENS_AFTER} windows, reference of "
        f"{REFERENCE_ROWS:,} rows, {runs} runs: share found within {HORIZON} windows; values to the alarm: median, p90"
    )
    for name in ("drift", "D", "d_min", "alone: found", "delay", "with sums to 32: found", "delay"):
        table.add_column(name, justify="left" if name == "drift" else "right")
    found: list[dict[str, object]] = []
    cases = [(name, d_min) for name in DRIFTS for d_min in (0.0, D_MIN)]
    for name, d_min in track(cases, "drifts", transient=True):
        delays = simulate(reference, DRIFTS[name], d_min, runs, generator)
        d = float(np.abs(np.cumsum(masses(reference.reference, DRIFTS[name]) - reference.truth)).max())
        figures = [*_shown(delays.alone), *_shown(delays.summed)]
        table.add_row(name, f"{d:.3f}", f"{d_min:g}", *figures)
        lists = {"alone": for_json(delays.alone), "summed": for_json(delays.summed)}
        found.append({"drift": name, "distance": d, "d_min": d_min, **lists})
    console.print(table)
    return found


def _shown(delays: NDArray[np.float64]) -> tuple[str, str]:
    """Return the share that was found, and the median and the ninth decile of the delays of those."""
    seen = delays[np.isfinite(delays) & (delays > 0)]
    if not len(seen):
        return "0", ""
    return f"{len(seen) / len(delays):.2f}", f"{np.median(seen):,.0f}, {np.quantile(seen, 0.9):,.0f}"
