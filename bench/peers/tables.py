"""The comparison as a table: each contestant, and its ratios to Flink SQL without a model, loop and Java job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bench.medians import add_columns, cells, median_of_known
from bench.peers.contestants import CONTESTANTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.peers.one_run import Figures

__all__ = ["peers_table", "row"]

_COLUMNS = {
    "seconds": ("seconds", "{:.1f}"),
    "steady": ("rate/s", "{:,.0f}"),
    "cpu_us": ("CPU µs", "{:.1f}"),
    "sql_rate": ("of SQL", "{:.2f}"),
    "sql_cpu": ("CPU", "{:.2f}"),
    "loop_rate": ("of loop", "{:.2f}"),
    "loop_cpu": ("CPU", "{:.2f}"),
    "java_rate": ("of Java", "{:.2f}"),
    "java_cpu": ("CPU", "{:.2f}"),
    "broker_us": ("broker µs", "{:.1f}"),
    "steal": ("steal s", "{:.1f}"),
}


def row(runs: Sequence[Mapping[str, Figures]], name: str) -> dict[str, float | None]:
    """Return a contestant's medians over the rounds; a ratio is taken within its round. None: unknown."""
    mine = [run[name] for run in runs]
    values = {
        column: [getattr(figures, column) for figures in mine]
        for column in ("seconds", "steady", "cpu_us", "broker_us", "steal")
    }
    for kind, yardstick in CONTESTANTS[name].yardsticks.items():
        pairs = [(run[name], run[yardstick]) for run in runs if yardstick in run]
        values[f"{kind}_rate"] = [own.steady / other.steady for own, other in pairs]
        values[f"{kind}_cpu"] = [own.cpu_us / other.cpu_us for own, other in pairs]
    return {column: median_of_known(numbers) for column, numbers in values.items()}


def peers_table(runs: Sequence[Mapping[str, Figures]], skipped: Mapping[str, str], title: str) -> Table:
    """Return a table of these rounds' medians; skipped contestants are below it with the reason."""
    caption = "\n".join(f"not run: {name}: {reason}" for name, reason in skipped.items())
    table = Table(title=title, caption=caption or None)
    table.add_column("contestant", no_wrap=True, min_width=max(map(len, CONTESTANTS)))
    add_columns(table, _COLUMNS)
    for name in runs[0]:
        table.add_row(name, *cells(row(runs, name), _COLUMNS))
    return table
