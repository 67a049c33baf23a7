"""The model server beside ONNX Runtime called directly, and the table of the comparison with it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from bench.peers.one_run import Figures
from bench.remote.contestants import model_server
from bench.remote.job import RemoteScore
from bench.remote.tables import row

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = Path(__file__).parents[2] / "bench" / "models" / "mlp.onnx"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with model_server() as server:
        yield server.address


@pytest.mark.parametrize("batched", [True, False])
def test_the_server_gives_each_row_its_score(address: str, batched: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    x = np.random.default_rng(1).normal(size=(300, 16)).astype(np.float32)
    score = RemoteScore(address, batched=batched)
    score.open(None)
    found = score.eval(*(pd.Series(x[:, i]) for i in range(16)))
    (expected,) = onnxruntime.InferenceSession(MODEL).run(None, {"x": x})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[:, 0], rtol=1e-5, atol=1e-6)


def figures(steady: float, cpu_us: float, server_us: float = 0.0) -> Figures:
    return Figures("any", 60.0, steady, cpu_us, 3.0, 0.0, server_us)


def test_the_servers_time_counts_beside_the_jobs() -> None:
    runs = [
        {"embedded": figures(100, 10), "remote_rows": figures(10, 60, 40)},
        {"embedded": figures(100, 20), "remote_rows": figures(20, 70, 50)},
        {"embedded": figures(100, 10), "remote_rows": figures(40, 50, 30)},
    ]
    found = row(runs, "remote_rows")
    assert (found["cpu_us"], found["server_us"], found["both_us"]) == (60, 40, 100)
    assert found["cpu_ratio"] == pytest.approx(8)  # of 10, 6 and 8
    assert found["rate_ratio"] == pytest.approx(0.2)
    assert row(runs, "embedded")["cpu_ratio"] == 1


def test_without_the_embedded_model_or_a_long_run_there_is_no_ratio() -> None:
    assert row([{"remote_rows": figures(10, 60, 40)}], "remote_rows")["cpu_ratio"] is None
    short = [{"embedded": figures(math.nan, math.nan), "remote_rows": figures(10, 60, 40)}]
    assert row(short, "remote_rows")["cpu_ratio"] is None
