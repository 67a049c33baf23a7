"""The comparison with a model server runs from end to end: a job's scores are checked, then it is timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.commands.bench_runs import run_bench

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 5_000
NAMES = ("remote_batches",)  # the embedded one is that of the comparison with peers


@pytest.mark.slow
def test_the_comparison_checks_and_runs_a_job_that_asks_a_server(tmp_path: Path) -> None:
    figures = run_bench(tmp_path, "remote", "--records", str(RECORDS), only=NAMES)
    assert list(figures["medians"]) == list(NAMES)
    assert figures["records"] == dict.fromkeys(NAMES, RECORDS)
    assert all(row["seconds"] > 0 for row in figures["medians"].values())
