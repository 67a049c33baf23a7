"""Rows scored one by one and in batches: the same scores and reasons, to the bit, and those of ONNX Runtime."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.both_ways import WAYS, bits_of, score
from tests.command_line import run_python
from tests.unit.onnx_models import SCORABLE, model_spec, random_batch, run_directly
from udfs.scoring import time_limit
from udfs.scoring.model import load_model
from udfs.scoring.row_scorer import RowScorer
from udfs.scoring.time_limit import EXIT_CODE

if TYPE_CHECKING:
    from udfs.scoring.model import ModelSpec

FIXED = {"fixed_batch": 4, "gather_fixed_batch": 4, "fixed_batch_3": 3}
MODELS = {name: load_model(model_spec(name)) for name in SCORABLE}
NAN, INF = math.nan, math.inf
LARGE = float(np.float32(3.4028235e38))
pytestmark = pytest.mark.filterwarnings("error")  # a value that numpy changes must be noticed, not warned of


def rows_of(spec: ModelSpec, count: int) -> list[list[Any]]:
    return [list(row) for row in zip(*(column.tolist() for column in random_batch(spec, count)), strict=True)]


def truth(spec: ModelSpec, rows: list[list[Any]]) -> list[tuple[Any, ...]]:
    """Return ONNX Runtime's own outputs of rows, each repeated until its call is full."""
    size = FIXED.get(spec.name, 16)
    dtypes = [object if i.dtype == "string" else i.dtype for i in spec.inputs]
    found = []
    for row in rows:
        outputs = run_directly(spec, [np.full(size, value, kind) for value, kind in zip(row, dtypes, strict=True)])
        found.append(tuple(values[0] if isinstance(values[0], str) else values[0].item() for values in outputs))
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SCORABLE)
def test_scores_are_those_of_onnx_runtime(name: str, way: str) -> None:
    spec = MODELS[name].spec
    rows = rows_of(spec, 20)
    expected = [(values, None) for values in truth(spec, rows)]
    assert bits_of(score(way, MODELS[name], rows)) == bits_of(expected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"int64": None}, "input `int64` is NULL, and int64 has no NaN"),
        ({"string": None, "int8": None}, "input `int8` is NULL, and int8 has no NaN"),
        ({"int8": 128}, "input `int8` is 128, and int8 holds whole numbers from -128 to 127"),
        ({"int8": 1.5}, "input `int8` is 1.5, and int8 holds whole numbers from -128 to 127"),
        ({"int16": NAN}, "input `int16` is nan, and int16 holds whole numbers from -32768 to 32767"),
        ({"int32": INF}, "input `int32` is inf, and int32 holds whole numbers from -2147483648 to 2147483647"),
        (
            {"int64": 2.0**63},
            f"input `int64` is 9.223372036854776e+18, and int64 holds whole numbers from {-(2**63)} to {2**63 - 1}",
        ),
        ({"float16": 65520.0}, "input `float16` is 65520.0, and float16 holds at most 65504"),
        ({"float16": -1e39, "int8": None}, "input `int8` is NULL, and int8 has no NaN"),
    ],
)
def test_a_value_that_the_model_cannot_have_refuses_the_row(values: dict[str, Any], why: str, way: str) -> None:
    model = MODELS["every_dtype"]
    usual: dict[str, Any] = {"string": "a", "bool": True}
    row = [values.get(i.dtype, usual.get(i.dtype, 1)) for i in model.spec.inputs]
    assert score(way, model, [row]) == [((None,) * len(model.spec.outputs), why)]


@pytest.mark.parametrize("way", WAYS)
def test_a_number_beyond_the_largest_float32(way: str) -> None:
    why = "input `a` is -1e+39, and float32 holds at most 3.40282347e+38"
    assert score(way, MODELS["columns"], [[-1e39, 1e39]]) == [((None,), why)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [None, NAN])
def test_nulls_of_floats_are_nan_or_refuse_the_row(value: float | None, way: str) -> None:
    model = MODELS["columns"]  # y = 2 a + sin b
    assert score(way, model, [[1.0, value]]) == [((None,), "output `y` is NaN")]
    strict = load_model(replace(model.spec, null_inputs="refuse"))
    rows: list[list[Any]] = [[1.0, value], [value, value], [1.0, 0.0]]
    refused = [((None,), f"input `{model.spec.inputs[n].name}` is NULL or NaN") for n in (1, 0)]
    assert score(way, strict, rows) == [*refused, ((2.0,), None)]


@pytest.mark.parametrize("way", WAYS)
def test_outputs_that_no_record_can_have(way: str) -> None:
    rows = [[LARGE, 0.0], [-LARGE, 0.0], [INF, 0.0], [0.0, INF], [1.0, 0.0]]
    words = ["Infinity", "-Infinity", "Infinity", "NaN"]
    expected = [*(((None,), f"output `y` is {word}") for word in words), ((2.0,), None)]
    assert score(way, MODELS["columns"], rows) == expected


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_the_model_refuses_does_not_change_the_next_one(way: str) -> None:
    model = MODELS["gather"]
    rows: list[list[Any]] = [[0, 1.0], [99, 1.0], [0, 1.0], [None, 1.0], [0, 1.0]]
    good, bad, *others = score(way, model, rows)
    assert good[1] is None
    assert bad[0] == (None,)
    assert "out of data bounds, idx=99 must be within" in str(bad[1])
    assert others == [good, ((None,), "input `i` is NULL, and int64 has no NaN"), good]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "command", "why"),
    [
        ("slow", 1e15, "the model did not answer within 0.5 s"),
        ("vanishing", -1.0, "output `y` has shape [0, 1] for 16 rows; one value per row is wanted for `y`"),
        ("vanishing_or_double", 1.0, "output `y` has shape [32, 1] for 16 rows; one value per row is wanted for `y`"),
        ("reshaped", 3.0, "output `y` has shape [4, 4] for 16 rows; one value per row is wanted for `y`"),
        (
            "huge",
            1e9,
            "asked for 4,000,000,000 bytes at once, and all its calls together may hold 1,073,741,824",
        ),
    ],
)
def test_calls_that_misbehave(name: str, command: float, why: str, way: str) -> None:
    model = load_model(model_spec(name, time_limit=0.5 if name == "slow" else 60))
    healthy, bad = [0.0, 7.0], [command, 1.0]
    [good] = score(way, model, [healthy])
    assert good == (truth(model.spec, [healthy])[0], None)
    found = score(way, model, [healthy, bad, healthy, bad, healthy])
    assert found[::2] == [good] * 3
    for values, words in found[1::2]:
        assert values == (None,)
        assert why in str(words)


