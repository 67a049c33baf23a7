"""The configuration that tuning writes: YAML that the project reads back, with a comment on each value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.tuning.choice import choose
from pyflink_jobs.tuning.options import BUNDLE, TRIED
from pyflink_jobs.tuning.rows_per_call import InnerBatch
from pyflink_jobs.tuning.search import Step
from pyflink_jobs.tuning.write_conf import Entry, entry_of_model, entry_of_step, fragment
from tests.projects import make_project

if TYPE_CHECKING:
    from pathlib import Path

RATES = {"5000": [60_100.0, 59_800.0], "20000": [81_000.0, 80_400.0], "100000": [81_500.0, 80_900.0]}
STEP = Step(BUNDLE, "20000", RATES, "records/s", choose(RATES, "20000", 0.02))


def test_a_step_has_what_was_measured_and_why_the_value_was_chosen() -> None:
    entry = entry_of_step(STEP)
    assert (entry.key, entry.value) == (BUNDLE, "20000")
    assert entry.reasons[1] == (
        "records/s: 5000: 60,100, 59,800; 20000: 81,000, 80,400; 100000: 81,500, 80,900. "
        "100000 is the best, 20000 as good within the noise of 4%: the job's current value is kept."
    )


def test_the_file_as_a_whole() -> None:
    text = fragment(
        ["Written by `millstream tune`."], [entry_of_step(STEP)], {"restart-strategy.type": "none"}, "a.yaml"
    )
    assert text == (
        "# Written by `millstream tune`.\n"
        "\n"
        "# Largest number of rows sent to a worker at once.\n"
        "# records/s: 5000: 60,100, 59,800; 20000: 81,000, 80,400; 100000: 81,500, 80,900. 100000 is the best, "
        "20000 as good\n"
        "# within the noise of 4%: the job's current value is kept.\n"
        "python.fn-execution.bundle.size: 20000\n"
        "\n"
        "# As in a.yaml; not measured.\n"
        "restart-strategy.type: none\n"
    )


VALUES = {
    "parallelism.default": "2",
    "pipeline.object-reuse": "true",
    "execution.buffer-timeout.interval": "5 ms",
    "pipeline.global-job-parameters.millstream.rows-per-call.mlp": "1024",
    "a.path": "file:///tmp/x y",
    "a.quote": "it's # no comment: 'x'",
    "a.zero": "007",
    "a.word": "null",
    "a.number": "1e5",
    "a.list": "9249-9259",
    "a.nothing": "",
}


def test_every_value_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    project = make_project(tmp_path, {})
    entries = [Entry(key, value, ("why",)) for key, value in VALUES.items()]
    (tmp_path / "tuned.yaml").write_text(fragment([], entries, {}, ""))
    assert read_configuration(project, "tuned.yaml") == VALUES


def inner(speeds: dict[str, list[float]]) -> InnerBatch:
    return InnerBatch("mlp", 5000, speeds, choose(speeds, "512", 0.01))


def test_another_number_of_rows_per_call_is_written_only_where_it_is_faster() -> None:
    faster = entry_of_model(inner({"512": [2e6, 2e6], "1024": [3e6, 3e6]}), "key")
    assert faster.value == "1024"
    assert "512: 2,000; 1024: 3,000. 1024 is chosen." in faster.reasons[0]
    same = entry_of_model(inner({"512": [2e6, 2e6], "1024": [2.01e6, 2.01e6]}), "key")
    assert same.value is None
    fixed = entry_of_model(InnerBatch("m", 10, {}, None), "key")
    assert (fixed.value, fixed.reasons) == (None, ("Model m has no choice of rows per call.",))


@pytest.mark.parametrize("key", [key for key, option in TRIED.items() if option.values])
def test_candidates_hold_what_the_job_has(key: str) -> None:
    option = TRIED[key]
    for now in (option.default, *option.values):
        values = option.candidates(now)
        assert now in values
        assert len(set(values)) == len(values) >= len(option.values)
