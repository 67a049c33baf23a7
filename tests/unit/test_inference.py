"""Scores against ONNX Runtime called directly, to the bit; NULLs; rows that a model refuses."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.onnx_models import SCORABLE, bits, model_spec, random_batch, run_directly
from udfs.nulls import masked
from udfs.scoring.inference import Predictions, run_inference
from udfs.scoring.model import Input, ModelSpec, Output, load_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 64
FIXED = {"fixed_batch": 4, "gather_fixed_batch": 4, "fixed_batch_3": 3}
MODELS = {name: load_model(model_spec(name)) for name in SCORABLE}


def truth(spec: ModelSpec, batch: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return ONNX Runtime's own outputs, of the dtypes that the spec wants."""
    if spec.name == "fixed_batch_3":  # each row where it is first in its call
        batch = [np.repeat(column, 3) for column in batch]
    outputs = run_directly(spec, batch, FIXED.get(spec.name))
    if spec.name == "fixed_batch_3":
        outputs = [values[::3] for values in outputs]
    return [v.astype(object if o.dtype == "string" else o.dtype) for o, v in zip(spec.outputs, outputs, strict=True)]


def take(batch: list[NDArray[Any]], rows: Any) -> list[NDArray[Any]]:  # noqa: ANN401 - whatever indexes an array
    return [column[rows] for column in batch]


@pytest.mark.parametrize("name", SCORABLE)
def test_scores_are_those_of_onnx_runtime_to_the_bit(name: str) -> None:
    batch = random_batch(MODELS[name].spec, ROWS)
    predictions = run_inference(batch, MODELS[name])
    assert predictions.error is None
    assert [bits(v) for v in predictions.outputs] == [bits(v) for v in truth(MODELS[name].spec, batch)]


@pytest.mark.parametrize("name", SCORABLE)
@given(cuts=st.sets(st.integers(1, ROWS - 1)), order=st.permutations(range(ROWS)))
@settings(max_examples=25)
def test_scores_do_not_depend_on_how_rows_are_put_into_batches(name: str, cuts: set[int], order: list[int]) -> None:
    model = MODELS[name]
    batch = random_batch(model.spec, ROWS)
    whole = truth(model.spec, batch)
    for start, stop in pairwise([0, *sorted(cuts), ROWS]):
        rows = order[start:stop]
        predictions = run_inference(take(batch, rows), model)
        assert [bits(v) for v in predictions.outputs] == [bits(v[rows]) for v in whole]


@pytest.mark.parametrize("name", ["mlp", "trees", "fixed_batch"])
def test_a_batch_larger_than_a_call(name: str) -> None:
    batch = random_batch(MODELS[name].spec, 1200)
    predictions = run_inference(batch, MODELS[name])
    assert [bits(v) for v in predictions.outputs] == [bits(v) for v in truth(MODELS[name].spec, batch)]


@pytest.mark.parametrize("name", SCORABLE)
def test_an_empty_batch_gives_empty_outputs_of_the_same_dtypes(name: str) -> None:
    spec = MODELS[name].spec
    predictions = run_inference(take(random_batch(spec, 1), slice(0)), MODELS[name])
    assert [len(v) for v in predictions.outputs] == [0] * len(spec.outputs)
    assert [v.dtype for v in predictions.outputs] == [v.dtype for v in truth(spec, random_batch(spec, 12))]


def test_optional_inputs_may_be_left_out() -> None:
    model = load_model(model_spec("optional_input", inputs=(Input("x", "x", "float32"),)))
    x = np.array([1, 2, 4], np.float32)
    assert run_inference([x], model).outputs[0].tolist() == [3, 6, 12]
    scale = np.array([1, 10, 100], np.float32)
    assert run_inference([x, scale], MODELS["optional_input"]).outputs[0].tolist() == [1, 20, 400]


def test_int64_beyond_2_to_the_53_and_every_other_dtype_come_back_as_they_went_in() -> None:
    spec = MODELS["every_dtype"].spec
    batch = random_batch(spec, 5)
    batch[0] = np.array([2**53 + 1, -(2**63), 2**63 - 1, 0, -1])
    for values, given_values in zip(run_inference(batch, MODELS["every_dtype"]).outputs, batch, strict=True):
        expected = given_values.astype(np.float16) if given_values.dtype == np.float32 else given_values
        assert values.tolist() == expected.tolist()


def test_an_output_is_widened_to_the_dtype_wanted() -> None:
    spec = model_spec("label_probabilities")
    model = load_model(model_spec("label_probabilities", outputs=(Output("p", "probabilities", 1, "float64"),)))
    batch = random_batch(spec, ROWS)
    [p] = run_inference(batch, model).outputs
    assert bits(p) == bits(run_directly(spec, batch)[2].astype(np.float64))