@pytest.mark.parametrize("way", WAYS)
def test_memory_of_a_large_call_is_given_back_before_the_next(way: str) -> None:
    """More than half of the arena, then a call that wants another size: the first must not block it."""
    model = load_model(model_spec("huge"))
    assert [score(way, model, [[values, 7.0]]) for values in (1.6e8, 2.4e8)] == [[((7.0,), None)]] * 2


NUMBERS = st.one_of(
    st.floats(), st.floats(width=32), st.floats(width=16), st.sampled_from([65519.99, 65520.0, LARGE, 3.4028236e38])
)
WHOLE = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-130, 130), st.sampled_from([2**15, 2**31, -(2**31)]))


def values_for(dtype: str) -> st.SearchStrategy[Any]:
    if dtype.startswith("float"):
        return st.none() | NUMBERS
    if dtype.startswith("int"):
        # Small ones are in the models' tables.
        return st.none() | st.integers(-5, 5) | WHOLE | NUMBERS.map(float) | st.integers(-9, 9).map(float)
    return st.none() | (st.booleans() if dtype == "bool" else st.text(max_size=5))


def arriving(spec: ModelSpec) -> st.SearchStrategy[list[list[Any]]]:
    """Return rows whose columns have one type of SQL each."""

    def column(dtype: str) -> st.SearchStrategy[Any]:
        if not dtype.startswith("int"):
            return st.just(values_for(dtype))
        return st.sampled_from([st.none() | st.integers(-5, 5) | WHOLE, st.none() | NUMBERS | st.sampled_from([1.0])])

    columns = st.tuples(*(column(given.dtype) for given in spec.inputs))
    return columns.flatmap(lambda kinds: st.lists(st.tuples(*kinds).map(list), min_size=1, max_size=8))


@pytest.mark.parametrize("nulls", ["nan", "refuse"])
@pytest.mark.parametrize("name", [name for name in SCORABLE if name != "fixed_batch_3"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_rows_and_batches_agree_on_any_values(name: str, nulls: Any, data: st.DataObject) -> None:  # noqa: ANN401 - a literal
    model = load_model(replace(MODELS[name].spec, null_inputs=nulls))
    rows = data.draw(arriving(model.spec))
    assert bits_of(score("rows", model, rows)) == bits_of(score("batches", model, rows))


def test_a_stop_that_comes_when_its_call_has_ended_does_not_refuse_the_next_row() -> None:
    scorer = RowScorer(MODELS["columns"])
    scorer.limit.options.terminate = True  # by the watchdog, a moment too late
    assert scorer.score([1.0, 0.0]) == ([2.0], None)
    assert not scorer.limit.options.terminate
    scorer.close()


def test_the_watchdog_forgets_rows_that_are_over() -> None:
    scorers = [RowScorer(MODELS["columns"]) for _ in range(3)]
    before = len(time_limit._watchdog.running)  # noqa: SLF001 - what would grow with each restart of a job
    for scorer in scorers:
        scorer.close()
    assert len(time_limit._watchdog.running) == before - 3  # noqa: SLF001


def test_an_operator_that_cannot_be_stopped_ends_the_process() -> None:
    found = run_python(
        "from tests.unit.onnx_models import model_spec\n"
        "from udfs.scoring.model import load_model\n"
        "from udfs.scoring.row_scorer import RowScorer\n"
        "scorer = RowScorer(load_model(model_spec('stubborn', time_limit=1)))\n"
        "print(scorer.score([1.0, 1.0]), flush=True)\n"
        "scorer.score([8000.0, 1.0])\n",
        timeout=60,
    )
    assert (found.returncode, found.stdout) == (EXIT_CODE, "([1.0], None)\n")
    assert "model stubborn, version 1, did not answer within 1 s, and did not stop within another 2 s" in found.stderr


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says how much a process holds")
def test_a_process_that_grows_ends_though_nothing_is_checked_for_each_row() -> None:
    found = run_python(
        "from threading import Event\n"
        "from udfs.scoring.worker_memory import resident_bytes, watch_memory\n"
        "watch_memory(resident_bytes() + 50_000_000, every=0.05)\n"
        "print('watched', flush=True)\n"
        "grown = b'1' * 200_000_000\n"
        "Event().wait(30)\n",
        timeout=60,
    )
    assert (found.returncode, found.stdout) == (EXIT_CODE, "watched\n")
    assert re.search(r"holds \d+ MiB, more than the \d+ MiB that Java and worker_memory allow", found.stderr)
