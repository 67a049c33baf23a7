"""Inputs and outputs of shapes and types that SQL's columns do not have: one finding each, with a fix that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest

from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.cards import write_card
from tests.onnx_file import Node, Value, onnx_file
from tests.projects import make_project
from tests.unit.onnx_models import model_path

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.planning.declarations import Declarations

SUM = [Node("ReduceSum", ["X"], ["Y"], {"keepdims": 1})]
LAST = {"at": np.array([-1])}


def declared(folder: Path, onnx: bytes, inputs: str, outputs: str = "y FLOAT", options: str = "") -> Declarations:
    more = f", {options}" if options else ""
    sql = f"CREATE MODEL m INPUT ({inputs})\nOUTPUT ({outputs})\nWITH ('provider' = 'onnx'{more})"
    project = make_project(folder, {"models/m": sql})
    file = project.models / "m" / "1" / "model.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(onnx)
    write_card(file, "m", "1")
    return declare(project)


TEN = ", ".join(f"x{i} FLOAT" for i in range(10))
FOUR = "a FLOAT, b FLOAT, c FLOAT, d FLOAT"


@pytest.mark.parametrize(
    ("shapes", "inputs", "words", "fix"),
    [
        ([[4]], FOUR, "`X` has shape [4], without a dimension for the rows of a batch", "of shape [batch, 4]"),
        ([[4]], "X FLOAT", "`X` has shape [4], without a dimension for the rows of a batch", "of shape [batch, 4]"),
        ([["seq", "batch", 4]], TEN, "`X` has shape [seq, batch, 4]: a row of SQL has one value", "[batch, columns]"),
        (
            [["batch", 10, 4]],
            TEN,
            "`X` has shape [batch, 10, 4]: a row of SQL",
            "that it reshapes itself, to [batch, 10, 4]",
        ),
        ([[]], "X FLOAT", "`X` is a single value, with no dimension for the rows", "[batch, columns]"),
        (
            [["batch", 3], ["batch", 5]],
            FOUR,
            "`X` has 3 values for a row, and the model has other inputs too",
            "one matrix",
        ),
    ],
)
def test_a_shape_of_an_input_is_one_finding(
    tmp_path: Path, shapes: list[list[int | str | None]], inputs: str, words: str, fix: str
) -> None:
    values = [Value("XZ"[number], "float32", shape) for number, shape in enumerate(shapes)]
    nodes = [Node("ReduceSum", ["X"], ["s"], {"keepdims": 1}), Node("Reshape", ["s", "one"], ["Y"])]
    onnx = onnx_file(nodes, values, [Value("Y", "float32", None)], {"one": np.array([-1, 1])})
    found = declared(tmp_path, onnx, inputs).findings
    assert len(found) == len(shapes)
    assert words in found[0].message
    assert any(fix in one for one in found[0].fixes)


def test_a_fixed_batch_of_rows_is_no_vector(tmp_path: Path) -> None:
    """Two columns as tensors [4], and a score for each of the four rows."""
    values = [Value("a", "float32", [4]), Value("b", "float32", [4])]
    onnx = onnx_file([Node("Add", ["a", "b"], ["Y"])], values, [Value("Y", "float32", [4])])
    assert declared(tmp_path, onnx, "a FLOAT, b FLOAT").findings == []


def test_a_vector_of_which_rows_depend_on_each_other_is_refused(tmp_path: Path) -> None:
    onnx = onnx_file([Node("Softmax", ["X"], ["Y"])], [Value("X", "float32", [4])], [Value("Y", "float32", [4])])
    [finding] = declared(tmp_path, onnx, "X FLOAT").findings
    assert "depend on the other rows of a call" in finding.message


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_dtype_of_an_input_is_one_finding(tmp_path: Path, dtype: str) -> None:
    onnx = onnx_file(
        [Node("Cast", ["X"], ["Y"], {"to": 1})], [Value("X", dtype, ["n", 10])], [Value("Y", "float32", ["n", 10])]
    )
    [finding] = declared(tmp_path, onnx, TEN, options="'output.y' = 'Y[0]'").findings
    assert finding.message == f"the ONNX file expects {dtype} for input `X`, which no SQL type holds"


def test_a_sequence_that_is_no_zipmap_is_not_called_one(tmp_path: Path) -> None:
    nodes = [Node("SequenceConstruct", ["X"], ["S"]), Node("ReduceSum", ["X", "at"], ["Y"], {"keepdims": 1})]
    outputs = [Value("S", "sequence"), Value("Y", "float32", ["n", 1])]
    onnx = onnx_file(nodes, [Value("X", "float32", ["n", 4])], outputs, LAST)
    [finding] = declared(tmp_path / "asked", onnx, FOUR, options="'output.y' = 'S'").findings
    assert finding.message == "output `S` is sequence(float32), which no SQL type holds"
    assert "zipmap" not in " ".join(finding.fixes).lower()
    found = declared(tmp_path / "not asked", onnx, FOUR)
    assert found.findings == []
    assert found.models["m"].spec.outputs[0].tensor == "Y"


def test_a_finding_on_a_zipmap_names_what_it_is_made_of(tmp_path: Path) -> None:
    """CatBoost always writes one: the tensor [batch, classes] before it can be an output too."""
    content = model_path("zipmap").read_bytes()
    [finding] = declared(tmp_path, content, FOUR, "p DOUBLE", "'output.p' = 'output_probability'").findings
    plain, other = finding.fixes
    assert plain == "export the model with zipmap=False (skl2onnx, onnxmltools)"
    assert "m.graph.output.append(onnx.ValueInfoProto(name='probabilities'))" in other


def test_a_zipmap_that_nobody_asks_for_does_not_matter(tmp_path: Path) -> None:
    found = declared(tmp_path, model_path("zipmap").read_bytes(), FOUR, "label BIGINT")
    assert found.findings == []
    assert [output.tensor for output in found.models["m"].spec.outputs] == ["output_label"]


def test_an_output_of_one_value_for_all_rows_is_refused(tmp_path: Path) -> None:
    onnx = onnx_file(SUM, [Value("X", "float32", ["n", 4])], [Value("Y", "float32", [1, 1])])
    [finding] = declared(tmp_path, onnx, FOUR).findings
    assert "the model cannot score rows: output `Y` has shape [1, 1] for 512 rows" in finding.message
    assert onnxruntime.InferenceSession(onnx).run(None, {"X": np.ones((3, 4), np.float32)})[0].tolist() == [[12]]
