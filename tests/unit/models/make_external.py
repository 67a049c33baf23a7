"""Make the ONNX files in `external/`, whose weights are in other files, as PyTorch and `onnx.save_model` write them.

In the environment of make.py:

    .venv-models/bin/python tests/unit/models/make_external.py

All give y = 1 a + 2 b + 3 c + 0.5 of a float32 matrix X [batch, 3]. The weights of `one` are in a file beside it, at
two places in it; those of `several` in two files of a folder; those of `branches` belong to the graphs inside an If.
"""
# Its packages are not where mypy runs.
# mypy: ignore-errors

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper
from onnx.external_data_helper import set_external_data

HERE = Path(__file__).parent / "external"
OPSET, IR = 17, 8
WEIGHTS = np.array([[1], [2], [3]], np.float32)
BIAS = np.array([0.5], np.float32)
X = helper.make_tensor_value_info("X", T.FLOAT, ["batch", 3])
Y = helper.make_tensor_value_info("y", T.FLOAT, ["batch", 1])


def external(name: str, values: np.ndarray, location: str) -> onnx.TensorProto:
    """Write a tensor's values to the end of a file, and return the tensor that says so."""
    file = HERE / location
    file.parent.mkdir(parents=True, exist_ok=True)
    tensor = numpy_helper.from_array(values, name)
    start = file.stat().st_size if file.exists() else 0
    set_external_data(tensor, location, offset=start, length=len(tensor.raw_data))
    with file.open("ab") as end:
        end.write(tensor.raw_data)
    tensor.ClearField("raw_data")
    return tensor


def linear(name: str, weights: str, bias: str) -> None:
    tensors = [external("w", WEIGHTS, weights), external("b", BIAS, bias)]
    save(name, helper.make_graph([helper.make_node("Gemm", ["X", "w", "b"], ["y"])], name, [X], [Y], tensors))


def branches() -> None:
    """One branch has its weights as initializers, the other as a Constant; the first is the one that is taken."""
    weights, bias = external("w", WEIGHTS, "branches.bin"), external("b", BIAS, "branches.bin")
    first = helper.make_node("Gemm", ["X", "w", "b"], ["first"])
    second = helper.make_node("MatMul", ["X", "v"], ["second"])
    constant = helper.make_node("Constant", [], ["v"], value=external("v", -WEIGHTS, "branches.bin"))
    graphs = [
        helper.make_graph(
            [first], "then", [], [helper.make_tensor_value_info("first", T.FLOAT, None)], [weights, bias]
        ),
        helper.make_graph([constant, second], "else", [], [helper.make_tensor_value_info("second", T.FLOAT, None)]),
    ]
    choice = helper.make_node("If", ["yes"], ["y"], then_branch=graphs[0], else_branch=graphs[1])
    yes = numpy_helper.from_array(np.array(1, np.bool_), "yes")
    save("branches", helper.make_graph([choice], "branches", [X], [Y], [yes]))


def save(name: str, graph: onnx.GraphProto) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    model.producer_version = ""
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(HERE / f"{name}.onnx"), full_check=True)


if __name__ == "__main__":
    for file in sorted(HERE.rglob("*")):
        if file.is_file():
            file.unlink()
    linear("one", "one.onnx.data", "one.onnx.data")
    linear("several", "weights/w.bin", "weights/b.bin")
    branches()
