"""The report: one HTML page without scripts or other files."""

from __future__ import annotations

from datetime import date, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from pyflink_jobs.demo.drift_section import drift_numbers, drift_sections
from pyflink_jobs.demo.pictures import draw_calibration, draw_hours, draw_weeks
from pyflink_jobs.demo.section import Section, section_html

if TYPE_CHECKING:
    from pyflink_jobs.demo.outcomes import Outcomes

__all__ = ["numbers", "page", "sections", "write"]

TITLE = "Flights from New York: who arrives late?"


def write(file: Path, outcomes: Outcomes, rate: float | None = None) -> None:
    """Write the page with all sections to `file`; `rate` is in flights scored per second, where known.

    Raises ProjectError where matplotlib is not installed.
    """
    text = page(outcomes, sections(outcomes), rate)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def numbers(outcomes: Outcomes, rate: float | None = None) -> list[tuple[str, str, str]]:
    """Return the summary's rows: name, value, and meaning."""
    o = outcomes
    speed = [] if rate is None else [("rate", f"{rate:,.0f}/s", "from Kafka to Kafka, the job's start included")]
    return [
        ("flights", f"{o.flights:,}", "departed"),
        (
            "scored",
            f"{o.scored:,}",
            f"by model version {', '.join(v.version for v in o.versions)}" if o.versions else "",
        ),
        *speed,
        ("refused", f"{o.refused:,}", "rows that the model could not score"),
        (
            "quarantined",
            f"{o.quarantined:,}",
            "invalid records, not scored: millstream quarantine list",
        ),
        ("missing", f"{o.missing:,}", "departures without a prediction"),
        ("duplicates", f"{o.duplicates:,}", "predictions beyond a flight's first"),
        ("arrived", f"{o.labelled:,}", "scored flights whose arrival is known; the rows below are about these"),
        ("late", _share(o.late_share), "arrived more than 15 minutes late"),
        ("AUC", _figure(o.auc), "probability that a late flight scores above a punctual one; 0.5 is guessing"),
        ("log loss", _figure(o.log_loss), "0 is perfect"),
        ("Brier score", _figure(o.brier), "mean squared error of the probability; 0 is perfect"),
        *drift_numbers(o.drift),
    ]


def sections(outcomes: Outcomes) -> list[Section]:
    """Return the sections for which there are data; the last ones are about drift."""
    made = [_weeks(outcomes)] if outcomes.weeks else []
    if outcomes.calibration:
        made.append(_calibration(outcomes))
    return [*made, _hours(outcomes), *drift_sections(outcomes.drift)]


def page(outcomes: Outcomes, sections: list[Section], rate: float | None = None) -> str:
    """Return the page as HTML."""
    template = Template((Path(__file__).with_name("report.html")).read_text(encoding="utf-8"))
    first, last = (datetime.fromisoformat(time) for time in (outcomes.first, outcomes.last))
    return template.substitute(
        title=escape(TITLE),
        span=escape(f"Departures from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"),
        alarm="\n".join(f'<p class="alarm">{escape(complaint)}</p>' for complaint in outcomes.complaints),
        numbers="\n".join(_row(*row) for row in numbers(outcomes, rate)),
        sections="\n".join(section_html(section) for section in sections),
    )


def _weeks(outcomes: Outcomes) -> Section:
    most = max(sum(week.counts) for week in outcomes.weeks)
    large = [week for week in outcomes.weeks if sum(week.counts) > most / 10]
    low, high = (pick(large, key=lambda week: week.mean) for pick in (min, max))
    return Section(
        "Predictions week by week",
        draw_weeks(outcomes.weeks),
        "Each row is one week's flights by predicted probability, from Monday on: similar "
        f"rows are similar weeks. The mean goes from {low.mean:.2f} (week of {_day(low.monday)}) to {high.mean:.2f} "
        f"(week of {_day(high.monday)}).",
    )


def _calibration(outcomes: Outcomes) -> Section:
    worst = max(outcomes.calibration, key=lambda b: abs(b.predicted - b.observed))
    return Section(
        "Do predictions come true as often as predicted?",
        draw_calibration(outcomes.calibration),
        "Flights in ten bins of increasing prediction, with 95 % intervals; on the line, they do. Farthest from it: "
        f"predicted {worst.predicted:.2f}, observed {worst.observed:.2f} ({worst.n:,} flights).",
    )


def _hours(outcomes: Outcomes) -> Section:
    low, high = (pick(outcomes.hours, key=lambda hour: hour.delay) for pick in (min, max))
    return Section(
        "Delays through the day",
        draw_hours(outcomes.hours),
        f"On average, flights scheduled from {low.hour}:00 left {_late(low.delay)}, those from {high.hour}:00 "
        f"{_late(high.delay)}. Where the two lower lines differ, the model's predictions for that hour are off.",
    )


def _row(name: str, value: str, note: str) -> str:
    return f'<tr><th>{escape(name)}</th><td>{escape(value)}</td><td class="note">{escape(note)}</td></tr>'


def _day(monday: str) -> str:
    day = date.fromisoformat(monday)
    return f"{day.day} {day:%B}"


def _late(delay: float) -> str:
    minutes = round(delay)
    if not minutes:
        return "on time"
    return f"{abs(minutes)} minute{'s' * (abs(minutes) > 1)} {'late' if minutes > 0 else 'early'}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
