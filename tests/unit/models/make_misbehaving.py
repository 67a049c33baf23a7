"""Make the ONNX files of models that misbehave for some rows.

In the environment of make.py:

    .venv-models/bin/python tests/unit/models/make_misbehaving.py

Each takes a float32 matrix X [batch, 2] of a command and a number x; a row of zeros is healthy.
"""
# Its packages are not where mypy runs.
# mypy: ignore-errors

from __future__ import annotations

import numpy as np
from make import save
from onnx import TensorProto as T
from onnx import helper

INPUTS = [("X", T.FLOAT, ["batch", 2])]
OUTPUTS = [("y", T.FLOAT, ["batch", 1])]
SPLIT = helper.make_node("Split", ["X"], ["command", "x"], axis=1)
ZERO, THREE = np.array(0, np.float32), np.array(3, np.float32)


def loop_nodes(steps: str, given: str, result: str) -> list:
    """Give (state / 2 + 1) as often as the row's `steps` [batch, 1] say; the loop lasts as long as the slowest row."""
    body = helper.make_graph(
        [
            helper.make_node("Cast", ["i"], ["at"], to=T.FLOAT),
            helper.make_node("Less", ["at", steps], ["on"]),
            helper.make_node("Mul", ["state", "half"], ["halved"]),
            helper.make_node("Add", ["halved", "one"], ["next"]),
            helper.make_node("Where", ["on", "next", "state"], ["state_out"]),
            helper.make_node("Identity", ["go"], ["go_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", T.INT64, []),
            helper.make_tensor_value_info("go", T.BOOL, []),
            helper.make_tensor_value_info("state", T.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_out", T.BOOL, []),
            helper.make_tensor_value_info("state_out", T.FLOAT, None),
        ],
    )
    return [
        helper.make_node("ReduceMax", [steps], ["slowest"], keepdims=0),
        helper.make_node("Ceil", ["slowest"], ["whole"]),  # else half a step depends on the other rows
        helper.make_node("Cast", ["whole"], ["trips"], to=T.INT64),
        helper.make_node("Loop", ["trips", "", given], [result], body=body),
    ]


LOOP = {"half": np.array(0.5, np.float32), "one": np.array(1, np.float32)}


def size_nodes(size: str, given: str, result: str) -> list:
    """Multiply by the least of as many ones as the largest of `size` [batch, 1] says."""
    return [
        helper.make_node("ReduceMax", [size], ["largest"], keepdims=0),
        helper.make_node("Max", ["largest", "one_float"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["wide"], to=T.INT64),
        helper.make_node("Reshape", ["wide", "flat"], ["shape"]),
        helper.make_node("Expand", ["one_float", "shape"], ["ones"]),
        helper.make_node("ReduceMin", ["ones"], ["least"], keepdims=0),
        helper.make_node("Mul", [given, "least"], [result]),
    ]


SIZE = {"one_float": np.array(1, np.float32), "flat": np.array([1], np.int64)}


def slow() -> None:
    """As many steps as the command says: 1e15 would take years."""
    save("slow", [SPLIT, *loop_nodes("command", "x", "y")], INPUTS, OUTPUTS, LOOP)


def vanishing() -> None:
    """Give 3 x, but leave out rows whose command is negative."""
    nodes = [
        SPLIT,
        helper.make_node("GreaterOrEqual", ["command", "zero"], ["kept"]),
        helper.make_node("Reshape", ["kept", "flat"], ["which"]),
        helper.make_node("Mul", ["x", "three"], ["y0"]),
        helper.make_node("Compress", ["y0", "which"], ["y"], axis=0),
    ]
    constants = {"zero": ZERO, "three": THREE, "flat": np.array([-1], np.int64)}
    save("vanishing", nodes, INPUTS, [("y", T.FLOAT, ["kept", 1])], constants)


def vanishing_or_double() -> None:
    """Give x once for a command of 0, twice for 1, never for -1: in one call, rows may be in each other's place."""
    nodes = [
        SPLIT,
        helper.make_node("Concat", ["command", "command"], ["both"], axis=1),
        helper.make_node("GreaterOrEqual", ["both", "least"], ["times"]),
        helper.make_node("NonZero", ["times"], ["places"]),
        helper.make_node("Gather", ["places", "first"], ["rows"], axis=0),
        helper.make_node("Gather", ["x", "rows"], ["y"], axis=0),
    ]
    constants = {"least": np.array([[0, 1]], np.float32), "first": np.array(0, np.int64)}
    save("vanishing_or_double", nodes, INPUTS, [("y", T.FLOAT, ["rows", 1])], constants)


def reshaped() -> None:
    """Give 3 x as [batch / k, k], where k is 1 and the largest command; it needs no operator that changes sizes."""
    nodes = [
        SPLIT,
        helper.make_node("ReduceMax", ["command"], ["largest"], keepdims=0),
        helper.make_node("Cast", ["largest"], ["more"], to=T.INT64),
        helper.make_node("Add", ["more", "one_int"], ["columns"]),
        helper.make_node("Concat", ["any", "columns"], ["shape"], axis=0),
        helper.make_node("Mul", ["x", "three"], ["y0"]),
        helper.make_node("Reshape", ["y0", "shape"], ["y"]),
    ]
    constants = {"three": THREE, "one_int": np.array([1], np.int64), "any": np.array([-1], np.int64)}
    save("reshaped", nodes, INPUTS, OUTPUTS, constants)  # so the file says


def huge() -> None:
    """Give x with as much memory in between as the command says, in float32 values."""
    save("huge", [SPLIT, *size_nodes("command", "x", "y")], INPUTS, OUTPUTS, SIZE)


def stubborn() -> None:
    """Give x by way of a product of two square matrices, as wide as the command says: one operator, many seconds."""
    nodes = [
        SPLIT,
        helper.make_node("ReduceMax", ["command"], ["largest"], keepdims=0),
        helper.make_node("Max", ["largest", "one_float"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["wide"], to=T.INT64),
        helper.make_node("Expand", ["wide", "two"], ["shape"]),
        helper.make_node("Expand", ["one_float", "shape"], ["square"]),
        helper.make_node("MatMul", ["square", "square"], ["product"]),
        helper.make_node("ReduceMin", ["product"], ["width"], keepdims=0),
        helper.make_node("Div", ["width", "width"], ["one_again"]),
        helper.make_node("Mul", ["x", "one_again"], ["y"]),
    ]
    constants = {"one_float": np.array(1, np.float32), "two": np.array([2], np.int64)}
    save("stubborn", nodes, INPUTS, OUTPUTS, constants)


def misbehaving() -> None:
    """All in one, from X [batch, 4]: as `slow`, as `reshaped`, as `huge`, and NaN where x is -1."""
    columns = ["steps", "columns", "values", "x"]
    nodes = [
        helper.make_node("Split", ["X"], columns, axis=1),
        *loop_nodes("steps", "x", "looped"),
        *size_nodes("values", "looped", "sized"),
        helper.make_node("Add", ["x", "one"], ["above"]),
        helper.make_node("Div", ["above", "above"], ["one_or_nan"]),
        helper.make_node("Mul", ["sized", "one_or_nan"], ["y0"]),
        helper.make_node("ReduceMax", ["columns"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["more"], to=T.INT64),
        helper.make_node("Add", ["more", "flat"], ["wide_shape"]),
        helper.make_node("Concat", ["any", "wide_shape"], ["shape2"], axis=0),
        helper.make_node("Reshape", ["y0", "shape2"], ["y"]),
    ]
    constants = LOOP | SIZE | {"any": np.array([-1], np.int64)}
    save("misbehaving", nodes, [("X", T.FLOAT, ["batch", 4])], OUTPUTS, constants)


if __name__ == "__main__":
    slow()
    vanishing()
    vanishing_or_double()
    reshaped()
    huge()
    stubborn()
    misbehaving()
