"""The page's part about drift, in words; every figure in it comes from the records."""

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
    "This cannot be said: topic `drift` is missing, or no window in it was judged. `millstream demo` fills it, if the "
    "model is monitored: if its `CREATE MODEL` has `'monitor.time'`."
)
D = (
    "The job also compares what the model is given, and what it says, with the data that it was trained on. D is the "
    "largest difference between the two distribution functions: 0 where they are the same, 1 where they do not even "
    "overlap."
)
SUMMER = "The model was trained on January to March: it has never seen a July."
RULES = (
    "A window beyond its margin is no alarm yet. Days differ even when nothing has changed, so its D must also be rare "
    "among earlier windows, and too large for chance among everything that was tested with it. If that lasts, an alarm "
    "opens; when it has passed, the alarm closes. Windows are summed, too, so that a slow drift adds up."
)
MEDIAN = SHOWN.index(0.5)
UNITS = {timedelta(days=1): "day", timedelta(hours=1): "hour", timedelta(minutes=1): "minute"}


def drift_numbers(drift: Drift | None) -> list[tuple[str, str, str]]:
    """Return what the summary says of drift: name, value, and what it means."""
    if drift is None:
        return []
    judged = f"of {_length(drift.length)} judged, {len(drift.rows)} features in {_count(len(drift.slices), 'slice')}"
    worst = f"; the worst: {_in_words(drift.worst)}" if drift.worst else ""
    return [
        ("windows", f"{drift.windows:,}", f"{judged}; and {drift.sums:,} sums of them; {drift.drifted:,} drifted"),
        ("alarms", f"{len(drift.alarms):,}", f"opened, {drift.still_open or 'none'} still open{worst}"),
    ]


def drift_sections(drift: Drift | None) -> list[Section]:
    """Return what there is to show, or a section that says that there is nothing."""
    if drift is None:
        return [Section(TITLE, paragraphs=(NOTHING,))]
    made = [_overview(drift), _alarms(drift)]
    if drift.gaps:
        made.append(_distributions(drift.gaps))
    remedies = [*_season(drift.rows), *_d_min(drift)]
    return [*made, Section("How to live with it", paragraphs=tuple(remedies), level=3)] if remedies else made


def _overview(drift: Drift) -> Section:
    worst, slices = drift.rows[0], ", ".join(drift.slices)
    farthest = (
        f"`{worst.feature}` is farthest off. It was beyond its margin in {worst.beyond:,} of {worst.windows:,} "
        f"windows; its D is {worst.mean:.2f} on average. {SUMMER if worst.feature == 'temp' else ''}"
    )
    return Section(
        TITLE,
        draw_heat(drift),
        f"Each row is a feature, each column a window of {_length(drift.length)}; the colour is the D of the slice "
        f"({slices}) that is farthest off. A line below it marks windows that were judged drift. At the right: how "
        "many windows were beyond their margin.",
        (D, farthest),
        alt=f"Heat map of D: {len(drift.rows)} features over {len(drift.starts)} windows; {worst.feature} is highest.",
    )


def _alarms(drift: Drift) -> Section:
    if not drift.alarms:
        return Section("Alarms", paragraphs=(f"{RULES} None opened here.",), level=3)
    opened = _count(len(drift.alarms), "alarm")
    summed = sum(a.opened_by is not None and a.opened_by.end - a.opened_by.start > drift.length for a in drift.alarms)
    most = _longest(drift)
    own = [alarm for alarm in drift.alarms if alarm.feature == most]
    here = (
        f"Here {opened} opened, {summed} of them on such a sum. The longest was for `{most}`: at least one of its "
        f"{len(own)} was open in {drift.windows_open(own):,} of {len(drift.starts):,} {drift.unit}."
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
        "Then and now",
        draw_gaps(gaps),
        "The worst features, each in its worst slice and window, beside the reference that it was compared with. Dots "
        f"are the {len(SHOWN)} quantiles of each record; D is the largest gap upwards between the lines.",
        level=3,
        alt=f"Distribution functions then and now: {names}.",
    )


def _season(rows: list[Row]) -> list[str]:
    return [
        "Compare like with like. With `'monitor.season' = 'day of week'`, a Sunday is compared with Sundays, and the D "
        f"of `weekday` was never above {row.largest:.2f}. Against the whole week it would be more than a third, "
        "beyond its margin on every single day: a day has one or two weekdays, and the week seven."
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
    back = "Summer comes back each year; a model trained on one knows it. Until then," if most == "temp" else "If not,"
    said = (
        f"Decide what is worth an alarm. `{most}` has moved, but does the model mind? {back} "
        f"`'monitor.d-min.{most}' = '1'` silences it, since no D is above 1. "
        f"Of the {_count(len(drift.alarms), 'alarm')}, {remain}."
    )
    return [said]


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
