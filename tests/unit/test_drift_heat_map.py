"""The heat map: which cell is how warm, which row comes first, what fits."""

from __future__ import annotations

import pytest
from rich.console import Console

from pyflink_jobs.drift.heat_map import draw, heat_map, legend
from pyflink_jobs.drift.pages import show_page
from pyflink_jobs.drift.results import Results, results
from pyflink_jobs.errors import KafkaError
from tests.drift_records import alert, drift, records


def text(results: Results, width: int = 120, last: int | None = None, label: str | None = None) -> str:
    """Return the page as it is in a file."""
    console = Console(width=width, color_system=None, markup=False, highlight=False)
    with console.capture() as capture:
        for part in show_page(results, heat_map(results, last, label), label, width, colour=False):
            console.print(part)
    return capture.get()


def cells(line: str, windows: int) -> str:
    """Return the cells of a line, one character each."""
    return line[len("dep_delay  ") :][: 3 * windows : 3]


def test_shades_grow_with_the_distance_in_margins() -> None:
    distances = (0.05, 0.15, 0.3, 0.4, 0.6, 0.9)  # 0.2, 0.6, 1.2, 1.6, 2.4 and 3.6 margins
    found = results(records(*(drift(day, d_lo=d) for day, d in enumerate(distances, 1))), [])
    assert cells(draw(heat_map(found), 120, colour=False)[1].plain, 6) == " -░▒▓█"


def test_a_distance_at_the_margin_is_still_calm_below_and_warm_from_it() -> None:
    found = results(records(drift(1, d_lo=0.2499), drift(2, d_lo=0.25)), [])
    assert cells(draw(heat_map(found), 120, colour=False)[1].plain, 2) == "-░"


def test_colours_carry_the_same_and_drift_has_a_mark() -> None:
    found = results(records(drift(1, d_lo=0.1), drift(2, d_lo=0.9, verdict="drift")), [])
    line = draw(heat_map(found), 120, colour=True)[1]
    grounds = [str(span.style) for span in line.spans if " on #" in str(span.style)]
    assert len(set(grounds)) == 2
    assert line.plain.startswith("dep_delay      ● ")
    assert "●" in legend(colour=True).plain


def test_no_verdict_is_a_dot_and_no_record_a_blank() -> None:
    few = drift(1, verdict="too few", margin=None, n=5)
    none = drift(3, verdict="no reference", margin=None, d_lo=None)
    found = results(records(few, none, drift(2, feature="temp")), [])
    line = next(line for line in draw(heat_map(found), 120, colour=False) if line.plain.startswith("dep_delay"))
    assert line.plain[len("dep_delay  ") :][:9] == " ·     · "


def test_the_worst_features_come_first() -> None:
    found = results(
        records(
            drift(1, feature="calm", d_lo=0.05),
            drift(1, feature="near", d_lo=0.2),
            drift(1, feature="once", d_lo=0.5),  # 1 margin beyond
            drift(1, feature="often", d_lo=0.45),  # 0.8 beyond, twice
            drift(2, feature="often", d_lo=0.45),
        ),
        [],
    )
    assert [row.feature for row in heat_map(found).rows] == ["often", "once", "near", "calm"]


def test_a_cell_is_the_worst_slice_unless_one_is_asked_for() -> None:
    found = results(
        records(drift(slice="JFK", d_lo=0.3), drift(slice="LGA", d_lo=0.7), drift(slice="EWR", d_lo=0.1)), []
    )
    [row] = heat_map(found).rows
    assert row.cells[0] is not None
    assert row.cells[0].slice == "LGA"
    assert "0.70 > 0.25  LGA 2013-07-01" in text(found)
    assert "0.10 < 0.25  EWR 2013-07-01" in text(found, label="EWR")


def test_drift_outdoes_a_greater_distance_that_is_none() -> None:
    found = results(records(drift(slice="JFK", d_lo=0.4, verdict="drift"), drift(slice="LGA", d_lo=0.7)), [])
    [row] = heat_map(found).rows
    assert [cell.slice for cell in row.cells if cell] == ["JFK"]
    assert row.drifted == 1


def test_a_shift_of_nulls_is_warm_though_values_have_not_moved() -> None:
    gone = drift(n=100, nulls=200, d_lo=0.0, margin=0.25, verdict="drift")  # two thirds, 2.7 margins
    assert cells(draw(heat_map(results(records(gone), [])), 120, colour=False)[1].plain, 1) == "▓"


def test_columns_are_the_last_windows_in_order_of_time() -> None:
    found = results(records(*(drift(day) for day in (3, 1, 4, 2))), [])
    assert [start.day for start in heat_map(found, 3).windows] == [2, 3, 4]
    page = text(found, last=3)
    assert "2013-07-02 to 2013-07-05 (UTC)" in page
    assert "not shown: 1 earlier window (--last)" in page


def test_no_line_is_wider_than_the_terminal() -> None:
    found = results(records(*(drift(day, feature="f" * 40) for day in range(1, 31))), [])
    for width in (120, 90, 75):
        page = text(found, width)
        assert max(map(len, page.splitlines())) <= width
        assert f"{'f' * 27}…  " in page
    assert "too narrow" in page
    assert "30 windows" in text(found, 120)


def test_dates_are_above_their_columns() -> None:
    found = results(records(*(drift(day) for day in range(1, 16))), [])
    axis, line = (line.plain for line in draw(heat_map(found), 56, colour=False)[:2])
    assert axis.index("07-08") - line.index("dep_delay  ") - len("dep_delay  ") == 7
    assert "07-15" not in axis  # it would reach beyond the last column


def test_around_the_map() -> None:
    late = drift(1, feature="(late)", n=1_234)
    sums = (drift(1, days=2, verdict="drift"), drift(3, days=2), drift(1, days=4))
    page = text(
        results(records(drift(1, reference="old"), drift(1), drift(2), drift(4), *sums, late), records(alert()))
    )
    assert "late_arrival, version 1  2013-07-01 to 2013-07-05 (UTC), job score" in page
    assert "3 windows of 1 day, 1 feature, 1 slice\n" in page
    assert "no rows in 1 window between them" in page
    assert "too late for their window, and not in it: 1,234 rows" in page
    assert "compared with an older reference, old" in page
    assert "Of 3 sums of several windows, 1 drifted: dep_delay 1" in page
    assert "Open alarms: 1\n• late_arrival 1: dep_delay in slice JFK has drifted since 2013-07-01" in page


def test_sums_before_the_first_window_do_not_count() -> None:
    found = results(records(*(drift(day) for day in range(1, 5)), drift(1, days=2), drift(3, days=2)), [])
    assert heat_map(found, 2).sums == 1
    assert heat_map(found, 3).sums == 2  # the first one has a window that is shown


def test_the_page_names_the_next_command() -> None:
    found = results(records(drift(1), drift(2, verdict="drift", d_lo=0.5), drift(1, slice="LGA")), [])
    assert "millstream drift explain 2013-07-02 dep_delay --slice JFK" in text(found)
    assert "explain" not in text(results(records(drift()), []))


def test_an_unknown_slice_is_answered_with_the_nearest() -> None:
    with pytest.raises(KafkaError, match="no slice `JKF`") as caught:
        heat_map(results(records(drift()), []), None, "JKF")
    assert "did you mean JFK?" in str(caught.value)
