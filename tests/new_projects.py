"""Models with generated names, types and shapes, for tests of what `millstream new` writes for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from tests.onnx_file import ELEMENTS, Node, Value, onnx_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GeneratedModel", "generated_models"]

NAMES = [
    *("order", "value", "user", "one", "classifier", "timestamp", "select", "offset", "temp", "X", "probabilities"),
    *("id", "event_time", "event_ms", "event_offset", "label", "variable[0]", "a.b", "a_b", "serving_default/x:0"),
    *(
        "größe",
        "two words",
        "it's",
        "back`tick",
        "$x",
        "-- no comment",
        'quo"te',
        "飛行",
        "😀",
        "y;",
        "error",
        "events",
    ),
]
STEMS = ["order", "value", "user", "one", "Classifier v2", "events", "predictions", "7", "größe", "model"]
KINDS = ["[batch]", "[batch, 1]", "[batch, 3]", "[batch, 64]", "[batch, ?]", "int64", "three", "sequence", "float16"]


@dataclass(frozen=True)
class GeneratedModel:
    """A model: its file's name without the ending, its inputs, and the kind of each output by name."""

    stem: str
    inputs: list[Value]
    outputs: dict[str, str]

    def write(self, folder: Path) -> Path:
        """Write the file and return its path."""
        first = next(value for value in self.inputs if value.dtype == "float32")
        nodes = [
            Node("Reshape", [first.name, "__rows"], ["__2"]),
            Node("ReduceSum", ["__2", "__one"], ["__y"], {"keepdims": 1}),
        ]
        values = []
        for name, kind in self.outputs.items():
            made, value = _output(name, kind)
            nodes += made
            values.append(value)
        weights = {"__rows": np.array([0, -1]), "__one": np.array([1]), "__rows3": np.array([0, 1, 1])}
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.stem}.onnx"
        path.write_bytes(onnx_file(nodes, self.inputs, values, weights))
        return path


def _output(name: str, kind: str) -> tuple[list[Node], Value]:
    match kind:
        case "[batch]":
            return [Node("Squeeze", ["__y", "__one"], [name])], Value(name, "float32", ["batch"])
        case "[batch, 1]":
            return [Node("Identity", ["__y"], [name])], Value(name, "float32", ["batch", 1])
        case "[batch, 3]" | "[batch, 64]" | "[batch, ?]":
            width = {"[batch, 3]": 3, "[batch, 64]": 64}.get(kind, 2)
            shape = ["batch", None if kind == "[batch, ?]" else width]
            return [Node("Concat", ["__y"] * width, [name], {"axis": 1})], Value(name, "float32", shape)
        case "three":
            return [Node("Reshape", ["__y", "__rows3"], [name])], Value(name, "float32", ["batch", 1, 1])
        case "sequence":
            return [Node("SequenceConstruct", ["__y"], [name])], Value(name, "sequence")
    return [Node("Cast", ["__y"], [name], {"to": ELEMENTS[kind]})], Value(name, kind, ["batch", 1])


@st.composite
def generated_models(draw: st.DrawFn) -> GeneratedModel:
    """Return a model of one matrix, or of one tensor for each column; at least one output is of a common kind."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=7, unique=True))
    count = draw(st.integers(1, len(names) - 1))
    rank = draw(st.booleans())
    if count == 1:
        inputs = [Value(names[0], "float32", ["batch", draw(st.integers(1, 4))])]
    else:
        dtypes = draw(st.lists(st.sampled_from(["float32", "int64", "int32", "bool", "string", "float64", "float16"])))
        dtypes = ["float32", *dtypes, *["float32"] * count]
        inputs = [
            Value(name, dtype, ["batch", 1] if rank else ["batch"])
            for name, dtype in zip(names[:count], dtypes, strict=False)
        ]
    kinds = [draw(st.sampled_from(KINDS[:6])), *(draw(st.sampled_from(KINDS)) for _ in names)]
    order = draw(st.permutations(names[count:]))
    return GeneratedModel(draw(st.sampled_from(STEMS)), inputs, dict(zip(order, kinds, strict=False)))
