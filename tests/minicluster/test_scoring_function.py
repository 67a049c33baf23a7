"""The scoring function inside Flink against ONNX Runtime called directly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pyflink_jobs.project.interpreter import EXECUTION_MODE, THREAD
from pyflink_jobs.project.settings import Project, Settings
from pyflink_jobs.running.environment import table_environment
from tests.scoring_job import GATHER, MLP, OPTIONS, STRINGS, rows, score
from tests.unit.onnx_models import run_directly
from udfs.flink.row_scoring import row_scoring_function
from udfs.flink.scoring import scoring_function

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyflink_jobs.running.minicluster import MiniCluster
    from udfs.scoring.model import ModelSpec

IDS, FEATURES, N, X, S, B = (list(column) for column in zip(*rows(), strict=True))


@pytest.fixture(scope="module", params=["process", "thread", pytest.param("loopback", marks=pytest.mark.slow)])
def scored(
    request: pytest.FixtureRequest, cluster: MiniCluster, tmp_path_factory: pytest.TempPathFactory
) -> list[list[Any]]:
    """Return the job's rows by id: from a worker as on a cluster, from the JVM, or from the client's process."""
    if request.param != "loopback":
        project = Project(tmp_path_factory.mktemp("scored"), Settings())
        options = {**cluster.options, **OPTIONS, EXECUTION_MODE: request.param}
        function = row_scoring_function if request.param == THREAD else scoring_function
        return sorted(score(table_environment(project, options), function))
    job = subprocess.run(
        [sys.executable, "-m", "tests.scoring_job"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "_python_worker_execution_mode": request.param},
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    answer: list[list[Any]] = json.loads(job.stdout)
    return sorted(answer)


def truth(spec: ModelSpec, *columns: list[Any]) -> list[NDArray[Any]]:
    """Return ONNX Runtime's outputs for rows without NULL, in one call whose size is a multiple of 16."""
    size = -(-len(columns[0]) // 16) * 16
    dtypes = [object if given.dtype == "string" else given.dtype for given in spec.inputs]
    batch = [np.resize(np.array(c, d), size) for c, d in zip(columns, dtypes, strict=True)]
    return [values[: len(columns[0])] for values in run_directly(spec, batch)]


def fields(scored: list[list[Any]], start: int, stop: int, keep: list[int]) -> list[list[Any]]:
    return [scored[i][start:stop] for i in keep]


def test_every_row_is_there_once(scored: list[list[Any]]) -> None:
    assert [row[0] for row in scored] == IDS


def test_a_matrix_model(scored: list[list[Any]]) -> None:
    [p] = truth(MLP, *[list(column) for column in zip(*FEATURES, strict=True)])
    assert fields(scored, 1, 3, IDS) == [[float(value), None] for value in p]


def test_refused_rows_and_nulls_in_an_int_column(scored: list[list[Any]]) -> None:
    good = [i for i in IDS if N[i] is not None and -5 <= N[i] < 5 and X[i] is not None]
    [y] = truth(GATHER, [N[i] for i in good], [X[i] for i in good])
    assert [(np.float32(score), why) for score, why in fields(scored, 3, 5, good)] == [(value, None) for value in y]
    bad = {0, 5, 10, 15}  # each position of a batch of 4
    assert bad.isdisjoint(good)
    for i in set(IDS) - set(good):
        score, why = scored[i][3:5]
        assert score is None
        if i in bad:
            assert f"out of data bounds, idx={N[i]} must be within" in why
        elif N[i] is None:
            assert why == "input `i` is NULL, and int64 has no NaN"
        else:
            assert why == "output `y` is NaN"


def test_text_beside_numbers_where_null_is_refused(scored: list[list[Any]]) -> None:
    good = [i for i in IDS if S[i] is not None and X[i] is not None]
    label, p0, p1 = truth(STRINGS, [S[i] for i in good], [X[i] for i in good], [1.5] * len(good))
    found = [(n, np.float32(a), np.float32(b), why) for n, a, b, why in fields(scored, 5, 9, good)]
    assert found == [(int(n), a, b, None) for n, a, b in zip(label, p0, p1, strict=True)]
    assert 0 < len(good) < len(IDS)
    for i in set(IDS) - set(good):
        missing = "`carrier` is NULL, and string has no NaN" if S[i] is None else "`delay` is NULL or NaN"
        assert scored[i][5:9] == [None, None, None, f"input {missing}"]


def test_values_of_every_type_come_back_as_they_went_in(scored: list[list[Any]]) -> None:
    good = [i for i in IDS if None not in (N[i], B[i], S[i], X[i])]
    assert {2**53 + 1, -(2**63)} <= {N[i] for i in good}
    assert fields(scored, 9, 14, good) == [[N[i], B[i], S[i], X[i], None] for i in good]
    for i in set(IDS) - set(good):
        n, b, s, x, why = scored[i][9:14]
        if None in (N[i], B[i], S[i]):
            assert (n, b, s, x) == (None, None, None, None)
            assert why.endswith("has no NaN")
        else:
            assert (n, b, s, x, why) == (N[i], B[i], S[i], None, "output `x` is NaN")
