"""False alarms, power and delay of the alarm rules, by simulation with fixed seeds."""

from __future__ import annotations

from time import perf_counter

from bench.console import console_for_tables
from bench.false_alarms import false_alarms
from bench.machine import describe
from bench.memory import memory
from bench.power import power

__all__ = ["alarms"]


def alarms(references: int, windows: int, runs: int, bins: int) -> dict[str, object]:
    """Simulate windows without drift and with it; print tables, return their figures for JSON."""
    console = console_for_tables()
    start = perf_counter()
    figures: dict[str, object] = {
        "machine": describe(),
        "independent": false_alarms(console, references, windows, bins),
        "power": power(console, runs, bins),
        "memory": memory(console, streams=max(1, runs // 20), windows=5000),
    }
    seconds = perf_counter() - start
    console.print(f"{seconds / 60:.1f} minutes")
    return figures | {"seconds": seconds}
