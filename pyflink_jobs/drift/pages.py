"""What `millstream drift` prints, as lines of rich text."""

from __future__ import annotations

from collections import Counter
from shlex import quote
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from pyflink_jobs.drift.category_changes import category_changes, in_words
from pyflink_jobs.drift.explain import measures, sentence
from pyflink_jobs.drift.heat_map import draw, heat_map, legend, room, worst
from pyflink_jobs.drift.picture import NOW, THEN, draw_quantiles
from pyflink_jobs.drift.records import utc
from udfs.drift.slice_rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from rich.console import RenderableType

    from pyflink_jobs.drift.explain import Explanation
    from pyflink_jobs.drift.heat_map import HeatMap
    from pyflink_jobs.drift.records import Drift
    from pyflink_jobs.drift.results import Results

__all__ = ["explain_page", "show_page", "span"]

_UNITS = {86_400: "day", 3600: "hour", 60: "minute", 1: "second"}
_DRIFT = "bold #dd513a"


def show_page(
    results: Results, picture: HeatMap, label: str | None, width: int, *, colour: bool
) -> list[RenderableType]:
    """Return the heat map with the lines above and below it."""
    wanted = len(picture.windows)
    while (fits := room(picture, width)) < len(picture.windows):  # fewer windows may have longer notes
        picture = heat_map(results, fits, label)
    page: list[RenderableType] = [*_head(results, picture, label, narrow=len(picture.windows) < wanted), ""]
    page += [*draw(picture, width, colour=colour), "", legend(colour=colour)]
    if picture.sums:
        count = Counter(s.feature for s in picture.drifted_sums)
        of = ", ".join(f"{feature} {number}" for feature, number in count.most_common())
        page.append(
            Text(f"Of {_count(picture.sums, 'sum')} of several windows, {count.total():,} drifted")
            + Text(f": {of}" if of else "", "dim")
        )
    alarms = [alarm for alarm in results.alarms if label in (None, alarm.slice)]
    page.append("")
    page.append(Text(f"Open alarms: {len(alarms) or 'none'}", "bold"))
    page += _bullets(alarm.message for alarm in alarms)
    drifted = worst(cell for row in picture.rows for cell in row.cells if cell)
    if drifted and drifted.verdict == "drift":
        named = f" --slice {quote(drifted.slice)}" if len(results.slices) > 1 else ""
        why = f"millstream drift explain {utc(drifted.window_start)} {quote(drifted.feature)}{named}"
        page += ["", Text(f"Why? For example: {why}", "dim")]
    return page


def explain_page(
    results: Results, explanation: Explanation, place: str | None, declaration: str, width: int
) -> list[RenderableType]:
    """Return a feature in a window: in words, as a picture, in numbers, in each slice."""
    drift = explanation.drift
    where = "" if drift.slice == "(all)" else f" in {drift.slice}"
    style = _DRIFT if drift.verdict == "drift" else "bold"
    page: list[RenderableType] = [
        Text.assemble(
            (f"{drift.feature}{where}, {utc(drift.window_start)}", "bold"),
            f"  {span(drift.length)} (UTC), {results.series.model} {results.series.version}  ",
            (drift.verdict, style),
        ),
    ]
    if place:
        page.append(Text(f"{place}  {declaration}", "dim"))
    page += ["", sentence(drift), "", *draw_quantiles(drift, width), ""]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for measure in measures(drift):
        table.add_row(*measure)
    page.append(table)
    page += _categories(drift)
    if len(explanation.slices) > 1:
        page += ["", _slices(explanation.slices)]
    if explanation.sums:
        page += ["", Text("Sums of windows with this one in them that drifted", "bold")]
        page += _bullets(_sum(s) for s in explanation.sums)
    if explanation.alarm:
        page += ["", Text("Open alarm", "bold"), *_bullets([explanation.alarm])]
    return page


