"""The comparison as a table: what the job and the model server use, beside the job that has its model in itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bench.medians import cells, median_of_known
from bench.remote.contestants import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.peers.one_run import Figures

__all__ = ["remote_table", "row"]

_COLUMNS = {
    "seconds": ("seconds", "{:.1f}"),
    "steady": ("steady/s", "{:,.0f}"),
    "rate_ratio": ("of embedded", "{:.2f}"),
    "cpu_us": ("job µs", "{:.1f}"),
    "server_us": ("server µs", "{:.1f}"),
    "both_us": ("both µs", "{:.1f}"),
    "cpu_ratio": ("of embedded", "{:.2f}"),
    "broker_us": ("broker µs", "{:.1f}"),
    "steal": ("steal s", "{:.1f}"),
}


def row(runs: Sequence[Mapping[str, Figures]], name: str) -> dict[str, float | None]:
    """Return a contestant's medians over the rounds; a ratio is taken within its round. None: not to be told."""
    mine = [run[name] for run in runs]
    pairs = [(run[name], run[EMBEDDED]) for run in runs if EMBEDDED in run]
    plain = ("seconds", "steady", "cpu_us", "server_us", "broker_us", "steal")
    values = {column: [getattr(figures, column) for figures in mine] for column in plain}
    values["both_us"] = [_both(figures) for figures in mine]
    values["rate_ratio"] = [own.steady / embedded.steady for own, embedded in pairs]
    values["cpu_ratio"] = [_both(own) / _both(embedded) for own, embedded in pairs]
    return {column: median_of_known(values[column]) for column in _COLUMNS}


def _both(figures: Figures) -> float:
    """Return the CPU microseconds per record of the job and of the server that it asks."""
    return figures.cpu_us + figures.server_us


def remote_table(runs: Sequence[Mapping[str, Figures]], records: Mapping[str, int], title: str) -> Table:
    """Return a table of these rounds' medians; `records` says how many each contestant scored."""
    table = Table(title=title, caption="µs: CPU microseconds per record")
    table.add_column("model", no_wrap=True)
    for heading in ("records", *(heading for heading, _ in _COLUMNS.values())):
        table.add_column(heading, justify="right")
    for name in runs[0]:
        table.add_row(name, f"{records[name]:,}", *cells(row(runs, name), _COLUMNS))
    return table
