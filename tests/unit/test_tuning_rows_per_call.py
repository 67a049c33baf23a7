"""Rows of a call: no size changes a score; fixed models leave no choice."""

from __future__ import annotations

import pytest

from pyflink_jobs.tuning.rows_per_call import SIZES, best_inner_batch
from tests.unit.onnx_models import SCORABLE, bits, model_spec, random_batch
from udfs.scoring.call_size import MULTIPLE
from udfs.scoring.inference import run_inference
from udfs.scoring.model import load_model

ROWS = 4096 + 77
FIXED = 300  # rows of a model with a batch of its own, which may be 3


@pytest.mark.parametrize("name", SCORABLE)
def test_scores_are_the_same_to_the_bit_at_each_size(name: str) -> None:
    spec = model_spec(name)
    batch = random_batch(spec, FIXED if "fixed_batch" in name else ROWS)
    expected = run_inference(batch, load_model(spec))
    for size in SIZES:
        found = run_inference(batch, load_model(spec, size))
        assert [bits(v) for v in found.outputs] == [bits(v) for v in expected.outputs]


def test_the_sizes_are_such_that_calls_need_no_filling() -> None:
    assert all(size % MULTIPLE == 0 for size in SIZES)


def test_each_size_is_timed_on_the_rows_given() -> None:
    found = best_inner_batch(model_spec("linear"), random_batch(model_spec("linear"), 100))
    assert found.rows == 100
    assert list(found.speeds) == [str(size) for size in SIZES]
    assert all(len(values) >= 3 and min(values) > 0 for values in found.speeds.values())
    assert found.choice is not None
    assert found.choice.chosen in found.speeds


@pytest.mark.parametrize("name", ["fixed_batch", "fixed_batch_3"])
def test_a_fixed_batch_leaves_no_choice(name: str) -> None:
    found = best_inner_batch(model_spec(name), random_batch(model_spec(name), 100))
    assert (found.speeds, found.choice) == ({}, None)
    assert load_model(model_spec(name), 1024).calls == load_model(model_spec(name)).calls
