"""Make the small ONNX files beside this script: one per kind of model that `udfs` must run.

The runtime environment has no `onnx` package (its protobuf does not go with Flink's), so this needs one of its own:

    uv venv .venv-models --python 3.11
    uv pip install --python .venv-models/bin/python onnx skl2onnx scikit-learn numpy pandas
    .venv-models/bin/python tests/unit/models/make.py

Everything is seeded; running it again gives models that score alike.
"""
# Its packages are not where mypy runs.
# mypy: ignore-errors

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto as T
from onnx import helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).parent
OPSET, IR = 17, 8
Value = tuple[str, int, list[int | str]]  # name, element type, shape
RANDOM = np.random.default_rng(7)


def weights(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(dtype)


def save(
    name: str,
    nodes: list[onnx.NodeProto],
    inputs: list[Value],
    outputs: list[Value],
    constants: dict[str, np.ndarray],
) -> None:
    """Write a graph; `constants` are its weights by name."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model, full_check=True)
    write(name, model)


def write(name: str, model: onnx.ModelProto) -> None:
    model.producer_version = ""
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def linear(name: str, kind: int, dtype: type, batch: int | str = "batch", k: int = 3) -> None:
    """One output y = X w + b [batch, 1] from matrix X [batch, k]."""
    save(
        name,
        [helper.make_node("Gemm", ["X", "w", "b"], ["y"])],
        [("X", kind, [batch, k])],
        [("y", kind, [batch, 1])],
        {"w": weights(k, 1, dtype=dtype), "b": weights(1, dtype=dtype)},
    )


def mlp() -> None:
    """16-64-32-1 with ReLU and a sigmoid at the end."""
    sizes, nodes, constants, last = [16, 64, 32, 1], [], {}, "X"
    for i, (a, b) in enumerate(pairwise(sizes)):
        constants |= {f"w{i}": weights(a, b) / np.float32(a**0.5), f"b{i}": weights(b)}
        nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"g{i}"]))
        last = f"a{i}" if b > 1 else "p"
        nodes.append(helper.make_node("Relu" if b > 1 else "Sigmoid", [f"g{i}"], [last]))
    save("mlp", nodes, [("X", T.FLOAT, ["batch", 16])], [("p", T.FLOAT, ["batch", 1])], constants)


def tanh(name: str, batch: int | str) -> None:
    """Write a float64 network with tanh, softmax and exp: the functions whose vector loops have tails."""
    save(
        name,
        [
            helper.make_node("MatMul", ["X", "w0"], ["h"]),
            helper.make_node("Tanh", ["h"], ["t"]),
            helper.make_node("MatMul", ["t", "w1"], ["z"]),
            helper.make_node("Softmax", ["z"], ["p"], axis=1),
            helper.make_node("Exp", ["z"], ["e"]),
        ],
        [("X", T.DOUBLE, [batch, 5])],
        [("p", T.DOUBLE, [batch, 3]), ("e", T.DOUBLE, [batch, 3])],
        {"w0": weights(5, 7, dtype=np.float64), "w1": weights(7, 3, dtype=np.float64)},
    )


def columns() -> None:
    """One float32 tensor per column: a [batch], b [batch, 1]; y = 2 a + sin(b)."""
    save(
        "columns",
        [
            helper.make_node("Unsqueeze", ["a", "axis"], ["a1"]),
            helper.make_node("Mul", ["a1", "two"], ["a2"]),
            helper.make_node("Sin", ["b"], ["s"]),
            helper.make_node("Add", ["a2", "s"], ["y"]),
        ],
        [("a", T.FLOAT, ["batch"]), ("b", T.FLOAT, ["batch", 1])],
        [("y", T.FLOAT, ["batch", 1])],
        {"axis": np.array([1], np.int64), "two": np.array(2, np.float32)},
    )


def optional_input() -> None:
    """Give x * scale; the scale may be given, one per row, and is 3 otherwise."""
    save(
        "optional_input",
        [helper.make_node("Mul", ["x", "scale"], ["y"])],
        [("x", T.FLOAT, ["batch"]), ("scale", T.FLOAT, ["scales"])],
        [("y", T.FLOAT, ["batch"])],
        {"scale": np.array([3], np.float32)},
    )


def every_dtype() -> None:
    """One tensor of each numeric type, returned as it came; the int64 one plus 1."""
    kinds = {
        "int64": T.INT64,
        "int32": T.INT32,
        "int16": T.INT16,
        "int8": T.INT8,
        "bool": T.BOOL,
        "float16": T.FLOAT16,
        "float64": T.DOUBLE,
        "string": T.STRING,
    }
    save(
        "every_dtype",
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name in kinds],
        [(name, kind, ["batch"]) for name, kind in kinds.items()],
        [(f"{name}_out", kind, ["batch"]) for name, kind in kinds.items()],
        {},
    )


def gather() -> None:
    """Give table[i] * x; refuses rows whose i is outside -5..4."""
    save(
        "gather",
        [helper.make_node("Gather", ["table", "i"], ["t"]), helper.make_node("Mul", ["t", "x"], ["y"])],
        [("i", T.INT64, ["batch"]), ("x", T.FLOAT, ["batch"])],
        [("y", T.FLOAT, ["batch"])],
        {"table": weights(5)},
    )


def gather_matrix(batch: int | str, name: str) -> None:
    """Like `gather` from one float32 matrix: column 0 is cast to the index, column 1 is multiplied."""
    save(
        name,
        [
            helper.make_node("Split", ["X"], ["c0", "c1"], axis=1),
            helper.make_node("Cast", ["c0"], ["i"], to=T.INT64),
            helper.make_node("Gather", ["table", "i"], ["t"]),
            helper.make_node("Mul", ["t", "c1"], ["y"]),
        ],
        [("X", T.FLOAT, [batch, 2])],
        [("y", T.FLOAT, [batch, 1])],
        {"table": weights(5)},
    )


def two_matrices() -> None:
    """Two matrix inputs, wide [batch, 3] and deep [batch, 2]; y = wide w + deep v."""
    save(
        "two_matrices",
        [
            helper.make_node("MatMul", ["wide", "w"], ["a"]),
            helper.make_node("MatMul", ["deep", "v"], ["b"]),
            helper.make_node("Add", ["a", "b"], ["y"]),
        ],
        [("wide", T.FLOAT, ["batch", 3]), ("deep", T.FLOAT, ["batch", 2])],
        [("y", T.FLOAT, ["batch", 1])],
        {"w": weights(3, 1), "v": weights(2, 1)},
    )


def batch_mean() -> None:
    """One number for the whole batch: not a model that scores rows."""
    save(
        "batch_mean",
        [helper.make_node("ReduceMean", ["X"], ["y"], axes=[0], keepdims=1)],
        [("X", T.FLOAT, ["batch", 1])],
        [("y", T.FLOAT, ["one", 1])],
        {},
    )


def from_sklearn() -> None:
    x = weights(400, 4)
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(np.int64)
    matrix = [("X", FloatTensorType([None, 4]))]
    logistic = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    words = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, np.where(y, "late", "on time"))
    trees = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=7).fit(x, y)
    for name, model, zipmap in [
        ("label_probabilities", logistic, False),
        ("zipmap", logistic, True),
        ("string_label", words, False),
        ("trees", trees, False),
    ]:
        write(name, convert_sklearn(model, name, matrix, target_opset=OPSET, options={"zipmap": zipmap}))

    carriers = np.array(["AA", "B6", "DL", "UA"])
    flights = pd.DataFrame({"carrier": RANDOM.choice(carriers, 400), "delay": x[:, 0], "distance": x[:, 1]})
    encode = ColumnTransformer(
        [
            ("carrier", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
            ("numbers", StandardScaler(), ["delay", "distance"]),
        ]
    )
    model = make_pipeline(encode, LogisticRegression()).fit(flights, y)
    inputs = [
        ("carrier", StringTensorType([None, 1])),
        ("delay", FloatTensorType([None, 1])),
        ("distance", FloatTensorType([None, 1])),
    ]
    write("strings", convert_sklearn(model, "strings", inputs, target_opset=OPSET, options={"zipmap": False}))


if __name__ == "__main__":
    linear("linear", T.FLOAT, np.float32)
    linear("fixed_batch", T.FLOAT, np.float32, batch=4)
    linear("double", T.DOUBLE, np.float64)
    tanh("tanh_double", "batch")
    tanh("fixed_batch_3", 3)
    mlp()
    columns()
    optional_input()
    every_dtype()
    gather()
    gather_matrix("batch", "gather_matrix")
    gather_matrix(4, "gather_fixed_batch")
    two_matrices()
    batch_mean()
    from_sklearn()
