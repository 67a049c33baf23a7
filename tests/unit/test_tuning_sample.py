"""Which offsets make a sample, and which rate its times show."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.planning.connectors.kafka import Kafka
from pyflink_jobs.tuning.measure_latency import latencies
from pyflink_jobs.tuning.sample import Sample, Span, newest, own_rate

bounds = st.dictionaries(
    st.integers(0, 9),
    st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(lambda p: (p[0], p[0] + p[1])),
    min_size=1,
)


@given(bounds, st.integers(1, 2000))
def test_a_sample_is_the_end_of_each_partition(there: dict[int, tuple[int, int]], records: int) -> None:
    chosen = newest(there, records)
    assert {part: end for part, (_, end) in chosen.items()} == {part: end for part, (_, end) in there.items()}
    assert all(there[part][0] <= start <= end for part, (start, end) in chosen.items())
    total = sum(end - start for start, end in there.values())
    count = sum(end - start for start, end in chosen.values())
    assert abs(count - min(records, total)) <= len(there) / 2


def test_rates_of_partitions_add_up() -> None:
    assert own_rate([Span(11, 0, 1000), Span(21, 500, 1500)]) == 30


def test_records_of_one_moment_tell_no_rate() -> None:
    assert own_rate([Span(100, 5, 5)]) is None
    assert own_rate([Span(1, 5, 5)]) is None


def test_the_options_of_a_sample() -> None:
    reads = Sample("events", "t", "b", {0: (5, 9), 1: (0, 0)}, None, Kafka()).reads
    assert reads["scan.startup.specific-offsets"] == "partition:0,offset:5;partition:1,offset:0"
    assert reads["scan.bounded.specific-offsets"] == "partition:0,offset:9;partition:1,offset:0"


def test_delays_are_those_of_the_second_half_in_the_order_of_arrival() -> None:
    came = np.arange(0, 1000, 10)
    late = np.linspace(300, 30, 50)  # while the job starts, scores come late
    delays = np.concatenate([late, np.full(48, 25), [60, 60]])
    found = latencies(came[::-1], (came + delays).astype(np.int64), rate=100)
    assert found is not None
    assert (found.records, found.p50) == (50, 25)
    assert 25 < found.p99 <= 60


def test_rows_that_are_no_answer_to_records_tell_no_delay() -> None:
    assert latencies(np.arange(5), np.arange(4), rate=100) is None
    assert latencies(np.arange(0), np.arange(0), rate=100) is None
