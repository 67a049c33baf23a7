"""What is said of a p99 that was measured, reckoned, or missed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from pyflink_jobs.tuning.bundle_cost import BundleCost, cycle
from pyflink_jobs.tuning.latency import Bound
from pyflink_jobs.tuning.measure_latency import Latency
from pyflink_jobs.tuning.report import _entries_of_mode, expectation

COST = BundleCost(0.011, 5e-6)
BOUND = Bound(
    limit=50,
    rate=2000,
    parallelism=1,
    cost=COST,
    seconds={1000: [0.016, 0.016]},
    time=5,
    expected=cycle(COST, 2000, 5),
    rest=12.0,
    latencies=[Latency(25, 43, 20_000, 2000), Latency(26, 44, 20_000, 2000)],
    p99=44,
)


def test_a_measured_p99() -> None:
    assert BOUND.met
    assert expectation(BOUND) == (
        "Expected at 2,000 records/s: a p99 of 44 ms from a record's arrival in Kafka to its score's. "
        "Measured: 43 and 44 ms, of 20,000 records each."
    )


def test_an_estimated_p99_names_what_it_leaves_out() -> None:
    text = expectation(replace(BOUND, latencies=[], rest=0.0, p99=30.9))
    assert "31 ms for the model's bundles alone" in text
    assert "The whole was not measured" in text


def test_a_limit_that_is_not_kept() -> None:
    missed = replace(BOUND, limit=40)
    assert not missed.met
    assert expectation(missed).endswith("It is the smallest that was found; the limit of 40 ms is not met.")


def test_rows_in_the_jvm_where_no_bundles_meet_the_limit() -> None:
    rows = [Latency(9, 17, 20_000, 2000), Latency(9, 18, 20_000, 2000)]
    bound = replace(BOUND, limit=20, p99=18, rows=rows)
    assert bound.in_jvm
    assert bound.met
    assert expectation(bound) == (
        "Expected at 2,000 records/s: a p99 of 18 ms from a record's arrival in Kafka to its score's. "
        "Measured: 17 and 18 ms, of 20,000 records each."
    )
    bench = SimpleNamespace(search=SimpleNamespace(options={"python.fn-execution.bundle.time": "1000"}))
    [mode, time] = _entries_of_mode(bench, bound)  # type: ignore[arg-type]  # all that is used of a bench
    assert (mode.key, mode.value) == ("python.execution-mode", "thread")
    assert mode.reasons[0] == (
        "Models score each row in Flink's JVM: p99 in ms 17 and 18. In workers, with bundles every 5 ms: 43 and 44."
    )
    assert (time.key, time.value) == ("python.fn-execution.bundle.time", "1000")


def test_workers_are_kept_where_rows_are_not_faster() -> None:
    assert not BOUND.in_jvm
    assert not replace(BOUND, rows=[Latency(30, 60, 20_000, 2000)]).in_jvm
