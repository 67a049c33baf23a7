"""Charts of drift: each feature's D from day to day, alarms, and distributions now and in the reference."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING, Any

from pyflink_jobs.demo.pictures import ACCENT, FAINT, HEAT, INK, SECOND, WIDTH, drawing
from udfs.distributions.quantiles import SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pyflink_jobs.demo.drift_results import Alarm, Drift, Gap

__all__ = ["draw_alarms", "draw_gaps", "draw_heat", "level", "span"]

LEFT, RIGHT = 0.235, 0.9  # of the charts with time on their x axis, so that these align
ROW = 0.22  # inches
CELL, MARK = (-0.36, 0.2), (0.24, 0.42)  # from top to bottom of a row's unit: the colour, and the line below it


def level(d: float) -> int:
    """Return the number of the colour of a D; each has a fifth of the range 0 to 1."""
    return min(max(int(d * len(HEAT)), 0), len(HEAT) - 1)


def span(start: datetime, end: datetime) -> str:
    """Return a window's start and end as text, in UTC; the end is exclusive."""
    if (start.hour, start.minute, end.hour, end.minute) != (0, 0, 0, 0):
        until = f"{end:%H:%M}" if start.date() == end.date() else f"{end.day} {end:%B %H:%M}"
        return f"{start.day} {start:%B %H:%M} to {until}"
    last = end - timedelta(days=1)
    if last == start:
        return f"{start.day} {start:%B}"
    first = f"{start.day}" if last.month == start.month else f"{start.day} {start:%B}"
    return f"{first} to {last.day} {last:%B}"


def draw_heat(drift: Drift) -> str:
    """Draw D over time, features from the worst down; a line below marks windows with drift."""
    tall = ROW * len(drift.rows)
    with drawing("heat", WIDTH, tall + 0.75) as (figure, svg):
        axes = figure.subplots()
        width = drift.length.total_seconds() / 86_400
        boxes: dict[str, list[tuple[float, float, float, float]]] = {colour: [] for colour in (*HEAT, SECOND)}
        starts = _days(drift.starts)
        for y, row in enumerate(drift.rows):
            for first, last, d in _runs(starts, [None if d is None else level(d) for d in row.d], width):
                boxes[HEAT[d]].append((first, last, y + CELL[0], y + CELL[1]))
            for first, last, _ in _runs(starts, [0 if drifted else None for drifted in row.drifted], width):
                boxes[SECOND].append((first, last, y + MARK[0], y + MARK[1]))
            axes.text(
                1.03, y, f"{100 * row.beyond / row.windows:.0f} %", va="center", transform=axes.get_yaxis_transform()
            )
        for colour, listed in boxes.items():
            _fill(axes, listed, colour)
        _margin_text(axes, -0.85, "beyond\nmargin", va="bottom", alpha=0.7)
        _time_axis(axes, drift)
        axes.set_yticks(range(len(drift.rows)), [row.feature for row in drift.rows])
        axes.set_ylim(len(drift.rows) - 0.5, -0.5)
        figure.subplots_adjust(left=LEFT, right=RIGHT, top=1 - 0.42 / (tall + 0.75), bottom=0.33 / (tall + 0.75))
        _legend(figure, 1 - 0.22 / (tall + 0.75), 0.13 / (tall + 0.75))
    return svg.getvalue()


def draw_alarms(drift: Drift) -> str:
    """Draw a bar for each alarm, from the start of the drift to its end; one that is still open ends in an arrow."""
    place = {row.feature: number for number, row in enumerate(drift.rows)}
    pairs = sorted({(a.feature, a.slice) for a in drift.alarms}, key=lambda pair: (place.get(pair[0], 0), pair))
    tall = ROW * len(pairs)
    with drawing("alarms", WIDTH, tall + 0.72) as (figure, svg):
        axes = figure.subplots()
        _time_axis(axes, drift)
        for y, (feature, label) in enumerate(pairs):
            own = [alarm for alarm in drift.alarms if (alarm.feature, alarm.slice) == (feature, label)]
            axes.axhline(y, color=FAINT, linewidth=0.6, zorder=0)
            for alarm in own:
                _bar(axes, y, alarm, drift.end)
            _margin_text(axes, y, f"{drift.windows_open(own):,}")
        _margin_text(axes, -0.85, f"{drift.unit}\nopen", va="bottom", alpha=0.7)
        axes.set_yticks(range(len(pairs)), [f"{feature}, {label}" for feature, label in pairs])
        axes.set_ylim(len(pairs) - 0.5, -0.5)
        figure.subplots_adjust(left=LEFT, right=RIGHT, top=1 - 0.42 / (tall + 0.72), bottom=0.3 / (tall + 0.72))
    return svg.getvalue()


