"""A feature in a window: which record is explained, what the sentence claims, what the commands print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pyflink_jobs.cli.drift import drift as command
from pyflink_jobs.cli.main import Context
from pyflink_jobs.drift.explain import explain, measures, sentence
from pyflink_jobs.drift.picture import draw_quantiles
from pyflink_jobs.drift.records import Drift
from pyflink_jobs.drift.results import Results, results
from pyflink_jobs.errors import KafkaError
from pyflink_jobs.local import topics
from tests.drift_records import alert, drift, records
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

EVEN = tuple(float(x) for x in (1, 5, 10, 25, 40, 50, 75, 90, 95, 99))  # of values spread evenly from 0 to 100
TEXT: dict[str, object] = {"quantiles": [], "reference_quantiles": [], "psi": None, "wasserstein": None}
MODEL = """CREATE MODEL late_arrival
INPUT (
  dep_delay FLOAT  -- minutes
)
OUTPUT (p DOUBLE)
WITH ('provider' = 'onnx')"""


def one(**values: object) -> Drift:
    return Drift.read({**drift(), **values})


@pytest.fixture
def week() -> Results:
    """Three windows in two slices: LGA drifted on the 2nd, and in a sum with it."""
    read = [drift(day, slice=label) for day in (1, 2, 3) for label in ("JFK", "LGA")]
    read[3] = drift(2, slice="LGA", d_lo=0.6, d_hi=0.62, verdict="drift")
    sums = [
        drift(2, days=2, slice="LGA", d_lo=0.5, verdict="drift"),
        drift(2, days=2, slice="JFK"),
        drift(4, days=2, verdict="drift"),
        drift(2, days=2, slice="LGA", feature="temp", verdict="drift"),
    ]
    return results(records(*read, *sums), records(alert(slice="LGA", message="open since then")))


@pytest.mark.parametrize("window", ["2013-07-02", "2013-07-02T00:00", "2013-07-02T00:00Z", "2013-07-02T02:00+02:00"])
def test_without_a_slice_the_worst_is_explained(week: Results, window: str) -> None:
    found = explain(week, window, "dep_delay")
    assert (found.drift.slice, found.drift.d_lo) == ("LGA", 0.6)
    assert [d.slice for d in found.slices] == ["JFK", "LGA"]
    assert found.alarm == "open since then"


def test_sums_are_those_with_the_window_in_them_that_drifted(week: Results) -> None:
    covering = explain(week, "2013-07-02", "dep_delay").sums
    assert [(s.window_start.day, s.length.days, s.slice) for s in covering] == [(2, 2, "LGA")]
    assert explain(week, "2013-07-03", "dep_delay").sums == covering
    assert explain(week, "2013-07-01", "dep_delay").sums == ()


def test_a_slice_that_is_asked_for_is_explained(week: Results) -> None:
    found = explain(week, "2013-07-02", "dep_delay", "JFK")
    assert (found.drift.slice, found.drift.verdict, found.alarm) == ("JFK", "stable", None)


@pytest.mark.parametrize(
    ("asked", "message", "way_out"),
    [
        (("2013-07-04", "dep_delay"), "no window starts at 2013-07-04", "take the nearest: 2013-07-03"),
        (("2013-07-01T05:00", "dep_delay"), "no window starts at 2013-07-01T05:00", "take the nearest: 2013-07-01"),
        (("monday", "dep_delay"), "`monday` is not the start of a window", "write it as 2013-07-03"),
        (("2013-07-01", "dep_delya"), "no feature `dep_delya`", "did you mean dep_delay?"),
        (("2013-07-01", "dep_delay", "LAG"), "no slice `LAG`", "did you mean LGA?"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(
    week: Results, asked: tuple[str, ...], message: str, way_out: str
) -> None:
    with pytest.raises(KafkaError, match=message) as caught:
        explain(week, *asked)
    assert way_out in str(caught.value)


def test_a_slice_without_rows_in_the_window() -> None:
    found = results(records(drift(1), drift(2), drift(2, slice="LGA")), [])
    with pytest.raises(KafkaError, match="slice LGA has no `dep_delay`") as caught:
        explain(found, "2013-07-01", "dep_delay", "LGA")
    assert "slices with rows in it: JFK" in str(caught.value)


def test_the_sentence_has_distance_and_direction() -> None:
    higher = sentence(one(d_lo=0.49, d_hi=0.49, margin=0.27, verdict="drift"))
    assert higher == (
        "dep_delay in JFK has drifted: its values are higher (median 0, it was -1), and at some point the "
        "share of values below it differs by 49 percentage points, where 27 are allowed."
    )
    quantiles = {"quantiles": [x / 2 for x in EVEN], "reference_quantiles": EVEN}
    assert "are lower (median 25, it was 50)" in sentence(one(**quantiles))
    assert "spread less" in sentence(one(quantiles=[50 + x / 2 for x in range(-5, 5)], reference_quantiles=EVEN))
    assert "spread more" in sentence(one(quantiles=[2 * x - 50 for x in EVEN], reference_quantiles=EVEN))
    assert "nearly the same" in sentence(one(quantiles=EVEN, reference_quantiles=EVEN))
    assert "by at least 20 percentage" in sentence(one(d_lo=0.2, d_hi=0.21))


def test_the_sentence_of_what_is_no_drift() -> None:
    assert sentence(one(slice="(all)")).startswith("dep_delay is as in the reference: ")
    beyond = {"d_lo": 0.5, "d_hi": 0.5, "margin": 0.25, "verdict": "stable"}
    assert "of the windows up to this one, 30% were as far away" in sentence(one(**beyond, q=1e-9, rank=0.3))
    assert "may be chance" in sentence(one(**beyond, q=0.01, rank=0.01))
    assert "no rows to compare" in sentence(one(verdict="no reference", d_lo=None, margin=None))
    few = sentence(one(verdict="too few", d_lo=None, margin=None, n=3, nulls=2))
    assert "it has 5 rows, 2 of them NULL" in few


def test_the_sentence_of_nulls() -> None:
    gone = one(n=75, nulls=25, reference_n=990, reference_nulls=10, d_lo=0.1, margin=0.2, verdict="drift")
    assert "25.0% of its rows are NULL, 1.0% in the reference" in sentence(gone)
    assert {m.name: m.value for m in measures(gone)}["NULL"] == "25.0%"


def test_text_has_neither_quantiles_nor_their_measures() -> None:
    carrier = one(feature="carrier", d_lo=0.4, d_hi=0.4, verdict="drift", **TEXT)
    assert draw_quantiles(carrier, 80) == []
    assert {m.name for m in measures(carrier)} == {"distance", "q", "rank"}
    assert "the shares of its values differ by 40 percentage" in sentence(carrier)


def test_measures_leave_out_what_is_null_and_put_the_rest_in_words() -> None:
    empty = one(d_lo=None, d_hi=None, margin=None, q=None, rank=None, verdict="no reference", **TEXT)
    assert measures(empty) == []
    words = {m.name: (m.value, m.meaning) for m in measures(one(q=0.004, rank=0.125, d_hi=0.2, late=3))}
    assert words["distance"][0] == "0.100..0.200"
    assert words["q"][1].startswith("up to 0.4% of the alarms")
    assert words["rank"][1].startswith("12.5% of the windows")
    assert words["late"][0] == "3"


def test_the_commands_read_the_topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path, {"models/late_arrival": MODEL})
    kafka = {
        "drift": records(drift(1), drift(2, d_lo=0.6, verdict="drift"), drift(1, days=2, verdict="drift")),
        "alerts": records(alert(defined_at="sql/models/late_arrival.sql:3")),
    }
    monkeypatch.setenv("MILLSTREAM_KAFKA", "localhost:1")
    monkeypatch.setattr(topics, "names", lambda _: list(kafka))
    monkeypatch.setattr(topics, "read", lambda _, topic: kafka[topic])

    def millstream(*args: str) -> str:
        done = CliRunner().invoke(command, args, obj=Context(project.root), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "Open alarms: 1" in millstream("show")
    shown = json.loads(millstream("show", "--json", "--last", "1"))
    assert shown["windows"] == ["2013-07-02T00:00:00Z"]
    assert [(v["feature"], v["slice"], v["verdict"]) for v in shown["verdicts"]] == [("dep_delay", "JFK", "drift")]
    assert [s["window_end"] for s in shown["drifted_sums"]] == ["2013-07-03T00:00:00Z"]
    assert [alarm["slice"] for alarm in shown["open_alarms"]] == ["JFK"]

    page = millstream("explain", "2013-07-02", "dep_delay")
    assert "sql/models/late_arrival.sql:3  dep_delay FLOAT -- minutes" in page
    assert max(map(len, page.splitlines())) <= 100
    explained = json.loads(millstream("explain", "2013-07-02", "dep_delay", "--json"))
    assert explained["defined_at"] == "sql/models/late_arrival.sql:3"
    assert explained["sentence"].startswith("dep_delay in JFK has drifted")
    assert len(explained["quantiles"]) == 10

    # Without an alarm, SQL says where it is; but here the model has no file, and that is no hindrance.
    kafka["alerts"] = []
    assert "2013-07-02" in millstream("explain", "2013-07-02", "dep_delay")
    assert json.loads(millstream("explain", "2013-07-02", "dep_delay", "--json"))["defined_at"] is None
