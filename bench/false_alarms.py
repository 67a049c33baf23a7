"""How often rules fire without drift: many windows of independent values, for each of many fixed references."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from rich.table import Table
from scipy.stats import false_discovery_control, norm

from bench.windows import column, distances, masses, p_values
from udfs.drift.thresholds import ALPHA, D_MIN, margin

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from rich.console import Console

    from bench.windows import Column

__all__ = ["FEATURES", "Rule", "Shares", "false_alarms", "rules", "simulate"]

FEATURES = 20
N = 1000
REFERENCE_ROWS = 10_000

_SEED = 1
_LEVEL = 0.05  # of the textbook's rule, and of q-values
_FOUND = 0.5  # a rule must find a large shift at least this often
_SHIFTED = 200  # windows


@dataclass(frozen=True)
class Rule:
    """A rule and its guarantee: how often it fires without drift, in one feature, and in any feature.

    `fires` takes distances of shape (windows, features) and gives booleans of that shape.
    """

    name: str
    level: float | None
    family: float
    fires: Callable[[NDArray[np.float64]], NDArray[np.bool_]]


@dataclass(frozen=True)
class Shares:
    """Shares of windows: without drift, one for each reference (and feature); with a shift of one sd, a single one."""

    feature: NDArray[np.float64]
    family: NDArray[np.float64]
    found: float

    def holds(self, rule: Rule) -> bool:
        """Return whether the rule keeps its guarantee for every reference, and finds the shift."""
        feature_holds = rule.level is None or bool(self.feature.max() <= rule.level)
        return feature_holds and bool(self.family.max() <= rule.family) and self.found >= _FOUND


def rules(n: int, n_reference: int) -> list[Rule]:
    """Return the project's rules, and some that must fail."""

    def beyond(d_min: float, alpha: float) -> Rule:
        threshold = margin(n, n_reference, d_min, alpha)
        return Rule(f"margin, d_min {d_min:g}, alpha {alpha:g}", alpha, FEATURES * alpha, lambda d: d > threshold)

    def q(d: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(false_discovery_control(p_values(d, n), axis=1) <= _LEVEL)

    error = sqrt(log(2 / ALPHA) / (2 * n_reference))  # the reference's own, see `margin`
    return [
        beyond(0.0, 0.01),
        beyond(0.0, ALPHA),
        beyond(D_MIN, ALPHA),
        Rule("q <= .05", None, _LEVEL, q),
        Rule("q <= .05, less reference's error", None, _LEVEL, lambda d: q(np.maximum(d - error, 0))),
        Rule("textbook: p < .05", _LEVEL, _LEVEL, lambda d: p_values(d, n) < _LEVEL),
        Rule("always", ALPHA, FEATURES * ALPHA, lambda d: np.ones(d.shape, bool)),
        Rule("never", ALPHA, FEATURES * ALPHA, lambda d: np.zeros(d.shape, bool)),
    ]


def simulate(tested: list[Rule], sizes: tuple[int, int], n: int, n_reference: int, bins: int) -> list[Shares]:
    """Return each rule's shares, for `sizes`: how many references, and windows for each of them."""
    generator = np.random.default_rng(_SEED)
    references, windows = sizes
    feature = np.empty((len(tested), references, FEATURES))
    family = np.empty((len(tested), references))
    found = np.empty((len(tested), references))
    for r in track(range(references), "references", transient=True):
        columns = [column(generator, n_reference, bins) for _ in range(FEATURES)]
        same = np.stack([_draw(generator, c, c.truth, n, windows) for c in columns], axis=1)
        moved = [masses(c.reference, lambda x: norm.cdf(x - 1)) for c in columns]
        pairs = zip(columns, moved, strict=True)
        shifted = np.stack([_draw(generator, c, mass, n, _SHIFTED // references + 1) for c, mass in pairs], axis=1)
        for i, rule in enumerate(tested):
            fired = rule.fires(same)
            feature[i, r], family[i, r] = fired.mean(axis=0), fired.any(axis=1).mean()
            found[i, r] = rule.fires(shifted).mean()
    return [Shares(feature[i], family[i], float(found[i].mean())) for i in range(len(tested))]


def _draw(
    generator: np.random.Generator, column: Column, mass: NDArray[np.float64], n: int, windows: int
) -> NDArray[np.float64]:
    return distances(column.reference, generator.multinomial(n, mass, windows), n)


def false_alarms(console: Console, references: int, windows: int, bins: int) -> list[dict[str, object]]:
    """Simulate all rules; print a table, return its figures."""
    tested = rules(N, REFERENCE_ROWS)
    shares = simulate(tested, (references, windows), N, REFERENCE_ROWS, bins)
    title = f"{references} references of {REFERENCE_ROWS:,} rows, {windows:,} windows of {N:,} each, {bins} bins"
    table = Table(title=f"{title}, {FEATURES} features without drift: share of windows that fire")
    heads = (
        "a feature:\nat most",
        "\nworst",
        f"any of {FEATURES}:\nat most",
        "\nworst",
        "\nmean",
        "shift of\n1 sd found",
    )
    for name in ("\nrule", *heads, ""):
        table.add_column(name, justify="left" if name in ("\nrule", "") else "right")
    for rule, share in zip(tested, shares, strict=True):
        level = "" if rule.level is None else f"{rule.level:g}"
        worst, family = f"{share.feature.max():.4f}", f"{share.family.max():.4f}"
        verdict = "holds" if share.holds(rule) else "FAILS"
        mean, found = f"{share.family.mean():.4f}", f"{share.found:.2f}"
        table.add_row(rule.name, level, worst, f"{rule.family:g}", family, mean, found, verdict)
    console.print(table)
    return [
        {
            "rule": rule.name,
            "level": rule.level,
            "worst_feature": float(share.feature.max()),
            "family_level": rule.family,
            "family_of_each_reference": share.family.tolist(),
            "shift_found": share.found,
            "holds": share.holds(rule),
        }
        for rule, share in zip(tested, shares, strict=True)
    ]
