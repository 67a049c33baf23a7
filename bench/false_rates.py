"""False alarms a value, of sums of the latest windows and of ADWIN, on columns without drift."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from rich.table import Table
from scipy.stats import chi2

from bench.adwin import adwin, changes
from bench.beside_adwin import ALPHAS, BINS, DELTA, PAST
from bench.trailing import N, distances_of_latest, fires
from bench.windows import column

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from rich.console import Console

__all__ = ["false_rates", "of_sums"]

COLUMNS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda g, n: g.normal(size=n),
    "lognormal": lambda g, n: g.lognormal(size=n),
}
DELTAS = (1e-1, 1e-2, DELTA)
"""The larger ones because the small one's alarms are too rare to count on normal values."""

_CHUNK = 50_000  # windows
_SEED = 6


def of_sums(generator: np.random.Generator, values: int) -> list[int]:
    """Return how many alarms opened for each of ALPHAS, in so many values; each chunk has a reference of its own."""
    opened = np.zeros(len(ALPHAS), int)
    for _ in track(range(ceil(values / (N * _CHUNK))), "values without drift", transient=True):
        drawn = column(generator, PAST, BINS)
        d = distances_of_latest(drawn.reference, generator.multinomial(N, drawn.truth, _CHUNK))
        for i, alpha in enumerate(ALPHAS):
            fired = fires(d, PAST, alpha)
            opened[i] += np.count_nonzero(fired[1:] & ~fired[:-1])
    return [int(n) for n in opened]


def false_rates(console: Console, values: int) -> list[dict[str, object]]:
    """Count; print a table, return its figures. ADWIN is a hundred times slower, so it gets a hundredth of the values.

    The upper bound is that of a Poisson count, one-sided, 95 %.
    """
    generator = np.random.default_rng(_SEED)
    total = ceil(values / (N * _CHUNK)) * N * _CHUNK
    counted = [
        ("sums of the latest windows", f"alpha {alpha:g}", "any", n, total)
        for alpha, n in zip(ALPHAS, of_sums(generator, values), strict=True)
    ]
    for name, draw in COLUMNS.items():
        drawn = draw(generator, max(1, values // 100))
        counted += [("ADWIN", f"delta {x:g}", name, len(changes(adwin(x), drawn)), len(drawn)) for x in DELTAS]
    table = Table(title="false alarms a value, without drift")
    for head in ("rule", "level", "column", "alarms", "values", "a value", "at most"):
        table.add_column(head, justify="left" if head in ("rule", "level", "column") else "right")
    for rule, level, name, n, size in counted:
        most = chi2.ppf(0.95, 2 * (n + 1)) / 2 / size
        table.add_row(rule, level, name, str(n), f"{size:,}", f"{n / size:.1e}", f"{most:.1e}")
    console.print(table)
    return [dict(zip(("rule", "level", "column", "alarms", "values"), row, strict=True)) for row in counted]
