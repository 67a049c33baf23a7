"""A reference of many windows and live windows of another size, judged one after the other as in a job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from udfs.distributions.counts import count
from udfs.distributions.partial import to_bytes
from udfs.drift import state as drift_state
from udfs.drift.build_reference import build_profile
from udfs.drift.follow_windows import NewResults, WindowCounts, add_window
from udfs.drift.monitor import LoadedMonitor, Monitor
from udfs.drift.state import DriftState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["HOUR", "START", "Follower", "follower"]

HOUR = 3600
START = 1_700_006_400  # a multiple of 32 hours
_FIRST = START - 64 * 32 * HOUR


@dataclass
class Follower:
    """A monitor of the column `x`, and its state, which goes through bytes with each window, as in Flink."""

    loaded: LoadedMonitor
    state: DriftState = field(default_factory=DriftState)
    number: int = 0

    def window(self, slices: Mapping[str, NDArray[Any]]) -> NewResults:
        """Judge the next window, of the values of each slice that has rows."""
        start = START + self.number * HOUR
        self.number += 1
        counts = {label: count(self.loaded.features, [values]) for label, values in slices.items()}
        judged = {
            (label, 0): WindowCounts(to_bytes(c), self.loaded.compare_window(0, label, start, c))
            for label, c in counts.items()
        }
        self.state = drift_state.from_bytes(drift_state.to_bytes(self.state))
        return add_window(self.loaded, self.state, start, judged)

    def verdict(self, values: NDArray[Any]) -> str:
        """Judge the next window, without slices, and return its verdict."""
        [first, *_] = self.window({"(all)": values}).results
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