# NULL


def test_a_null_is_nan_to_a_model_that_takes_nan() -> None:
    batch = random_batch(MODELS["columns"].spec, 32)
    batch[0][[0, 7]] = np.nan
    predictions = run_inference(batch, MODELS["columns"])
    [expected] = run_directly(MODELS["columns"].spec, batch)
    assert bits(predictions.outputs[0]) == bits(expected)
    assert nulls(predictions) == {0: "output `y` is NaN", 7: "output `y` is NaN"}


def test_trees_score_a_null_as_they_score_nan() -> None:
    batch = random_batch(MODELS["trees"].spec, ROWS)
    batch[2][::5] = np.nan
    predictions = run_inference(batch, MODELS["trees"])
    assert predictions.error is None
    assert [bits(v) for v in predictions.outputs] == [bits(v) for v in truth(MODELS["trees"].spec, batch)]


def test_a_model_may_refuse_null() -> None:
    model = load_model(model_spec("trees", null_inputs="refuse"))
    batch = random_batch(model.spec, 32)
    batch[2][[3, 9]] = np.nan
    batch[1][9] = np.nan
    predictions = run_inference(batch, model)
    assert nulls(predictions) == {3: "input `X2` is NULL or NaN", 9: "input `X1` is NULL or NaN"}
    label, *probabilities = predictions.outputs
    assert np.flatnonzero(np.ma.getmaskarray(label)).tolist() == [3, 9]  # type: ignore[no-untyped-call]  # numpy's
    for values in probabilities:
        assert np.flatnonzero(np.isnan(values)).tolist() == [3, 9]


@pytest.mark.parametrize("column", [0, 1, 2, 3, 4, 7])
def test_a_null_refuses_the_row_where_the_dtype_has_no_nan(column: int) -> None:
    model = MODELS["every_dtype"]
    dtype = model.spec.inputs[column].dtype
    batch = random_batch(model.spec, 6)
    whole = run_inference(batch, model)
    batch[column] = masked(batch[column], np.arange(6) == 4)
    predictions = run_inference(batch, model)
    assert nulls(predictions) == {4: f"input `{dtype}` is NULL, and {dtype} has no NaN"}
    others = [0, 1, 2, 3, 5]
    for values, expected in zip(predictions.outputs, whole.outputs, strict=True):
        assert values.dtype == expected.dtype
        assert bits(np.asarray(values)[others]) == bits(expected[others])


def nulls(predictions: Predictions) -> dict[int, str]:
    """Return the errors by row."""
    assert predictions.error is not None
    return {i: why for i, why in enumerate(predictions.error) if why is not None}


# Rows that the model refuses


@pytest.mark.parametrize("rows", [1, 2, 3, 16, 17])
def test_one_bad_row_at_each_position(rows: int) -> None:
    for bad in range(rows):
        check_refused(rows, {bad})


@given(bad=st.sets(st.integers(0, 39)))
@settings(max_examples=50)
def test_bad_rows_anywhere(bad: set[int]) -> None:
    check_refused(40, bad)


def test_a_bad_row_in_a_batch_of_many_calls() -> None:
    check_refused(2000, {0, 511, 512, 1999})


def check_refused(rows: int, bad: set[int]) -> None:
    """Refuse exactly `bad`; the others score as table[i] * x, which rounds once and is exact to the bit."""
    model = MODELS["gather"]
    index, x = random_batch(model.spec, rows)
    table = run_directly(model.spec, [np.arange(5), np.ones(5, np.float32)])[0]
    expected = table[index] * x
    index[list(bad)] = [9 if i % 2 else -6 for i in bad]
    expected[list(bad)] = np.nan
    predictions = run_inference([index, x], model)
    assert bits(predictions.outputs[0]) == bits(expected)
    assert set(nulls(predictions) if bad else {}) == bad
    for i in bad:
        assert f"idx={index[i]} must be within the inclusive range [-5,4]" in nulls(predictions)[i]


@pytest.mark.parametrize("bad", range(6))
def test_a_bad_row_in_a_fixed_batch(bad: int) -> None:
    model = MODELS["gather_fixed_batch"]
    batch = random_batch(model.spec, 6)
    [whole] = run_inference(batch, model).outputs
    batch[0][bad] = 77
    predictions = run_inference(batch, model)
    assert set(nulls(predictions)) == {bad}
    others = [i for i in range(6) if i != bad]
    assert bits(predictions.outputs[0][others]) == bits(whole[others])
    assert np.isnan(predictions.outputs[0][bad])


def test_refused_rows_do_not_write_to_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    check_refused(16, {3, 8})
    assert capfd.readouterr() == ("", "")
