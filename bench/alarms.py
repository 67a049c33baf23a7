"""False alarms, power and delay of the alarm rules, by simulation with fixed seeds."""

from __future__ import annotations

from time import perf_counter

from bench.adwin import adwin
from bench.beside_adwin import DELTA, beside_adwin
from bench.console import console_for_tables
from bench.correlated import correlated
from bench.false_alarms import false_alarms
from bench.false_rates import false_rates
from bench.machine import describe
from bench.power import power
from bench.seasonal import seasonal

__all__ = ["alarms"]


def alarms(references: int, windows: int, runs: int, values: int, bins: int) -> dict[str, object]:
    """Simulate everything; print tables, return their figures for JSON."""
    adwin(DELTA)  # if river is not there, say so at once
    console = console_for_tables()
    start = perf_counter()
    figures: dict[str, object] = {
        "machine": describe(),
        "independent": false_alarms(console, references, windows, bins),
        "autocorrelated": correlated(console, references, windows, bins),
        "seasonal": seasonal(console, references, windows, bins),
        "power": power(console, runs, bins),
        "beside_adwin": beside_adwin(console, runs),
        "false_rates": false_rates(console, values),
    }
    console.print(f"{(perf_counter() - start) / 60:.1f} minutes")
    return figures | {"seconds": perf_counter() - start}
