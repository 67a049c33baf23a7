"""A heat map of drift: a row for each feature, the worst above, a column for each window, warm beyond the margin."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from rich.text import Text

from pyflink_jobs.drift.records import Drift, utc
from pyflink_jobs.drift.results import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pyflink_jobs.drift.results import Results

__all__ = ["HeatMap", "Row", "draw", "heat_map", "legend", "room", "worst"]

_LEVELS = (0.5, 1.0, 1.5, 2.0, 3.0)  # margins away; from 1.0 on it is beyond
_SHADES = " -░▒▓█"
_COLOURS = ("#1d2738", "#33486b", "#8f2a6b", "#dd513a", "#fca50a", "#fcf3a1")  # each lighter than the last
_NOTHING, _MARK = "·", "●"
_WIDEST = 3  # characters of a cell
_LONGEST = 28  # characters of a feature's name
_GAP = "  "
_NOTES = "largest  margin"


@dataclass(frozen=True)
class Row:
    """A feature: the worst slice of each window (None: the window has no such record), and its largest distance."""

    feature: str
    cells: tuple[Drift | None, ...]

    @property
    def largest(self) -> Drift | None:
        """The cell with the largest distance."""
        known = [cell for cell in self.cells if cell and cell.d_lo is not None]
        return max(known, key=lambda cell: cell.d_lo or 0.0, default=None)

    @property
    def drifted(self) -> int:
        """The number of windows in which it drifted."""
        return sum(cell is not None and cell.verdict == "drift" for cell in self.cells)

    @property
    def badness(self) -> tuple[float, ...]:
        """The order of rows: margins beyond the margin in all windows, drifted windows, the largest distance."""
        strengths = [cell.strength or 0.0 for cell in self.cells if cell]
        return sum(max(s - 1, 0.0) for s in strengths), self.drifted, max(strengths, default=0.0)


@dataclass(frozen=True)
class HeatMap:
    """The rows, the worst first; which slices and windows they show; sums that have one of these windows in them."""

    rows: tuple[Row, ...]
    slices: tuple[str, ...]
    windows: tuple[datetime, ...]
    sums: int
    drifted_sums: tuple[Drift, ...]


def heat_map(results: Results, last: int | None = None, label: str | None = None) -> HeatMap:
    """Return the last windows' heat map: of one slice, or of the worst slice for each feature and window.

    Raises KafkaError for an unknown slice.
    """
    if label is not None and label not in results.slices:
        raise unknown("slice", label, results.slices)
    windows = results.windows[-last:] if last else results.windows
    labels = results.slices if label is None else [label]
    rows = []
    for feature in results.features:
        found = ([results.singles.get((start, feature, label)) for label in labels] for start in windows)
        rows.append(Row(feature, tuple(worst(d for d in there if d) for there in found)))
    rows.sort(key=lambda row: row.badness, reverse=True)
    sums = [s for s in results.sums if s.window_end > windows[0] and s.slice in labels]
    drifted = sorted((s for s in sums if s.verdict == "drift"), key=lambda s: (s.window_start, s.window_end, s.slice))
    return HeatMap(tuple(rows), tuple(labels), tuple(windows), len(sums), tuple(drifted))


def worst(drifts: Iterable[Drift]) -> Drift | None:
    """Return a record that drifted rather than one that did not; of several, the one most margins away."""
    return max(drifts, key=lambda d: (d.verdict == "drift", -1.0 if d.strength is None else d.strength), default=None)


def room(picture: HeatMap, width: int) -> int:
    """Return the number of characters for the windows in a line of `width`; at least one."""
    names = max(len(_short(row.feature)) for row in picture.rows)
    notes = max(len(text) for text in (_NOTES, *map(_note, picture.rows)))
    return max(width - names - notes - 2 * len(_GAP), 1)


def draw(picture: HeatMap, width: int, *, colour: bool) -> list[Text]:
    """Return the lines of a heat map, no wider than `width` if it has `room` for the windows."""
    names = max(len(_short(row.feature)) for row in picture.rows)
    cell = min(max(room(picture, width) // len(picture.windows), 1), _WIDEST)
    lines = [Text(" " * names + _GAP + _axis(picture.windows, cell) + _GAP + _NOTES, "dim")]
    for row in picture.rows:
        line = Text.assemble((f"{_short(row.feature):<{names}}{_GAP}", "bold" if row.drifted else ""))
        for drift in row.cells:
            line.append_text(_cell(drift, cell, colour=colour))
        lines.append(line.append(_GAP + _note(row), "" if row.drifted else "dim"))
    return lines


def legend(*, colour: bool) -> Text:
    """Return the legend line."""
    text = Text("margins away  ")
    words = ("0", *(f"{level:g}" for level in _LEVELS))
    for index, word in enumerate(words):
        text.append(f"{word} ", "dim")
        text.append(*(("  ", f"on {_COLOURS[index]}") if colour else (_SHADES[index] * 2, None)))
        text.append(" ")
    text.append(f"   {_MARK} ", "bold")
    text.append(f"drift   {_NOTHING} too few values, or no reference")
    return text


def _cell(drift: Drift | None, width: int, *, colour: bool) -> Text:
    if drift is None or drift.strength is None:
        return Text((_NOTHING if drift else "").center(width), "dim")
    level = bisect_right(_LEVELS, drift.strength)
    mark = _MARK if drift.verdict == "drift" else ""
    if not colour:
        # In a cell of one character the mark replaces the shade.
        return Text(mark.rjust(width, _SHADES[level]))
    ink = "black" if level > 2 else "white"  # noqa: PLR2004 - the lighter half
    return Text(mark.center(width), f"bold {ink} on {_COLOURS[level]}")


def _note(row: Row) -> str:
    """Return the largest distance, beside its margin, and where and when it was."""
    drift = row.largest
    if drift is None or drift.d_lo is None:
        return ""
    if drift.margin is None:
        return f"{drift.d_lo:.2f}        {drift.slice} {utc(drift.window_start)}"
    sign = ">" if drift.d_lo > drift.margin else "<"
    return f"{drift.d_lo:.2f} {sign} {drift.margin:.2f}  {drift.slice} {utc(drift.window_start)}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _axis(windows: Sequence[datetime], cell: int) -> str:
    """Return dates above their columns, as many as fit; weekly if windows are days."""
    days = all(len(utc(start)) == len("2013-07-04") for start in windows)
    labels = [f"{start:%m-%d}" if days else f"{start:%m-%d %H:%M}" for start in windows]
    step = ceil((len(labels[0]) + 1) / cell)
    if days and len(windows) > step:
        step = ceil(step / 7) * 7
    line = ""
    for index in range(0, len(windows), step):
        if index * cell + len(labels[index]) <= len(windows) * cell or not index:
            line += " " * (index * cell - len(line)) + labels[index]
    return line.ljust(len(windows) * cell)
