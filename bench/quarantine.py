"""Records per second of a job that scores, by what quarantine keeps, without bad records and with some."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from bench.medians import add_columns, cells, median_of_known
from bench.one_job import Figures, measure
from bench.records import delete_topic, fill

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["quarantine"]

_JOB = "mlp_blackhole"
_MODES = ("off", "pointer", "full")
_SHARES = (0, 100)  # one record of so many is bad; 0 for none
_QUARANTINE = "quarantine"


def quarantine(root: Path, bootstrap: str, records: int, rounds: int) -> dict[str, object]:
    """Run the job in each mode in turn, `rounds` times; print a table, return its figures for JSON.

    Half of the bad records are cut off, half break a rule. "off" drops the first kind and scores the second.
    """
    console = console_for_tables()
    found: dict[tuple[int, str], list[Figures]] = {}
    for every in _SHARES:
        topic = fill(bootstrap, records, every)
        with console.status("") as status:
            for number in range(1, rounds + 1):
                for mode in _MODES:
                    status.update(f"round {number} of {rounds}: {mode}")
                    figures = _run(root, bootstrap, topic, mode, records, every)
                    found.setdefault((every, mode), []).append(figures)
                    console.print(f"{_bad(every):10} {mode:8} {figures.seconds:6.1f} s  {figures.steady:9,.0f}/s")
    rows = {(_bad(every), mode): _row(found, every, mode) for every in _SHARES for mode in _MODES}
    console.print(_table(rows, records, rounds))
    runs = [asdict(figures) for several in found.values() for figures in several]
    medians = [{"bad": bad, "mode": mode, **row} for (bad, mode), row in rows.items()]
    return {"machine": describe(), "records": records, "rows": medians, "runs": runs}


def _run(root: Path, bootstrap: str, topic: str, mode: str, records: int, every: int) -> Figures:
    delete_topic(bootstrap, _QUARANTINE)
    variables = {
        "BENCH_RECORDS": topic,
        "BENCH_QUARANTINE": mode,
        # Without quarantine, a record that cannot be decoded ends the job or is dropped.
        "BENCH_IGNORE_PARSE_ERRORS": str(mode == "off" and every > 0).lower(),
    }
    return measure(root, _JOB, records, variables)


def _bad(every: int) -> str:
    return f"{1 / every:.0%} bad" if every else "none bad"


def _row(found: dict[tuple[int, str], list[Figures]], every: int, mode: str) -> dict[str, float | None]:
    """Return medians over the rounds; a ratio is taken within its round."""
    mine, base = found[every, mode], found[every, "off"]
    return {
        "seconds": median_of_known(f.seconds for f in mine),
        "steady": median_of_known(f.steady for f in mine),
        "ratio": median_of_known(f.rate / b.rate for f, b in zip(mine, base, strict=True)),
        "steady_ratio": median_of_known(f.steady / b.steady for f, b in zip(mine, base, strict=True)),
        "steal": median_of_known(f.steal for f in mine),
    }


def _table(rows: dict[tuple[str, str], dict[str, float | None]], records: int, rounds: int) -> Table:
    table = Table(title=f"{records:,} JSON records x 16 floats, a small network, eight rules; median of {rounds}")
    columns = {
        "seconds": ("seconds", "{:.1f}"),
        "ratio": ("of off", "{:.2f}"),
        "steady": ("steady/s", "{:,.0f}"),
        "steady_ratio": ("of off", "{:.2f}"),
        "steal": ("steal s", "{:.1f}"),
    }
    for title in ("records", "quarantine"):
        table.add_column(title)
    add_columns(table, columns)
    for (bad, mode), row in rows.items():
        table.add_row(bad, mode, *cells(row, columns))
    return table