def span(length: timedelta) -> str:
    """Return a length of time in its largest whole unit: "1 day", "6 hours"."""
    seconds = int(length.total_seconds())
    unit = next(unit for unit in _UNITS if seconds % unit == 0)
    return f"{seconds // unit} {_UNITS[unit]}{'s' * (seconds > unit)}"


def _head(results: Results, picture: HeatMap, label: str | None, *, narrow: bool) -> list[Text]:
    series, windows = results.series, picture.windows
    head = [
        Text.assemble(
            (f"{series.model}, version {series.version}", "bold"),
            f"  {utc(windows[0])} to {utc(windows[-1] + results.length)} (UTC), job {series.job}",
        ),
    ]
    each = "" if label or len(results.slices) == 1 else f": each cell is the worst of {', '.join(results.slices)}"
    slices = f"slice {label}" if label else _count(len(results.slices), "slice")
    sizes = f"{_count(len(windows), 'window')} of {span(results.length)}, {_count(len(picture.rows), 'feature')}"
    head.append(Text(f"{sizes}, {slices}{each}", "dim"))
    if hidden := len(results.windows) - len(windows):
        why = "the terminal is too narrow for more" if narrow else "--last"
        head.append(Text(f"not shown: {_count(hidden, 'earlier window')} ({why})", "dim"))
    if gaps := round((windows[-1] - windows[0]) / results.length) + 1 - len(windows):
        head.append(Text(f"no rows in {_count(gaps, 'window')} between them", "dim"))
    for other in results.others:
        what = f"--version {quote(other.version)} --job {quote(other.job)}"
        old = "" if other[:3] != series[:3] else f", compared with an older reference, {other.reference}"
        head.append(Text(f"not shown: {what}{old}", "dim"))
    if results.lost:
        head.append(Text(f"too late for their window, and not in it: {_count(results.lost, 'row')}", "yellow"))
    if results.unreadable:
        head.append(Text(f"cannot be read: {_count(results.unreadable, 'record')} of topic `drift`", "yellow"))
    return head


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _slices(slices: Sequence[Drift]) -> Table:
    table = Table("slice", "verdict", box=None, header_style="bold", pad_edge=False)
    for heading in ("values", "NULL", "distance", "margin", "median then", "now"):
        style = {"median then": THEN, "now": NOW}.get(heading, "bold")
        table.add_column(heading, justify="right", header_style=style, no_wrap=True)
    for drift in slices:
        table.add_row(
            drift.slice,
            Text(drift.verdict, _DRIFT if drift.verdict == "drift" else ""),
            f"{drift.n:,}",
            f"{drift.null_share:.1%}",
            *("" if number is None else f"{number:.3f}" for number in (drift.d_lo, drift.margin)),
            *("" if median is None else f"{median:.4g}" for median in (drift.reference_median, drift.median)),
        )
    return table


def _categories(drift: Drift) -> list[RenderableType]:
    """Return a text feature's categories that changed; what is missing in the topic."""
    if drift.feature == ROWS or drift.quantiles or drift.d_lo is None:
        return []
    if not drift.categories and drift.d_lo:
        columns = "categories ARRAY<STRING>, shares ARRAY<DOUBLE>, reference_shares ARRAY<DOUBLE>"
        return ["", Text(f"To see which values changed, add to the table `drift`: {columns}", "dim")]
    changes = category_changes(drift)
    if not changes:
        return []
    return ["", Text("Values that changed by more than chance", "bold"), *_bullets(map(in_words, changes))]


def _sum(drift: Drift) -> str:
    distance = "" if drift.d_lo is None or drift.margin is None else f": {drift.d_lo:.2f} > {drift.margin:.2f}"
    return f"{utc(drift.window_start)} to {utc(drift.window_end)} ({span(drift.length)}), {drift.slice}{distance}"


def _bullets(texts: Iterable[str]) -> list[RenderableType]:
    """Return a line for each; wrapped lines are indented."""
    bullets: list[RenderableType] = []
    for text in texts:
        grid = Table.grid(padding=(0, 1))
        grid.add_row("•", Text(text))
        bullets.append(grid)
    return bullets
