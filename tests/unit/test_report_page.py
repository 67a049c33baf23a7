"""The page needs no other file, explains its numbers, and shows what must not be."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pyflink_jobs.demo import pictures
from pyflink_jobs.demo.metrics import CalibrationBin
from pyflink_jobs.demo.outcomes import Hour, Outcomes, Version, Week
from pyflink_jobs.demo.report import numbers, page, sections, write
from pyflink_jobs.demo.section import Section
from pyflink_jobs.errors import ProjectError

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta"}


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes(
        first="2013-04-01T00:00:00+00:00",
        last="2013-04-30T23:58:00+00:00",
        flights=12_345,
        scored=12_340,
        refused=5,
        missing=0,
        duplicates=0,
        strays=0,
        labelled=12_000,
        late_share=0.25,
        auc=0.8765,
        log_loss=0.3,
        brier=0.1,
        calibration=[CalibrationBin(100, 0.1, 0.12, 0.05, 0.2), CalibrationBin(100, 0.8, 0.5, 0.4, 0.6)],
        weeks=[
            Week("2013-03-25", [4] * 20, 0.9),
            Week("2013-04-01", [100] * 20, 0.2),
            Week("2013-04-08", [90] * 20, 0.4),
        ],
        hours=[Hour(6, 900, -0.2, 0.1, 0.12), Hour(20, 800, 30.6, 0.4, 0.5), Hour(23, 5, -4.0, None, None)],
        versions=[Version("1", 12_340, 0.8765, 0.3)],
    )


class Page(HTMLParser):
    """Collects tags, attributes and words, and fails on a tag that is not closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; it must be closed unless it is one that never is."""
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """Fail unless this tag was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.words.append(data)


def test_the_page_needs_nothing_else(outcomes: Outcomes) -> None:
    text = page(outcomes, sections(outcomes))
    found = Page(text)
    assert not {"script", "link", "img", "iframe"} & set(found.tags)
    links = [value or "" for name, value in found.attributes if name in {"href", "src", "xlink:href"}]
    assert all(link.startswith("#") for link in links)
    assert set(re.findall(r"https?://[^\"' )]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "@import" not in text
    assert found.tags.count("svg") == found.tags.count("figcaption") == 3


def test_the_pictures_share_the_page_without_mixing_their_ids(outcomes: Outcomes) -> None:
    text = page(outcomes, sections(outcomes))
    ids = [value for name, value in Page(text).attributes if name == "id"]
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:url\(|href=")#([^)"]+)', text)
    assert used
    assert set(used) <= set(ids)


def test_the_numbers_are_there(outcomes: Outcomes) -> None:
    words = " ".join(Page(page(outcomes, [], rate=4321.4)).words)
    for said in ("12,345", "12,340", "12,000", "25.0 %", "0.876", "0.300", "0.100", "4,321/s", "2013-04-30 23:58 UTC"):
        assert said in words
    assert "rate" not in [name for name, _, _ in numbers(outcomes)]


def test_what_is_unknown_is_not_a_number(outcomes: Outcomes) -> None:
    bare = replace(
        outcomes, auc=None, log_loss=None, brier=None, late_share=None, calibration=[], weeks=[], versions=[]
    )
    assert [value for name, value, _ in numbers(bare) if name in {"AUC", "late"}] == ["unknown", "unknown"]
    assert [section.title for section in sections(bare)] == ["Delays through the day", "Has the data drifted?"]
    assert "None" not in page(bare, sections(bare))


def test_flights_without_prediction_are_an_alarm(outcomes: Outcomes) -> None:
    assert 'class="alarm"' not in page(outcomes, [])
    assert '<p class="alarm">departures without a prediction: 7</p>' in page(replace(outcomes, missing=7), [])


def test_data_cannot_become_markup(outcomes: Outcomes) -> None:
    section = Section("<b>", "<svg ></svg>", "a & b", ("<i>", "a `<u>` c"), alt='">')
    text = page(replace(outcomes, versions=[Version("<script>$x", 1, None, None)]), [section])
    found = Page(text)
    assert not {"script", "b", "i", "u"} & set(found.tags)
    assert "by model version <script>$x" in found.words
    assert {"a & b", "<i>", "<u>"} <= set(found.words)
    assert ("aria-label", '">') in found.attributes


def test_captions_tell_of_whole_weeks_and_in_words(outcomes: Outcomes) -> None:
    weeks, calibration, hours, _ = (section.caption for section in sections(outcomes))
    assert "from 0.20 (week of 1 April) to 0.40 (week of 8 April)" in weeks  # 25 March has too few flights
    assert "predicted 0.80, observed 0.50 (100 flights)" in calibration
    assert "from 23:00 left 4 minutes early, those from 20:00 31 minutes late" in hours
    on_time = replace(outcomes, hours=outcomes.hours[:1])
    assert "from 6:00 left on time" in sections(on_time)[-2].caption


def test_pictures_hold_labels_as_text_and_leave_colours_to_the_page(outcomes: Outcomes) -> None:
    svg = pictures.draw_weeks(outcomes.weeks)
    said = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - we wrote it
    assert {"25 Mar", "1 Apr", "2,000 flights, mean 0.20"} <= set(said)
    for drawn in (svg, pictures.draw_calibration(outcomes.calibration), pictures.draw_hours(outcomes.hours)):
        assert "var(--accent)" in drawn
        assert "var(--ink)" in drawn
        assert re.findall(r"(?:fill|stroke): ?#\w+", drawn) == []


def test_the_same_numbers_make_the_same_page(outcomes: Outcomes, tmp_path: Path) -> None:
    files = [tmp_path / "new" / "a.html", tmp_path / "new" / "b.html"]
    for file in files:
        write(file, outcomes)
    assert files[0].read_text(encoding="utf-8") == files[1].read_text(encoding="utf-8")


def test_without_matplotlib_the_error_names_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    with pytest.raises(ProjectError, match=r"pip install 'millstream\[demo\]'"):
        pictures.draw_hours([Hour(6, 900, -0.2, 0.1, 0.12)])
