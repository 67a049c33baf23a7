"""The report's sections about drift; every figure in them comes from the records."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from pyflink_jobs.demo.drift_pictures import draw_alarms, draw_gaps, draw_heat, span
from pyflink_jobs.demo.section import Section
from udfs.distributions.quantiles import SHOWN

if TYPE_CHECKING:
    from pyflink_jobs.demo.drift_results import Drift, Gap, Row

__all__ = ["drift_numbers", "drift_sections"]

TITLE = "Has the data drifted?"
NOTHING = (
    "There are no results: topic `drift` is missing, or has no result of a window. `millstream demo` fills it if the "
    "model is monitored, that is, if its `CREATE MODEL` has `'monitor.time'`."
)
D = (
    "The job also compares the model's inputs and outputs with the data that the model was trained on. D is the "
    "largest difference between the two distribution functions: 0 if they are the same, 1 if they do not overlap."
)
SUMMER = "The model was trained on January to March, without data of July."
RULES = (
    "A window beyond its margin does not open an alarm by itself. Days differ even without drift, so the D must also "
    "be rare among earlier windows, and significant among all tests of its window. If that lasts, an alarm opens; when "
    "the drift ends, the alarm closes. Sums of windows are tested too, so that slow drift adds up."
)
MEDIAN = SHOWN.index(0.5)
UNITS = {timedelta(days=1): "day", timedelta(hours=1): "hour", timedelta(minutes=1): "minute"}


def drift_numbers(drift: Drift | None) -> list[tuple[str, str, str]]:
    """Return the summary's rows about drift: name, value, and meaning."""
    if drift is None:
        return []
    judged = f"of {_length(drift.length)}, {len(drift.rows)} features in {_count(len(drift.slices), 'slice')}"
    worst = f"; the worst: {_in_words(drift.worst)}" if drift.worst else ""
    return [
        ("windows", f"{drift.windows:,}", f"{judged}; and {drift.sums:,} sums of them; {drift.drifted:,} drifted"),
        ("alarms", f"{len(drift.alarms):,}", f"opened, {drift.still_open or 'none'} still open{worst}"),
    ]


def drift_sections(drift: Drift | None) -> list[Section]:
    """Return the sections about drift, or one that says why there are no results."""
    if drift is None:
        return [Section(TITLE, paragraphs=(NOTHING,))]
    made = [_overview(drift), _alarms(drift)]
    if drift.gaps:
        made.append(_distributions(drift.gaps))
    remedies = [*_season(drift.rows), *_d_min(drift)]
    return [*made, Section("What to do", paragraphs=tuple(remedies), level=3)] if remedies else made


def _overview(drift: Drift) -> Section:
    worst, slices = drift.rows[0], ", ".join(drift.slices)
    farthest = (
        f"`{worst.feature}` has drifted most. It was beyond its margin in {worst.beyond:,} of {worst.windows:,} "
        f"windows; its D is {worst.mean:.2f} on average. {SUMMER if worst.feature == 'temp' else ''}"
    )
    return Section(
        TITLE,
        draw_heat(drift),
        f"Each row is a feature, each column a window of {_length(drift.length)}; the colour is the D of the slice "
        f"({slices}) with the largest one. A line below it marks windows with drift. At the right: the share of "
        "windows beyond their margin.",
        (D, farthest),
        alt=f"Heat map of D: {len(drift.rows)} features over {len(drift.starts)} windows; {worst.feature} is highest.",
    )


def _alarms(drift: Drift) -> Section:
    if not drift.alarms:
        return Section("Alarms", paragraphs=(f"{RULES} No alarm opened here.",), level=3)
    opened = _count(len(drift.alarms), "alarm")
    summed = sum(a.opened_by is not None and a.opened_by.end - a.opened_by.start > drift.length for a in drift.alarms)
    most = _longest(drift)
    own = [alarm for alarm in drift.alarms if alarm.feature == most]
    here = (
        f"Here {opened} opened, {summed} of them for a sum of windows. The longest was for `{most}`: at least one of "
        f"its {len(own)} was open in {drift.windows_open(own):,} of {len(drift.starts):,} {drift.unit}."
    )
    still = (
        f"with an arrow at its end, it is still open ({drift.still_open})" if drift.still_open else "none is open now"
    )
    return Section(
        "Alarms",
        draw_alarms(drift),
        f"A bar runs from the first window that drifted to the one that closed the alarm; {still}.",
        (RULES, here),
        level=3,
        alt=f"Time line of {opened}, {drift.still_open} of them open at the end.",
    )


def _distributions(gaps: list[Gap]) -> Section:
    names = ", ".join(f"{gap.feature} in {gap.slice}" for gap in gaps)
    return Section(
        "Now and in the reference",
        draw_gaps(gaps),
        "The worst features, each in its worst slice and window, against its reference. Dots are the "
        f"{len(SHOWN)} quantiles of each record; D is the largest vertical distance between the lines.",
        level=3,
        alt=f"Distribution functions now and in the reference: {names}.",
    )


def _season(rows: list[Row]) -> list[str]:
    return [
        "Compare each weekday with itself. With `'monitor.season' = 'day of week'`, a Sunday is compared with Sundays, "
        f"and the D of `weekday` was never above {row.largest:.2f}. Against the whole week it would be above a third, "
        "and beyond its margin, on every day: a day of UTC has one or two weekdays, and the week seven."
        for row in rows
        if row.feature == "weekday" and not row.beyond
    ]


def _d_min(drift: Drift) -> list[str]:
    if not drift.alarms:
        return []
    most = _longest(drift)
    left = Counter(alarm.feature for alarm in drift.alarms if alarm.feature != most)
    named = ", ".join(f"{count} for `{feature}`" for feature, count in left.most_common())
    remain = f"{left.total()} would remain: {named}" if left else "none would remain"
    back = "A model trained on a whole year knows summer. Until then," if most == "temp" else "If not,"
    paragraph = (
        f"Decide which drift is worth an alarm. `{most}` has drifted, but do the scores get worse? {back} "
        f"`'monitor.d-min.{most}' = '1'` turns its alarms off, since no D is above 1. "
        f"Of the {_count(len(drift.alarms), 'alarm')}, {remain}."
    )
    return [paragraph]


def _longest(drift: Drift) -> str:
    """Return the feature for which an alarm was open the longest; of equals, the first by name."""
    alarms = {
        name: [alarm for alarm in drift.alarms if alarm.feature == name]
        for name in sorted({alarm.feature for alarm in drift.alarms})
    }
    return max(alarms, key=lambda name: drift.windows_open(alarms[name]))


def _in_words(gap: Gap) -> str:
    text = f"{gap.feature} in {gap.slice}, {span(gap.start, gap.end)}: D {min(gap.d, 1):.2f}, {gap.margin:.2f} allowed"
    if len(gap.now) == len(gap.then) == len(SHOWN):
        text += f"; median {gap.now[MEDIAN]:.4g}, was {gap.then[MEDIAN]:.4g}"
    return text


def _length(length: timedelta) -> str:
    for size, name in UNITS.items():
        if not length % size:
            return _count(length // size, name)
    return _count(length // timedelta(seconds=1), "second")


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'s' * (number != 1)}"