def draw_gaps(gaps: list[Gap]) -> str:
    """Draw both distribution functions of each window through their quantiles, side by side."""
    with drawing("gaps", WIDTH, 2.9) as (figure, svg):
        for axes, gap in zip(figure.subplots(1, len(gaps), sharey=True, squeeze=False)[0], gaps, strict=True):
            for quantiles, colour in ((gap.then, ACCENT), (gap.now, SECOND)):
                points = [(x, y) for x, y in zip(quantiles, SHOWN, strict=False) if isfinite(x)]
                axes.plot(*zip(*points, strict=True), ".-", color=colour, markersize=4, clip_on=False)
            axes.set_title(f"{gap.feature}, {gap.slice}\n{span(gap.start, gap.end)}: D = {min(gap.d, 1):.2f}")
            axes.set_ylim(0, 1)
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
            axes.grid(axis="y")
            axes.locator_params(axis="x", nbins=4)
            axes.set_xlabel("value")
            if axes.get_subplotspec().is_first_col():
                axes.set_ylabel("share of values up to here")
        figure.text(0.08, 0.02, "● reference", color=ACCENT)
        figure.text(0.2, 0.02, "● window", color=SECOND)
        figure.subplots_adjust(left=0.08, right=0.98, top=0.85, bottom=0.25, wspace=0.12)
    return svg.getvalue()


def _margin_text(axes: Any, y: float, text: str, va: str = "center", alpha: float = 1) -> None:  # noqa: ANN401 - matplotlib is untyped
    axes.text(1.03, y, text, va=va, alpha=alpha, transform=axes.get_yaxis_transform())


def _bar(axes: Any, y: int, alarm: Alarm, end: datetime) -> None:  # noqa: ANN401 - matplotlib is untyped
    first, last = _days([alarm.since, alarm.until or end])
    left, right = axes.get_xlim()
    gap = (right - left) / 400 if alarm.until else 0  # so that an alarm that follows at once is a bar of its own
    _fill(axes, [(first, last - gap, y - 0.3, y + 0.3)], ACCENT if alarm.until else SECOND)
    if alarm.until is None:
        axes.plot([last], [y], ">", color=SECOND, markersize=8, clip_on=False)


def _runs(starts: list[float], values: Sequence[int | None], width: float) -> list[tuple[float, float, int]]:
    """Join neighbours of the same value, as (from, to, value): fewer shapes, and no seams between them."""
    found = []
    cells = [(start, value) for start, value in zip(starts, values, strict=True) if value is not None]
    # Of neighbours, start minus number of windows is the same.
    for (_, value), run in groupby(
        enumerate(cells), key=lambda cell: (round(cell[1][0] / width) - cell[0], cell[1][1])
    ):
        own = [start for _, (start, _) in run]
        found.append((own[0], own[-1] + width, value))
    return found


def _fill(axes: Any, boxes: list[tuple[float, float, float, float]], colour: str) -> None:  # noqa: ANN401 - matplotlib is untyped
    """Draw boxes (from x, to x, from y, to y) of a colour as one shape: the page stays small."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if boxes:
        corners = [[(a, c), (b, c), (b, d), (a, d), (a, c)] for a, b, c, d in boxes]
        path = Path.make_compound_path(*(Path(box, closed=True) for box in corners))
        axes.add_patch(PathPatch(path, facecolor=colour, edgecolor="none", antialiased=False, clip_on=False))


def _legend(figure: Any, bottom: float, height: float) -> None:  # noqa: ANN401 - matplotlib is untyped
    """Draw the legend of the colours above the chart."""
    axes = figure.add_axes((LEFT, bottom, 0.5, height))
    axes.axis("off")
    axes.set(xlim=(0, 10), ylim=(0, 1))
    axes.text(-0.1, 0.5, "D", ha="right", va="center")
    for number, colour in enumerate(HEAT):
        _fill(axes, [(number, number + 1, 0.1, 1)], colour)
        axes.text(number, -0.15, f"{number / len(HEAT):.1g}", ha="center", va="top", fontsize=7)
    axes.text(len(HEAT), -0.15, "1", ha="center", va="top", fontsize=7)
    _fill(axes, [(6, 6.8, 0.35, 0.65)], SECOND)
    axes.text(7, 0.5, "judged drift", va="center", color=INK)


def _time_axis(axes: Any, drift: Drift) -> None:  # noqa: ANN401 - matplotlib is untyped
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    axes.set_xlim(*_days([drift.starts[0], drift.end]))
    locator = AutoDateLocator(maxticks=8)
    axes.xaxis.set_major_locator(locator)
    midnight = ["", "%Y", "%b", "%d %b", "%H:%M", "%H:%M"]
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, zero_formats=midnight, show_offset=False))


def _days(times: Sequence[datetime]) -> list[float]:
    from matplotlib.dates import date2num

    return [float(day) for day in date2num(times)]
