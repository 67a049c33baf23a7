"""The formula of sizes, against numbers worked out by hand."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.tuning.sizing import Cost, lines, predict, size


def test_a_million_records_a_second_by_hand() -> None:
    """20 µs are 20 cores; a slot of one core does 50,000/s, half of it is left free: 40 slots, 20 TaskManagers."""
    found = size(1e6, Cost(us=20, slot_rate=None, workers=1, worker=200), headroom=0.5)
    assert (found.cores, found.of_slot, found.slots, found.partitions, found.taskmanagers) == (20, 50_000, 40, 40, 20)
    assert found.memory == 1920 + 2 * (512 + 200)
    assert found.total == 20 * 3344


def test_a_slot_is_taken_to_do_no_more_than_was_measured() -> None:
    found = size(100_000, Cost(us=10, slot_rate=40_000, workers=1, worker=200), headroom=0)
    assert (found.of_slot, found.slots) == (40_000, 3)
    assert size(100_000, Cost(us=10, slot_rate=200_000, workers=1, worker=200), headroom=0).of_slot == 100_000


def test_two_slots_of_a_monitored_model_are_what_production_yaml_has() -> None:
    found = size(1000, Cost(us=20, slot_rate=None, workers=1, worker=190), headroom=0.5)
    assert found.taskmanagers == 1
    assert 3300 < found.memory <= 3456


def test_the_lines_show_the_numbers_put_in() -> None:
    found = size(100_000, Cost(us=12.5, slot_rate=60_000, workers=1, worker=180), headroom=0.25)
    shown = {name: (formula, result) for name, formula, result in lines(found, partitions=4)}
    assert shown["CPU"] == ("100,000 records/s x 12.5 µs", "1.2 cores")
    assert shown["slots"] == ("100,000 / (60,000 x (1 - 0.25 headroom)), rounded up", "3")
    assert shown["partitions"][0].endswith("it has 4 now")
    assert shown["memory of one"] == ("1,920 JVM + 2 slots x (512 state + 1 workers x 180)", "3,304 MiB")


@given(st.floats(1, 1e7), st.floats(1, 500), st.floats(0, 0.9))
def test_the_slots_are_enough_and_one_less_is_not(rate: float, us: float, headroom: float) -> None:
    found = size(rate, Cost(us, None, 1, 190), headroom)
    capacity = 1e6 / us * (1 - headroom)
    assert found.slots * capacity >= rate * (1 - 1e-6)
    assert found.slots == 1 or (found.slots - 1) * capacity < rate * (1 + 1e-6)
    assert found.partitions >= found.slots
    assert math.isclose(found.total, found.taskmanagers * found.memory)


def test_slots_add_up_until_the_cores_are_used_up() -> None:
    assert predict(slot_rate=60_000, us=10, slots=2, cores=2) == 120_000
    assert predict(slot_rate=60_000, us=20, slots=2, cores=2) == 100_000
