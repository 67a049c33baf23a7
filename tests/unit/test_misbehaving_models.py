"""Calls that hang, give the wrong shape, or ask for too much memory: the row is refused, its neighbours are scored."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from tests.command_line import run_python
from tests.unit.onnx_models import bits, model_spec, run_directly
from udfs.scoring.inference import run_inference
from udfs.scoring.model import RUN_ERRORS, load_model
from udfs.scoring.time_limit import EXIT_CODE
from udfs.scoring.worker_memory import WorkerMemoryError, check_memory

HANGS = 1e15  # steps
HUGE = 1e9  # float32 values: 4 GB, where half of the default bound is 1 GB
LIMIT = 1.0  # seconds; healthy rows need a thousandth of it, but a busy machine may pause
PLACES = [{0}, {5}, {15}, {16}, {39}, {0, 1, 38, 39}, {3, 17, 18}, set(range(40))]


def check(name: str, poison: float, bad: set[int], words: str, rows: int = 40, healthy: int = 1) -> None:
    """Refuse exactly `bad`; the others score as ONNX Runtime alone scores them without the bad ones, to the bit."""
    spec = model_spec(name, time_limit=LIMIT if name == "slow" else 60)
    random = np.random.default_rng(1)
    command = random.integers(0, healthy, rows).astype(np.float32)
    x = random.normal(size=rows).astype(np.float32)
    command[list(bad)] = poison
    good = [i for i in range(rows) if i not in bad]
    predictions = run_inference([command, x], load_model(spec))
    expected = np.full(rows, np.nan, np.float32)
    if good:
        [expected[good]] = run_directly(spec, [command[good], x[good]])
    assert bits(predictions.outputs[0]) == bits(expected)
    assert predictions.error is not None
    refused = {i: why for i, why in enumerate(predictions.error) if why is not None}
    assert set(refused) == bad
    for why in refused.values():
        assert words in why


@pytest.mark.parametrize("bad", [{0}, {16}, {3, 17, 39}])
def test_rows_that_never_end(bad: set[int]) -> None:
    check("slow", HANGS, bad, "the model did not answer within 1 s", healthy=40)


@pytest.mark.parametrize("bad", PLACES)
def test_rows_that_vanish(bad: set[int]) -> None:
    check("vanishing", -1, bad, "output `y` has shape [0, 1] for 16 rows; one value per row is wanted for `y`")


@pytest.mark.parametrize("bad", PLACES)
def test_rows_that_ask_for_too_much_memory(bad: set[int]) -> None:
    check(
        "huge",
        HUGE,
        bad,
        "asked for 4,000,000,000 bytes at once, and all its calls together may hold 1,073,741,824",
        healthy=9,
    )


@pytest.mark.parametrize("bad", PLACES)
def test_rows_that_reshape_the_output(bad: set[int]) -> None:
    check("reshaped", 3, bad, "output `y` has shape [4, 4] for 16 rows")


def test_rows_that_vanish_and_others_that_come_twice_are_as_many_as_they_were() -> None:
    command = np.array([0, -1, 0, 1, 0] * 8, np.float32)
    x = np.arange(40, dtype=np.float32)
    [direct] = run_directly(model_spec("vanishing_or_double"), [command, x])
    assert len(direct) == len(command)  # what makes it hard: the shape is right, and rows are in others' places
    predictions = run_inference([command, x], load_model(model_spec("vanishing_or_double")))
    assert bits(predictions.outputs[0]) == bits(np.where(command == 0, x, np.float32(np.nan)))
    assert predictions.error is not None
    assert predictions.error[3] == "output `y` has shape [32, 1] for 16 rows; one value per row is wanted for `y`"
    assert [why is None for why in predictions.error] == (command == 0).tolist()


def test_memory_of_a_large_call_is_given_back_before_the_next() -> None:
    """More than half of the arena, then a call that wants another size: the first must not block it."""
    model = load_model(model_spec("huge"))
    for values in (1.6e8, 2.4e8):
        predictions = run_inference([np.array([values], np.float32), np.array([7], np.float32)], model)
        assert predictions.error is None
        assert predictions.outputs[0].tolist() == [7]


def test_a_call_that_is_stopped_does_not_stop_the_next_one() -> None:
    slow, mlp = load_model(model_spec("slow", time_limit=LIMIT)), load_model(model_spec("mlp", time_limit=60))
    batch = [np.array([HANGS], np.float32), np.array([1], np.float32)]
    for _ in range(2):
        assert run_inference(batch, slow).error is not None
        assert run_inference([np.zeros(600, np.float32)] * 16, mlp).error is None


def test_errors_that_stop_a_row_are_all_known() -> None:
    """A model that refuses its input raises one of RUN_ERRORS; anything else would end the job."""
    for name, command in {"slow": HANGS, "vanishing": -1.0, "reshaped": 3.0, "huge": HUGE}.items():
        model = load_model(model_spec(name, time_limit=LIMIT if name == "slow" else 60))
        matrix = np.full((16, 2), command, np.float32)
        with pytest.raises(RUN_ERRORS):
            model.run({"X": matrix})


def test_an_operator_that_cannot_be_stopped_ends_the_process_with_words() -> None:
    ended = run_python(
        "import numpy as np\n"
        "from tests.unit.onnx_models import model_spec\n"
        "from udfs.scoring.inference import run_inference\n"
        "from udfs.scoring.model import load_model\n"
        "model = load_model(model_spec('stubborn', time_limit=1))\n"
        "one = np.ones(1, np.float32)\n"
        "print(run_inference([one, one], model).outputs[0].tolist(), flush=True)\n"
        "run_inference([one * 8000, one], model)\n"
    )
    assert (ended.returncode, ended.stdout) == (EXIT_CODE, "[1.0]\n")
    assert "model stubborn, version 1, did not answer within 1 s, and did not stop within another 2 s" in ended.stderr
    assert "raise 'time-limit'" in ended.stderr


def test_a_worker_that_grows_beyond_its_bound() -> None:
    if not os.path.exists("/proc/self/statm"):  # noqa: PTH110 - as short as it can be
        pytest.skip("only Linux says how much a process holds")
    check_memory(8 * 2**30)
    with pytest.raises(WorkerMemoryError, match=r"holds [\d,]+ MiB, more than the 10 MiB it may.*worker_memory"):
        check_memory(10 * 2**20)
    spec = model_spec("linear")
    batch = [np.ones(2, np.float32)] * 3
    assert run_inference(batch, load_model(spec)).error is None
    with pytest.raises(WorkerMemoryError):
        run_inference(batch, replace(load_model(spec), spec=replace(spec, worker_memory=10 * 2**20)))


def test_calls_share_half_of_the_workers_memory() -> None:
    answer = run_python(
        "import numpy as np\n"
        "from tests.unit.onnx_models import model_spec\n"
        "from udfs.scoring.inference import run_inference\n"
        "from udfs.scoring.model import load_model\n"
        "model = load_model(model_spec('huge', worker_memory=2**28))\n"
        "for values in (2**24, 2**25, 2**26, 2**27):\n"
        "    batch = [np.array([values], np.float32), np.ones(1, np.float32)]\n"
        "    print(run_inference(batch, model).error is None)\n"
    )
    assert answer.stdout.split() == ["True", "False", "False", "False"], answer.stderr


@pytest.mark.parametrize("name", ["mlp", "trees", "strings", "gather", "every_dtype", "misbehaving", "reshaped"])
def test_other_models_keep_calls_of_many_rows(name: str) -> None:
    assert load_model(model_spec(name, outputs=model_spec(name).outputs[:1])).calls.rows == 512
