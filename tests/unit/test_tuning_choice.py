"""Choosing among measurements that scatter."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.tuning.choice import LEAST_NOISE, choose, noise
from pyflink_jobs.tuning.search import Search, in_turn

rates = st.floats(1e3, 1e6)


def test_the_best_wins_where_it_stands_out() -> None:
    choice = choose({"1": [100, 101], "2": [150, 152], "4": [180, 178]}, "1", sd=0.01)
    assert (choice.chosen, choice.why) == ("4", "best")


def test_the_default_stays_where_the_best_is_no_better_than_noise_allows() -> None:
    choice = choose({"5000": [100, 104], "20000": [103, 106], "50000": [60, 61]}, "5000", sd=0.03)
    assert (choice.chosen, choice.best, choice.why) == ("5000", "20000", "default")
    assert math.isclose(choice.margin, 0.06)  # two standard errors: 2 * .03 * sqrt(1/2 + 1/2)


def test_the_smallest_of_those_as_good_is_chosen_where_the_default_is_worse() -> None:
    choice = choose({"1": [50, 50], "2": [100, 99], "4": [101, 100]}, "1", sd=0.02)
    assert (choice.chosen, choice.best, choice.why) == ("2", "4", "smallest")


def test_less_can_be_better() -> None:
    assert choose({"5 ms": [40, 41], "100 ms": [80, 82]}, "100 ms", sd=0.02, smaller=True).chosen == "5 ms"


def test_noise_is_the_standard_deviation_of_one_measurement() -> None:
    random = np.random.default_rng(1)
    pairs = [
        (level * math.exp(a), level * math.exp(b)) for level in (10, 1e3) for a, b in random.normal(0, 0.1, (500, 2))
    ]
    assert abs(noise(pairs) - 0.1) < 0.005
    assert noise([(100.0, 100.0)]) == LEAST_NOISE


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(rates, rates), min_size=1), st.floats(0.001, 0.5))
def test_what_is_chosen_is_never_worse_than_the_best_by_more_than_the_noise(
    measured: dict[str, tuple[float, float]], sd: float
) -> None:
    choice = choose(dict(sorted(measured.items())), "a", sd)
    means = {name: sum(map(math.log, values)) / 2 for name, values in measured.items()}
    assert means[choice.chosen] >= max(means.values()) - 2 * sd - 1e-9
    if "a" in measured and means["a"] >= max(means.values()) - 2 * sd + 1e-9:
        assert choice.chosen == "a"


def test_candidates_are_run_in_turn_and_back() -> None:
    order: list[str] = []

    def measure(name: str) -> int:
        order.append(name)
        return len(order)

    assert in_turn(["a", "b"], measure) == {"a": [1, 4], "b": [2, 3]}
    assert order == ["a", "b", "b", "a"]


def test_each_step_of_a_search_begins_where_the_last_one_ended() -> None:
    speed = {"parallelism.default": {"1": 100.0, "2": 190.0}, "pipeline.object-reuse": {"false": 1.0, "true": 1.2}}

    def measure(options: dict[str, str]) -> float:
        return math.prod(speed[key][options[key]] for key in speed)

    search = Search({"parallelism.default": "1", "pipeline.object-reuse": "false"})
    for key, candidates in speed.items():
        search.step(key, list(candidates), measure, "records/s")
    assert search.options == {"parallelism.default": "2", "pipeline.object-reuse": "true"}
    assert search.steps[1].measured == {"false": [190.0, 190.0], "true": [228.0, 228.0]}
