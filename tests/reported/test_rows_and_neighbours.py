"""Models whose scores depend on neighbours or on chance are refused; those of a batch of one are scored row by row."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.cards import write_card
from tests.command_line import millstream
from tests.onnx_file import Node, Value, function, graph, onnx_file
from tests.projects import make_project
from udfs.scoring.example_rows import example_rows
from udfs.scoring.inference import run_inference
from udfs.scoring.model import Input, ModelSpec, Output, load_model
from udfs.scoring.row_check import check_rows
from udfs.scoring.signature import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pyflink_jobs.planning.declarations import Declarations

RANDOM = np.random.default_rng(5)


def some(*shape: int) -> NDArray[np.float32]:
    return RANDOM.normal(size=shape).astype(np.float32)


@dataclass(frozen=True)
class Case:
    """Nodes from X [batch, 3] to `x`, of which the score is a sum over columns; what is expected of the model."""

    name: str
    nodes: list[Node]
    words: str
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)
    functions: tuple[bytes, ...] = ()


NEIGHBOURS = "depend on the other rows of a call"
AXES = {"axes": [0], "keepdims": 1}
NUMBERS = {"zero": np.array([0]), "one": np.array([1]), "true": np.ones((), bool), "half": np.array(0.5, np.float32)}
NORMAL = {"scale": some(3), "bias": some(3), "mean": some(3), "variance": some(3) ** 2 + 1}
NOISE = [Node("RandomNormalLike", ["X"], ["noise"]), Node("Add", ["X", "noise"], ["x"])]
ROWS = [Node("Shape", ["X"], ["shape"]), Node("Slice", ["shape", "zero", "one", "zero"], ["rows"])]
BRANCH = graph([Node("RandomUniformLike", ["X"], ["inside"])], [], [Value("inside", "float32", None)])
PLAIN = graph([Node("Identity", ["X"], ["same"])], [], [Value("same", "float32", None)])

REFUSED = [
    Case("mean", [Node("ReduceMean", ["X"], ["m"], AXES), Node("Sub", ["X", "m"], ["x"])], NEIGHBOURS),
    Case("softmax", [Node("Softmax", ["X"], ["x"], {"axis": 0})], NEIGHBOURS),
    Case("largest", [Node("ReduceMax", ["X"], ["m"], AXES), Node("Div", ["X", "m"], ["x"])], NEIGHBOURS),
    Case("cumulative", [Node("CumSum", ["X", "first"], ["x"])], NEIGHBOURS, {"first": np.array(0)}),
    Case("sorted", [*ROWS, Node("TopK", ["X", "rows"], ["x", "at"], {"axis": 0})], NEIGHBOURS),
    Case(
        "first row",
        [
            Node("Slice", ["X", "zero", "one", "zero"], ["r"]),
            *ROWS,
            Node("Shape", ["X"], ["s"]),
            Node("Expand", ["r", "s"], ["x"]),
        ],
        NEIGHBOURS,
    ),
    Case(
        "number of rows",
        [*ROWS, Node("Cast", ["rows"], ["n"], {"to": 1}), Node("Mul", ["X", "n"], ["x"])],
        NEIGHBOURS,
    ),
    Case(
        "place in the call",
        [
            *ROWS,
            Node("Squeeze", ["rows", "zero"], ["n"]),
            Node("Range", ["scalar", "n", "step"], ["places"]),
            Node("Cast", ["places"], ["f"], {"to": 1}),
            Node("Unsqueeze", ["f", "one"], ["column"]),
            Node("Add", ["X", "column"], ["x"]),
        ],
        "depend on",
        {"scalar": np.array(0), "step": np.array(1)},
    ),
    Case(
        "batch normalization",
        [Node("BatchNormalization", ["X", "scale", "bias", "mean", "variance"], ["x", "a", "b"], {"training_mode": 1})],
        "BatchNormalization in training mode",
        NORMAL,
    ),
    Case("dropout", [Node("Dropout", ["X", "half", "true"], ["x"])], "Dropout in training mode"),
    Case("noise", NOISE, "RandomNormalLike, which is random"),
    Case(
        "noise in a branch",
        [Node("If", ["true"], ["x"], {"then_branch": BRANCH, "else_branch": PLAIN})],
        "RandomUniformLike, which is random",
    ),
    Case(
        "noise in a function",
        [Node("Noisy", ["X"], ["x"], domain="local")],
        "RandomNormalLike, which is random",
        functions=(function("Noisy", [Node("RandomNormalLike", ["a"], ["b"])], ["a"], ["b"]),),
    ),
    Case(
        "Bernoulli",
        [Node("Sigmoid", ["X"], ["p"]), Node("Bernoulli", ["p"], ["x"])],
        "Bernoulli, which is random",
    ),
]

ACCEPTED = [
    Case("plain", [Node("Tanh", ["X"], ["x"])], ""),
    Case("softmax of a row", [Node("Softmax", ["X"], ["x"], {"axis": 1})], ""),
    Case("mean of a row", [Node("ReduceMean", ["X"], ["m"], {"axes": [1]}), Node("Sub", ["X", "m"], ["x"])], ""),
    Case("normalized", [Node("BatchNormalization", ["X", "scale", "bias", "mean", "variance"], ["x"])], "", NORMAL),
    Case("dropout for inference", [Node("Dropout", ["X", "half"], ["x"])], ""),
    Case(
        "dense",
        [Node("MatMul", ["X", "wide"], ["h"]), Node("Sigmoid", ["h"], ["s"]), Node("MatMul", ["s", "narrow"], ["x"])],
        "",
        {"wide": some(3, 700), "narrow": some(700, 3) / 30},
    ),
    Case("noise that nobody reads", [Node("RandomNormalLike", ["X"], ["n"]), Node("Identity", ["X"], ["x"])], ""),
]

ONE_BY_ONE = [
    Case(
        "reshape",
        [Node("Reshape", ["X", "to"], ["x"])],
        "the file accepts calls of one row only",
        {"to": np.array([1, 3])},
    ),
    Case(
        "state",
        [
            Node("Unsqueeze", ["X", "zero"], ["steps"]),
            Node("GRU", ["steps", "W", "R", "", "", "state"], ["", "last"], {"hidden_size": 3}),
            Node("Squeeze", ["last", "zero"], ["x"]),
        ],
        "the file accepts calls of one row only",
        {"W": some(1, 9, 3), "R": some(1, 9, 3), "state": some(1, 1, 3)},
    ),
]


def content(nodes: list[Node], weights: dict[str, NDArray[Any]], functions: tuple[bytes, ...] = ()) -> bytes:
    score = Node("ReduceSum", ["x", "one"], ["Y"], {"keepdims": 1})
    values = [Value("X", "float32", ["batch", 3])], [Value("Y", "float32", ["batch", 1])]
    return onnx_file([*nodes, score], *values, {**NUMBERS, **weights}, functions)


def declared(folder: Path, onnx: bytes) -> Declarations:
    sql = "CREATE MODEL m INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT) WITH ('provider' = 'onnx')"
    project = make_project(folder, {"models/m": sql})
    file = project.models / "m" / "1" / "model.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(onnx)
    write_card(file, "m", "1")
    return declare(project)


def scores(found: Declarations, rows: NDArray[np.float32], bundle: int) -> NDArray[Any]:
    """Return the scores of rows that arrive in bundles of a size."""
    model = load_model(found.models["m"].spec)
    parts = [run_inference([*rows[start : start + bundle].T], model) for start in range(0, len(rows), bundle)]
    assert all(part.error is None for part in parts)
    return np.concatenate([part.outputs[0] for part in parts])


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_model_that_depends_on_more_than_the_row_is_refused(tmp_path: Path, case: Case) -> None:
    found = declared(tmp_path, content(case.nodes, case.weights, case.functions))
    [finding] = found.findings
    assert case.words in finding.message
    assert any("export" in fix for fix in finding.fixes)
    assert not found.models


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_a_model_of_rows_is_accepted(tmp_path: Path, case: Case) -> None:
    found = declared(tmp_path, content(case.nodes, case.weights))
    assert found.findings == []
    assert found.models["m"].warnings == ()
    rows = some(100, 3)
    [expected] = onnxruntime.InferenceSession(content(case.nodes, case.weights)).run(None, {"X": rows})
    for bundle in (1, 7, 100):
        np.testing.assert_allclose(scores(found, rows, bundle), expected[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", ONE_BY_ONE, ids=lambda case: case.name)
def test_a_batch_of_one_that_is_baked_in_is_scored_row_by_row(tmp_path: Path, case: Case) -> None:
    found = declared(tmp_path, content(case.nodes, case.weights))
    [warning] = found.models["m"].warnings
    assert warning.message == f"rows of `m` are scored one by one, which is slower: {case.words}"
    session = onnxruntime.InferenceSession(content(case.nodes, case.weights))
    rows = some(40, 3)
    expected = [session.run(None, {"X": row[None]})[0][0, 0] for row in rows]
    for bundle in (1, 7, 40):
        assert scores(found, rows, bundle).tolist() == expected


def test_scores_that_differ_in_the_last_bits_are_made_the_same_to_the_bit(tmp_path: Path) -> None:
    """As where the order of a sum depends on the size of a call: here, each row in it adds a ten millionth."""
    nodes = [
        *ROWS,
        Node("Cast", ["rows"], ["n"], {"to": 1}),
        Node("Mul", ["n", "tiny"], ["more"]),
        Node("Add", ["more", "unit"], ["factor"]),
        Node("Mul", ["X", "factor"], ["x"]),
    ]
    onnx = content(nodes, {"tiny": np.array(1e-7, np.float32), "unit": np.array(1, np.float32)})
    rows = some(64, 3)
    found = declared(tmp_path, onnx)
    [warning] = found.models["m"].warnings
    assert warning.message.endswith("its scores differ in the last bits with the other rows of a call")
    assert scores(found, rows, 1).tobytes() == scores(found, rows, 5).tobytes() == scores(found, rows, 64).tobytes()
    [plain] = onnxruntime.InferenceSession(onnx).run(None, {"X": rows})
    np.testing.assert_allclose(scores(found, rows, 64), plain[:, 0], rtol=1e-4, atol=1e-5)


def test_an_output_that_nobody_asks_for_does_not_matter(tmp_path: Path) -> None:
    values = (
        [Value("X", "float32", ["batch", 3])],
        [Value("Y", "float32", ["batch", 3]), Value("x", "float32", ["batch", 3])],
    )
    onnx = onnx_file([*NOISE, Node("Tanh", ["X"], ["Y"])], *values, NUMBERS)
    inputs = "INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT)"
    sql = f"CREATE MODEL m {inputs}\nWITH ('provider' = 'onnx', 'output.y' = '{{}}')"
    for output, count in (("Y[1]", 0), ("x[1]", 1)):
        project = make_project(tmp_path / output, {"models/m": sql.format(output)})
        file = project.models / "m" / "1" / "model.onnx"
        file.parent.mkdir(parents=True)
        file.write_bytes(onnx)
        write_card(file, "m", "1")
        assert len(declare(project).findings) == count


STEPS = {
    "scale": [Node("Mul", ["{}", "scale"], ["{}"])],
    "shift": [Node("Add", ["{}", "bias"], ["{}"])],
    "tanh": [Node("Tanh", ["{}"], ["{}"])],
    "dense": [Node("MatMul", ["{}", "dense"], ["{}"])],
    "centre": [Node("ReduceMean", ["{}"], ["m{}"], AXES), Node("Sub", ["{}", "m{}"], ["{}"])],
    "divide": [Node("ReduceL2", ["{}"], ["m{}"], AXES), Node("Div", ["{}", "m{}"], ["{}"])],
    "compare": [Node("Softmax", ["{}"], ["{}"], {"axis": 0})],
    "accumulate": [Node("CumSum", ["{}", "first"], ["{}"])],
}
BATCHED = {"centre", "divide", "compare", "accumulate"}


def chain(steps: list[str]) -> tuple[list[Node], dict[str, NDArray[Any]]]:
    """Return the nodes of steps, one after the other, from X to x."""
    nodes: list[Node] = []
    for number, step in enumerate(steps):
        given, result = "X" if number == 0 else f"x{number}", "x" if number == len(steps) - 1 else f"x{number + 1}"
        for node in STEPS[step]:
            names = [{"{}": given, "m{}": f"m{number}"}.get(name, name) for name in node.inputs]
            made = [{"{}": result, "m{}": f"m{number}"}.get(name, name) for name in node.outputs]
            nodes.append(Node(node.operator, names, made, node.attributes))
    return nodes, {**NORMAL, "dense": some(3, 3), "first": np.array(0)}


@given(steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5))
@settings(max_examples=60)
def test_a_chain_of_operators_is_refused_if_one_of_them_mixes_rows(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    nodes, weights = chain(steps)
    found = declared(tmp_path_factory.mktemp("chain"), content(nodes, weights))
    assert bool(found.findings) == bool(BATCHED & set(steps))
    if not found.findings:
        rows = some(64, 3)
        alone = scores(found, rows, 1)
        assert scores(found, rows, 64).tobytes() == scores(found, rows[::-1], 5)[::-1].tobytes() == alone.tobytes()


def test_card_calls_the_model_and_check_says_what_is_slower(tmp_path: Path) -> None:
    by_name = {case.name: case for case in (*REFUSED, *ONE_BY_ONE)}
    for name, code, words in (("mean", 1, f"the scores of `m` {NEIGHBOURS}"), ("reshape", 0, "")):
        folder = tmp_path / name
        declared(folder, content(by_name[name].nodes, by_name[name].weights))
        written = millstream(folder, "card", "m")
        assert (written.code, words in written.out) == (code, True)
        checked = millstream(folder, "check", "--offline")
        assert checked.code == code
        assert (words if code else "warning: sql/models/m.sql:1:1: rows of `m` are scored one by one") in checked.out
    [warning] = json.loads(millstream(tmp_path / "reshape", "check", "--offline", "--json").out)
    assert warning["warning"] is True


def test_values_of_a_reference_profile_show_what_generated_ones_do_not(tmp_path: Path) -> None:
    """The model refuses what its table does not have; of the rest, it looks up the largest of a call."""
    nodes = [
        Node("ReduceMax", ["X"], ["most"], {"axes": [0], "keepdims": 1}),
        Node("Mul", ["X", "zero_float"], ["zeros"]),
        Node("Add", ["zeros", "most"], ["all"]),
        Node("Sub", ["all", "first"], ["place"]),
        Node("Cast", ["place"], ["index"], {"to": 7}),
        Node("Gather", ["table", "index"], ["x"]),
    ]
    weights = {"table": some(5), "first": np.float32(1e6), "zero_float": np.float32(0)}
    path = tmp_path / "model.onnx"
    path.write_bytes(content(nodes, {name: np.asarray(value) for name, value in weights.items()}))
    inputs = tuple(Input(name, "X", "float32") for name in "abc")
    spec = ModelSpec("m", "1", str(path), sha256(path), inputs, (Output("y", "Y", None, "float32"),))
    values = [1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3]
    without, known = (example_rows(spec, (), which) for which in (None, dict.fromkeys("abc", values)))
    assert check_rows(lambda calls: load_model(replace(spec, calls=calls)), without).accepted == 0
    found = check_rows(lambda calls: load_model(replace(spec, calls=calls)), known)
    assert (found.problem, found.accepted) == ("neighbours", len(known[0][0]))
