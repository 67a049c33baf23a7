"""A reference of many windows and live windows of another size, judged one after the other as in a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.judged_windows import JudgedWindows
from udfs.distributions.counts import count
from udfs.drift.build_reference import build_profile
from udfs.drift.monitor import LoadedMonitor, Monitor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from udfs.drift.follow_windows import NewResults

__all__ = ["HOUR", "START", "Follower", "follower"]

HOUR = 3600
START = 1_700_006_400  # a multiple of 32 hours
_FIRST = START - 64 * 32 * HOUR


@dataclass
class Follower(JudgedWindows):
    """A monitor of the column `x`."""

    number: int = 0

    def next(self, slices: Mapping[str, NDArray[Any]]) -> NewResults:
        """Judge the next window, of the values of each slice that has rows."""
        start = START + self.number * HOUR
        self.number += 1
        return self.window(start, {(label, 0): count(self.loaded.features, [v]) for label, v in slices.items()})

    def verdict(self, values: NDArray[Any]) -> str:
        """Judge the next window, without slices, and return its verdict."""
        [first, *_] = self.next({"(all)": values}).results
        return first.judgement.verdict


def follower(
    folder: Path, windows: Sequence[NDArray[Any]], slices: Sequence[Sequence[str | None]] | None = None
) -> Follower:
    """Return the follower of a reference of hourly windows, each with its values and, where given, their slices."""
    hours = np.repeat(np.arange(len(windows)), [len(values) for values in windows])
    table: dict[str, Any] = {
        "x": np.concatenate(windows),
        "at": pa.array((_FIRST + hours * HOUR) * 1000, pa.timestamp("ms")),
    }
    if slices is not None:
        table["place"] = [place for places in slices for place in places]
    pq.write_table(pa.table(table), folder / "rows.parquet")
    profile = build_profile(
        "m",
        "1",
        folder / "rows.parquet",
        ["x"],
        slice_column="place" if slices is not None else None,
        time="at",
        window=HOUR,
    )
    monitor = Monitor("m", "1", "", "", ("x",), (0.1,), ("sql/models/m.sql:3",), HOUR, sliced=slices is not None)
    return Follower(LoadedMonitor(monitor, profile))
