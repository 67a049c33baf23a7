"""Results name the categories that appeared, vanished or changed, at any parallelism, and near spellings are found."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.drift.category_changes import category_changes, in_words
from pyflink_jobs.drift.explain import explain, sentence
from pyflink_jobs.drift.results import results
from tests.drift_records import drift, records
from tests.reported_windows import follower
from udfs.distributions.categories import NEW, Categories, some
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts, count, count_groups
from udfs.distributions.partial import from_bytes, to_bytes
from udfs.drift.record_values import RESULT_FIELDS, result_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = Features(("x",), (Categories(("JFK", "LGA"), complete=True),))
TEXTS = st.lists(st.sampled_from(["JFK", "LGA", "jfk", "EWR", "LGA ", None]) | st.text(max_size=2), max_size=80)


def counted(values: list[str | None]) -> Counts:
    return count(FEATURES, [np.array(values, object)])


@given(values=TEXTS, cuts=st.lists(st.integers(0, 80), max_size=4))
def test_new_names_are_counted_whatever_the_batches(values: list[str | None], cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(values)]
    parts = [counted(values[a:b]) for a, b in pairwise(ends)]
    forth, back = parts[0], parts[-1]
    for part in parts[1:]:
        forth = from_bytes(to_bytes(forth), FEATURES) + part
    for part in reversed(parts[:-1]):
        back = part + back
    truth = Counter(value for value in values if value not in ("JFK", "LGA", None))
    expected = {0: {name: truth[name] for name in sorted(truth)}} if truth else {}
    if len(truth) <= NEW:
        assert forth.new == expected
    assert forth.new == back.new == counted(values).new
    assert to_bytes(forth) == to_bytes(back)


def test_of_many_new_names_the_same_ones_are_kept() -> None:
    names = {f"n{i}": i + 1 for i in range(500)}
    halves = [dict(list(names.items())[:300]), dict(list(names.items())[300:])]
    kept = some(Counter(some(halves[0])) + Counter(some(halves[1])))
    assert kept == some(names)
    assert len(kept) == NEW


def test_groups_have_their_own_new_names() -> None:
    values = np.array(["JFK", "EWR", "EWR", "jfk", None, "LGA"], object)
    group = np.array([0, 0, 1, 1, 1, 2])
    found = count_groups(FEATURES, [values], group, 3)
    assert [counts.new for counts in found] == [{0: {"EWR": 1}}, {0: {"EWR": 1, "jfk": 1}}, {}]


def test_names_are_not_kept_where_the_reference_has_too_many_to_know_what_is_new() -> None:
    features = Features(("x",), (Categories(("JFK", "LGA")),))
    assert count(features, [np.array(["EWR"], object)]).new == {}


def place(generator: np.random.Generator, n: int, shares: dict[str, float]) -> NDArray[np.object_]:
    return generator.choice(np.array(list(shares), object), n, p=list(shares.values()))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return the record of a window in which LGA is spelled lga, EWR is gone, and JFK is nearly as before."""
    generator = np.random.default_rng(0)
    before = {"JFK": 0.5, "LGA": 0.3, "EWR": 0.2}
    windows = [place(generator, 200, before) for _ in range(30)]
    job = follower(tmp_path_factory.mktemp("reference"), windows)
    now = np.array(["JFK"] * 520 + ["lga"] * 250 + ["LGA"] * 130 + ["Boston"] * 100, object)
    [result, *_] = job.next({"(all)": now}).results
    values = dict(zip(RESULT_FIELDS, result_values(result), strict=True))
    times = {"window_start": "2013-07-01T00:00:00Z", "window_end": "2013-07-02T00:00:00Z"}
    return drift() | values | times


def test_explain_names_what_appeared_vanished_and_changed(record: dict[str, object]) -> None:
    found = explain(results(records(record), []), "2013-07-01", "x")
    changes = {change.name: change for change in category_changes(found.drift)}
    assert {name: change.change for name, change in changes.items()} == {
        "lga": "appeared",
        "EWR": "vanished",
        "LGA": "fewer",
        "Boston": "appeared",
    }
    assert changes["lga"].share == pytest.approx(0.25)
    assert (changes["lga"].near, changes["Boston"].near) == ("LGA", None)
    assert in_words(changes["lga"]) == "`lga` appeared: 25.0%, none in the reference; it is spelled like `LGA`"
    assert "`EWR` vanished: it was" in sentence(found.drift)


@pytest.mark.parametrize(
    ("now", "known", "near"),
    [
        ("jfk", "JFK", "JFK"),
        (" New  York", "New York", "New York"),
        ("credit-card", "credit_card", "credit_card"),
        ("recieved", "received", "received"),
        ("train", "car", None),
    ],
)
def test_near_spellings(now: str, known: str, near: str | None) -> None:
    value = drift(
        quantiles=[], reference_quantiles=[], categories=[now, known], shares=[0.4, 0.6], reference_shares=[0.0, 1.0]
    )
    [appeared, *_] = category_changes(explain(results(records(value), []), "2013-07-01", "dep_delay").drift)
    assert (appeared.change, appeared.near) == ("appeared", near)


def test_what_chance_makes_is_no_change() -> None:
    value = drift(
        n=40, reference_n=4000, quantiles=[], categories=["a", "b"], shares=[0.0, 1.0], reference_shares=[0.02, 0.98]
    )
    found = explain(results(records(value), []), "2013-07-01", "dep_delay")
    assert category_changes(found.drift) == [], "two of a hundred may well be none of forty"


def test_records_of_before_have_no_names() -> None:
    found = explain(results(records(drift(quantiles=[], reference_quantiles=[])), []), "2013-07-01", "dep_delay")
    assert category_changes(found.drift) == []
    assert "the shares of its values differ" in sentence(found.drift)
