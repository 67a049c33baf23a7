"""What the comparison with peers computes: the middle of a run, CPU time in it, ratios, the changed project."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from bench.peers.contestants import CONTESTANTS
from bench.peers.cpu_trace import CpuTrace, at
from bench.peers.one_run import Figures
from bench.peers.project_copy import copy_project
from bench.peers.steady import steady
from bench.peers.tables import row

PROJECT = Path(__file__).parents[2] / "bench" / "project"
BURN = """
import subprocess, sys, time
while time.process_time() < .3:
    pass
if len(sys.argv) > 1:  # start one more, and wait until it has used as much
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
print("done", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("times", "start", "end", "records"),
    [
        # One each 10 ms: from the 20th to the 80th of a hundred.
        ([10 * i for i in range(100)], 191, 791, 60),
        # Batches of ten: each is appended as a whole.
        ([100 * (i // 10) for i in range(100)], 101, 701, 60),
        # Batches of thirty: the interval has whole ones.
        ([100 * (i // 30) for i in range(90)], 1, 201, 60),
    ],
)
def test_the_middle_of_a_run(times: list[int], start: int, end: int, records: int) -> None:
    base = 1_700_000_000_000
    appended = [base + time for time in times]
    found = steady(lambda moment: sum(time < moment for time in appended), base - 5_000, base + 5_000)
    assert (found.start - base, found.end - base, found.records) == (start, end, records)
    assert found.rate == pytest.approx(1000 * records / (end - start))
    # The truth, counted: as many records as lie between.
    assert found.records == sum(found.start <= time < found.end for time in appended)


def test_a_run_whose_output_came_at_once_has_no_rate() -> None:
    found = steady(lambda moment: 100 * (moment > 50), 0, 100)
    assert math.isnan(found.rate)


def test_cpu_time_lies_on_the_line_between_two_looks() -> None:
    times, seconds = [10.0, 10.25, 10.75], [1.0, 1.5, 1.5]
    assert at(10.0, times, seconds) == 1
    assert at(10.1, times, seconds) == pytest.approx(1.2)
    assert at(10.5, times, seconds) == 1.5


def test_a_trace_counts_what_a_process_and_its_children_use() -> None:
    command = [sys.executable, "-c", BURN, BURN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "done\n"
        with CpuTrace(process.pid) as trace:
            pass
        process.communicate()
    assert trace.seconds[-1] > 0.5  # .3 each; the system counts in hundredths
    assert trace.between(trace.times[0], trace.times[-1]) == trace.seconds[-1] - trace.seconds[0]


def figures(contestant: str, steady_rate: float, cpu_us: float) -> Figures:
    return Figures(contestant, 60.0, steady_rate, cpu_us, 3.0, 0.0)


def test_ratios_are_taken_within_a_round() -> None:
    runs = [
        {
            "flink_sql": figures("flink_sql", 100, 10),
            "mlp": figures("mlp", 90, 12),
            "loop_mlp": figures("loop_mlp", 180, 6),
        },
        {
            "flink_sql": figures("flink_sql", 50, 20),
            "mlp": figures("mlp", 40, 30),
            "loop_mlp": figures("loop_mlp", 100, 10),
        },
        {
            "flink_sql": figures("flink_sql", 10, 40),
            "mlp": figures("mlp", 10, 40),
            "loop_mlp": figures("loop_mlp", 100, 10),
        },
    ]
    found = row(runs, "mlp")
    assert found["steady"] == 40
    assert found["sql_rate"] == pytest.approx(0.9)
    assert found["sql_cpu"] == pytest.approx(1.2)
    assert found["loop_rate"] == pytest.approx(0.4)
    assert found["loop_cpu"] == pytest.approx(3)
    assert found["java_rate"] is None
    assert set(row(runs, "flink_sql")) & {"loop_rate", "java_rate"} == set()


def test_a_run_too_short_to_tell_is_left_out_of_the_medians() -> None:
    runs = [{"flink_sql": figures("flink_sql", math.nan, math.nan)}, {"flink_sql": figures("flink_sql", 50, 20)}]
    assert row(runs, "flink_sql")["steady"] == 50
    assert row(runs[:1], "flink_sql")["steady"] is None


def test_each_yardstick_is_a_contestant() -> None:
    assert {name for one in CONTESTANTS.values() for name in one.yardsticks.values()} <= CONTESTANTS.keys()


def test_the_project_with_exactly_once_results(tmp_path: Path) -> None:
    copy_project(PROJECT, tmp_path / "copy", "json", exactly_once=True)
    sink = (tmp_path / "copy" / "sql" / "sinks" / "kafka_scores.sql").read_text()
    assert "'sink.delivery-guarantee' = 'exactly-once'" in sink
    assert "'format' = 'json'" in sink
    configuration = (tmp_path / "copy" / "flink.yaml").read_text()
    assert 'execution.checkpointing.interval: "5 s"' in configuration
    assert 'pipeline.object-reuse: "true"' in configuration  # of the project's own configuration


def test_the_project_in_avro_differs_in_what_names_the_format_alone(tmp_path: Path) -> None:
    copy_project(PROJECT, tmp_path / "copy", "avro", exactly_once=False)
    for file in sorted(PROJECT.rglob("*.sql")):
        before = file.read_text().splitlines()
        after = (tmp_path / "copy" / file.relative_to(PROJECT)).read_text().splitlines()
        gone, new = set(before) - set(after), set(after) - set(before)
        if file.name in ("records.sql", "kafka_scores.sql"):
            assert new == {"  'format' = 'avro'"}
            assert all("json" in line for line in gone)
        else:
            assert not gone | new
