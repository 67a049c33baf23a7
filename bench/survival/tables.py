"""The tables of faults and of the soak."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

if TYPE_CHECKING:
    from bench.survival.fault_round import Round
    from bench.survival.soak import Soak

__all__ = ["faults_table", "soak_table"]


def faults_table(made: Round) -> Group:
    """Return a row for each fault, and one for each sink."""
    faults = Table(title="while flights flow; seconds until flights are scored again")
    titles = ("fault", "tries", "records in", "scored", "quarantined", "lost", "duplicated", "median", "worst")
    for title in titles:
        faults.add_column(title, justify="left" if title == "fault" else "right")
    for row in made.rows:
        counts = (row.tries, row.records, row.scored, row.quarantined, row.lost, row.duplicated)
        times = (median(row.recovery), max(row.recovery))
        faults.add_row(row.fault, *(f"{count:,}" for count in counts), *(f"{time:.1f}" for time in times))
    sinks = Table(title="compared with the undisturbed run, byte by byte")
    for title in ("topic", "rows", "missing", "too many"):
        sinks.add_column(title, justify="left" if title == "topic" else "right")
    for name, one in made.differences.items():
        sinks.add_row(name, f"{one.rows:,}", f"{one.missing:,}", f"{one.extra:,}")
    ended = Counter(made.gave_up)
    words = [f"ended by itself, and was restarted: {what}, {times} times" for what, times in ended.items()]
    return Group(faults, sinks, *words)


def soak_table(made: Soak) -> Group:
    """Return the counts, and a row for each process."""
    counts = Table(title=f"{made.minutes:g} minutes at {made.rate:,.0f} records/s, 80 % of {made.capacity:,.0f}")
    for title in ("records in", "scored", "quarantined", "lost", "duplicated", "restarts", "lag: median", "worst"):
        counts.add_column(title, justify="right")
    numbers = (made.records, made.scored, made.quarantined, made.lost, made.duplicated, made.restarts)
    counts.add_row(*(f"{number:,}" for number in numbers), f"{made.lag_median:,.0f}", f"{made.lag_worst:,}")
    memory = Table(title=f"memory; the lag grows by {made.lag_slope:,.0f} +- {made.lag_error:,.0f} records an hour")
    for title in ("process", "MiB", "MiB an hour", "+-"):
        memory.add_column(title, justify="left" if title == "process" else "right")
    for one in made.growth:
        memory.add_row(one.process, f"{one.mean:,.0f}", f"{one.slope:+,.1f}", f"{one.error:,.1f}")
    return Group(counts, memory)
