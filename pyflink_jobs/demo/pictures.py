"""The report's charts, as SVG for a page that chooses the colours.

They are the CSS variables --ink, --faint, --accent, --second and --heat-1 to --heat-5, so that one picture fits light
and dark pages.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from io import StringIO
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.demo.metrics import CalibrationBin
    from pyflink_jobs.demo.outcomes import Hour, Week

__all__ = [
    "ACCENT",
    "FAINT",
    "HEAT",
    "INK",
    "SECOND",
    "WIDTH",
    "draw_calibration",
    "draw_hours",
    "draw_weeks",
    "drawing",
    "require_matplotlib",
]

# The page has names for its colours, matplotlib needs values: these are replaced by the names afterwards.
INK, FAINT, ACCENT, SECOND = "#010203", "#020304", "#030405", "#040506"
HEAT = tuple(f"#0a0b0{level}" for level in range(1, 6))
VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    ACCENT: "var(--accent)",
    SECOND: "var(--second)",
    **{colour: f"var(--heat-{level})" for level, colour in enumerate(HEAT, start=1)},
}
WIDTH = 7.4  # inches
WEEKS_TALL = 6.5  # inches for all weeks together, where they are many
QUARTERS = [0, 0.25, 0.5, 0.75, 1]
STYLE = {
    "svg.fonttype": "none",  # text stays text: it has the reader's font and can be searched
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.left": False,
    "axes.spines.bottom": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.6,
}


def require_matplotlib() -> None:
    """Raise ProjectError where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise ProjectError(
            "the report's charts need matplotlib, which is not installed",
            fixes=("install Millstream with its demo extra: pip install 'millstream[demo]'",),
        )


def draw_weeks(weeks: list[Week]) -> str:
    """Draw one histogram of scores a week, one below the other, on common axes: an area is a number of flights."""
    tall = min(0.6 * len(weeks), WEEKS_TALL)
    with drawing("weeks", WIDTH, 0.5 + tall) as (figure, svg):
        rows = figure.subplots(len(weeks), sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, week in zip(rows, weeks, strict=True):
            flights = sum(week.counts)
            edges = [i / len(week.counts) for i in range(len(week.counts) + 1)]
            axes.stairs(week.counts, edges, fill=True, color=ACCENT)
            axes.axhline(0, color=FAINT, linewidth=0.6)
            axes.plot([week.mean] * 2, [0, 1], color=INK, linewidth=0.8, transform=axes.get_xaxis_transform())
            monday = date.fromisoformat(week.monday)
            axes.text(-0.02, 0, f"{monday.day} {monday:%b}", ha="right", va="bottom")
            axes.text(1.02, 0, f"{flights:,} flights, mean {week.mean:.2f}", va="bottom")
            axes.set(xlim=(0, 1), yticks=[])
            axes.set_xticks(QUARTERS, map(str, QUARTERS))
        rows[-1].set_xlabel("predicted probability of arriving late (a line marks the week's mean)")
        figure.subplots_adjust(left=0.1, right=0.74, top=0.98, bottom=0.5 / (0.5 + tall), hspace=0.25)
    return svg.getvalue()


def draw_calibration(bins: list[CalibrationBin]) -> str:
    """Draw observed shares over mean predictions, with their intervals, and the line on which both are equal."""
    with drawing("calibration", 4.6, 4.3) as (figure, svg):
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
        axes.text(0.55, 0.58, "as predicted", rotation=45, rotation_mode="anchor", ha="center", alpha=0.7)
        axes.text(0.03, 0.97, "late more often than predicted", va="top", alpha=0.7)
        axes.text(0.97, 0.03, "late less often than predicted", ha="right", alpha=0.7)
        predicted, observed = [b.predicted for b in bins], [b.observed for b in bins]
        axes.vlines(predicted, [b.low for b in bins], [b.high for b in bins], color=ACCENT, linewidth=1.2)
        axes.plot(predicted, observed, "o", color=ACCENT, markersize=4.5, clip_on=False)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set_xticks(QUARTERS, map(str, QUARTERS))
        axes.set_yticks(QUARTERS, map(str, QUARTERS))
        axes.set(xlabel="mean predicted probability", ylabel="share that arrived late")
        figure.subplots_adjust(left=0.14, right=0.97, top=0.98, bottom=0.12)
    return svg.getvalue()


def draw_hours(hours: list[Hour]) -> str:
    """Draw, over the hours of the day, the mean delay, and below it predicted and observed shares of late arrivals."""
    with drawing("hours", WIDTH, 4.4) as (figure, svg):
        delays, shares = figure.subplots(2, sharex=True)
        x = [hour.hour for hour in hours]
        delays.plot(x, [hour.delay for hour in hours], ".-", color=ACCENT)
        delays.set_title("Mean departure delay, minutes")
        known = [(hour.hour, hour.predicted, hour.observed) for hour in hours if hour.predicted is not None]
        for row, name, colour in ((1, "predicted", ACCENT), (2, "observed", SECOND)):
            shares.plot([k[0] for k in known], [k[row] for k in known], ".-", color=colour, label=name)
        if known:
            _label_ends(shares, known[-1])
        shares.set_title("Share of flights that arrive late")
        shares.set_xlabel("hour of scheduled departure, New York")
        for axes in (delays, shares):
            axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
            axes.grid(axis="y")
            axes.locator_params(axis="y", nbins=5)
        shares.set_xticks(x, [str(hour) for hour in x])
        figure.subplots_adjust(left=0.07, right=0.88, top=0.94, bottom=0.11, hspace=0.3)
    return svg.getvalue()


def _label_ends(axes: Any, last: tuple[int, float | None, float | None]) -> None:  # noqa: ANN401 - matplotlib is untyped
    """Name the two lines at their right ends, the upper one above."""
    hour, predicted, observed = last
    ends = [("predicted", predicted or 0, ACCENT), ("observed", observed or 0, SECOND)]
    ends.sort(key=lambda end: end[1])
    for (name, y, colour), va in zip(ends, ("top", "bottom"), strict=True):
        axes.annotate(name, (hour, y), (6, 0), textcoords="offset points", color=colour, va=va)


@contextmanager
def drawing(name: str, width: float, height: float) -> Iterator[tuple[Any, StringIO]]:
    """Give a figure to draw in, and a text that holds its SVG element after the block."""
    require_matplotlib()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({**STYLE, "svg.hashsalt": "the same ids in each run"}):
        figure, out, raw = Figure((width, height)), StringIO(), StringIO()
        yield figure, out
        figure.savefig(
            raw, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    svg = raw.getvalue()
    svg = svg[svg.index("<svg") :]  # a page cannot have an XML declaration inside
    for stand_in, variable in VARIABLES.items():
        svg = svg.replace(stand_in, variable)
    for before in ('id="', 'href="#', "url(#"):  # the charts are on one page, so each has its own ids
        svg = svg.replace(before, f"{before}{name}-")
    out.write(svg)
