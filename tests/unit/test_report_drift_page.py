"""The page's part about drift: what it says, and what its pictures mark."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from pyflink_jobs.demo.drift_pictures import draw_alarms, draw_gaps, draw_heat, level, span
from pyflink_jobs.demo.drift_results import Alarm, Drift, Gap, Row
from pyflink_jobs.demo.drift_section import drift_numbers, drift_sections
from pyflink_jobs.demo.section import section_html

SVG = "{http://www.w3.org/2000/svg}"
THEN, NOW = [float(30 + i) for i in range(10)], [float(70 + i) for i in range(10)]


def day(number: int) -> datetime:
    return datetime(2013, 7, number, tzinfo=UTC)


OPENING = Gap("JFK", "temp", day(2), day(4), 1.0, 0.2, NOW, THEN)
HOT = Alarm("JFK", "temp", day(2), None, OPENING)
LATE = Alarm("EWR", "delay", day(1), day(3), replace(OPENING, feature="delay", end=day(3), d=0.5))


@pytest.fixture
def drift() -> Drift:
    return Drift(
        starts=[day(number) for number in (1, 2, 4, 5, 6)],  # none of the 3rd
        length=timedelta(days=1),
        end=day(7),
        slices=["EWR", "JFK"],
        windows=1_230,
        sums=40,
        drifted=7,
        rows=[
            Row("temp", [0.9, 0.95, 0.81, 0.9, 0.1], [True, False, False, True, True], 10, 9, 0.88, 0.95),
            Row("delay", [0.1, 0.1, None, 0.1, 0.1], [False] * 5, 8, 1, 0.1, 0.3),
            Row("weekday", [0.0] * 5, [False] * 5, 10, 0, 0.02, 0.13),
        ],
        gaps=[OPENING, LATE.opened_by or OPENING],
        alarms=[LATE, HOT, replace(HOT, slice="EWR", since=day(1), until=day(2))],
    )


def shapes(svg: str, colour: str) -> int:
    """Count the boxes of a colour."""
    paths = ET.fromstring(svg).iter(f"{SVG}path")  # noqa: S314 - we wrote it
    return sum(path.get("d", "").count("M") for path in paths if f"fill: var(--{colour})" in path.get("style", ""))


def span_of_boxes(svg: str, colour: str) -> tuple[float, float]:
    """Return from where to where the first shape of a colour goes."""
    paths = ET.fromstring(svg).iter(f"{SVG}path")  # noqa: S314 - same
    shape = next(path for path in paths if f"fill: var(--{colour})" in path.get("style", ""))
    x = [float(number) for number in re.findall(r"[ML] ([\d.]+)", shape.get("d", ""))]
    return min(x), max(x)


def words(svg: str) -> list[str | None]:
    return [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - same


def test_neighbours_of_a_colour_are_one_box_and_a_missing_window_parts_them(drift: Drift) -> None:
    svg = draw_heat(drift)
    assert shapes(svg, "heat-5") == 1 + 2  # the legend; 1 to 2 July, 4 to 5 July
    assert shapes(svg, "heat-1") == 1 + 1 + 2 + 2  # the legend; temp's last, delay without the 4th, weekday
    assert shapes(svg, "heat-3") == 1
    assert {"temp", "delay", "weekday", "90 %", "12 %", "0 %"} <= set(words(svg))


def test_windows_judged_drift_are_marked(drift: Drift) -> None:
    assert shapes(draw_heat(drift), "second") == 1 + 2  # the legend; 1 July, 5 to 6 July
    calm = replace(drift, rows=[replace(row, drifted=[False] * 5) for row in drift.rows])
    assert shapes(draw_heat(calm), "second") == 1


@pytest.mark.parametrize(("d", "expected"), [(0.0, 0), (0.199, 0), (0.2, 1), (0.99, 4), (1.0, 4), (1.00001, 4)])
def test_colours_are_fifths(d: float, expected: int) -> None:
    assert level(d) == expected


def test_an_open_alarm_runs_to_the_end_and_a_closed_one_to_what_closed_it(drift: Drift) -> None:
    svg = draw_alarms(drift)
    assert {"temp, JFK", "temp, EWR", "delay, EWR", "4", "2", "1", "days"} <= set(words(svg))
    assert (shapes(svg, "accent"), shapes(svg, "second")) == (2, 1)  # closed, open
    arrows = ET.fromstring(svg).iter(f"{SVG}use")  # noqa: S314 - same
    assert sum("fill: var(--second)" in arrow.get("style", "") for arrow in arrows) == 1
    first, last = span_of_boxes(svg, "second")
    days = (last - first) / 5  # from the 2nd to the end, which is the 7th
    assert span_of_boxes(draw_alarms(replace(drift, alarms=[replace(HOT, until=day(4))])), "accent") == pytest.approx(
        (first, first + 2 * days), abs=days / 10
    )


def test_distributions_have_both_lines_and_leave_out_what_is_infinite(drift: Drift) -> None:
    assert {"temp, JFK", "2 to 3 July: D = 1.00", "● reference", "● window"} <= set(words(draw_gaps(drift.gaps)))
    endless = replace(OPENING, now=[*NOW[:-1], float("nan")], then=[])
    assert "nan" not in draw_gaps([endless])


def test_colours_are_the_pages(drift: Drift) -> None:
    for svg in (draw_heat(drift), draw_alarms(drift), draw_gaps(drift.gaps)):
        assert re.findall(r"(?:fill|stroke): ?#\w+", svg) == []


def test_durations_are_written_in_days_or_in_hours() -> None:
    assert span(day(1), day(2)) == "1 July"
    assert span(day(1), day(9)) == "1 to 8 July"
    assert span(datetime(2013, 6, 29, tzinfo=UTC), day(3)) == "29 June to 2 July"
    evening = datetime(2013, 6, 30, 18, tzinfo=UTC)
    assert span(evening, evening + timedelta(hours=1)) == "30 June 18:00 to 19:00"
    assert span(evening, day(1)) == "30 June 18:00 to 1 July 00:00"


def test_the_section_describes_summer_alarms_and_fixes(drift: Drift) -> None:
    sections = drift_sections(drift)
    assert [section.title for section in sections] == [
        "Has the data drifted?",
        "Alarms",
        "Now and in the reference",
        "What to do",
    ]
    text = "\n".join(map(section_html, sections))
    assert text.count("<svg ") == text.count('role="img"') == text.count("<figcaption>") == 3
    assert "<code>temp</code> has drifted most. It was beyond its margin in 9 of 10 windows" in text
    assert "its D is 0.88 on average" in text
    assert "without data of July" in text
    assert "Here 3 alarms opened, 2 of them for a sum of windows." in text
    assert "for <code>temp</code>: at least one of its 2 was open in 5 of 5 days" in text
    assert "with an arrow at its end, it is still open (1)" in text
    assert "<code>weekday</code> was never above 0.13" in text
    assert "<code>&#x27;monitor.d-min.temp&#x27; = &#x27;1&#x27;</code> turns its alarms off" in text
    assert "Of the 3 alarms, 1 would remain: 1 for <code>delay</code>." in text


def test_other_data_get_no_word_of_summer(drift: Drift) -> None:
    strayed = replace(drift.rows[2], beyond=3)  # then nothing is said of what the season does
    delayed = drift_sections(replace(drift, rows=[drift.rows[1], strayed], alarms=[LATE], gaps=[]))
    text = "\n".join(map(section_html, delayed))
    assert "July" not in text
    assert "summer" not in text
    assert "Sunday" not in text
    assert "Of the 1 alarm, none would remain." in text
    calm = drift_sections(replace(drift, rows=[strayed], alarms=[], gaps=[]))
    assert [section.title for section in calm] == ["Has the data drifted?", "Alarms"]
    assert "No alarm opened here." in section_html(calm[1])


def test_without_records_the_section_reports_it() -> None:
    (section,) = drift_sections(None)
    assert (section.title, section.svg) == ("Has the data drifted?", "")
    assert "topic <code>drift</code> is missing" in section_html(section)
    assert drift_numbers(None) == []


def test_the_summary_counts_windows_and_alarms_and_names_the_worst(drift: Drift) -> None:
    assert drift_numbers(drift) == [
        ("windows", "1,230", "of 1 day, 3 features in 2 slices; and 40 sums of them; 7 drifted"),
        (
            "alarms",
            "3",
            "opened, 1 still open; the worst: temp in JFK, 2 to 3 July: D 1.00, 0.20 allowed; median 75, was 35",
        ),
    ]
    assert drift_numbers(replace(drift, alarms=[]))[1] == ("alarms", "0", "opened, none still open")
    hourly = replace(drift, length=timedelta(hours=6), slices=["(all)"])
    assert drift_numbers(hourly)[0][2].startswith("of 6 hours, 3 features in 1 slice;")
