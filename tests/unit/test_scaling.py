"""What the scaling bench computes: growth per doubling, the wider project, its records."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from bench.records import json_records
from bench.scaling import FLOATS, JOBS, SHAPES, Predicted, Shape, growth_per_doubling, lines, predictions
from bench.wide_project import wide_project
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from udfs.scoring.signature import read_signature

PROJECT = Path(__file__).parents[2] / "bench" / "project"


def test_growth_counts_each_doubling() -> None:
    assert growth_per_doubling([1, 2, 8], [10, 11, 44]) == pytest.approx([0.1, 1.0])
    assert growth_per_doubling([16, 64, 256], [3, 3, 3 / 4]) == pytest.approx([0, -0.5])
    assert math.isnan(growth_per_doubling([1, 2], [math.nan, 3])[0])


def test_lines_are_per_record_over_slots_and_per_value_over_floats() -> None:
    measured = {(shape, job): (shape.floats + shape.slots) * (1.0 + (job == "mlp")) for shape in SHAPES for job in JOBS}
    found = {(line.job, line.over): line for line in lines(measured)}
    assert found["none", "slots"].us == [17, 18, 20]
    assert found["mlp", "floats"].x == list(FLOATS)
    assert found["mlp", "floats"].us == pytest.approx([2 * 18 / 16, 2 * 66 / 64, 2 * 258 / 256])


def test_rates_are_predicted_from_one_slot_and_bounded_by_the_cores() -> None:
    rates = {1: 50_000.0, 2: 90_000.0, 4: 120_000.0}
    medians = {(Shape(n, 16), "mlp"): {"steady": rate, "cpu_us": 15.0, "broker_us": 1.0} for n, rate in rates.items()}
    # 16 µs a record: two cores do 125,000 a second.
    expected = [Predicted("mlp", 2, 100_000, 90_000), Predicted("mlp", 4, 125_000, 120_000)]
    assert predictions(medians, cores=2) == expected


@pytest.mark.parametrize("floats", FLOATS)
def test_the_wider_project_keeps_its_contracts(tmp_path: Path, floats: int) -> None:
    wide_project(PROJECT, tmp_path / "wide", floats, 4)
    project = Project.find(tmp_path / "wide", {})
    assert project.settings.parallelism == 4
    declared = declare(project, "localhost:1")
    names = [f"x{i}" for i in range(floats)]
    assert [column.name for column in declared.models["mlp"].definition.inputs] == names
    jobs = [declared.job(f"{job}_kafka") for job in JOBS]
    # Jobs that are not measured still have what they had.
    assert not [finding for job in jobs for finding in job.findings]
    (none,), (mlp,) = (job.own for job in jobs)
    assert none.text.count(" + ") == floats - 1
    assert f"DESCRIPTOR({', '.join(names)})" in mlp.text
    signature = read_signature(tmp_path / "wide" / "models" / "mlp" / "1" / "model.onnx")
    assert [tensor.shape for tensor in signature.inputs] == [("batch", floats)]


def test_wider_records_have_a_value_for_each_column() -> None:
    record = json.loads(json_records(0, 3, 7, floats=64)[2])
    assert list(record) == ["id", "sent_us", *(f"x{i}" for i in range(64))]
    assert (record["id"], record["sent_us"]) == (2, 7)
