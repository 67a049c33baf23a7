"""Write ONNX files, for tests that make models as they run: the runtime's environment has no `onnx` package.

    onnx_file([Node("Identity", ["x"], ["y"])], [Value("x", "float32", ["batch", 3])], [Value("y", "float32", None)])

Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Node", "Value", "function", "graph", "onnx_file"]

ELEMENTS = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "string": 8,
    "bool": 9,
    "float16": 10,
    "float64": 11,
}
_FLOAT, _INT, _STRING, _TENSOR, _GRAPH, _FLOATS, _INTS, _STRINGS = range(1, 9)


@dataclass(frozen=True)
class Node:
    """A node; attributes are an int, float, str, array, graph (bytes of `graph`), or a list of ints, floats or strs."""

    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    domain: str = ""


@dataclass(frozen=True)
class Value:
    """An input or output; of `dtype` "zipmap", a sequence of maps from int64 to float32; of "sequence", of float32.

    A dimension is a number, a name, or None; a `shape` of None is not known.
    """

    name: str
    dtype: str
    shape: Sequence[int | str | None] | None = ()


def onnx_file(
    nodes: Sequence[Node],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    weights: Mapping[str, NDArray[Any]] | None = None,
    functions: Sequence[bytes] = (),
    opset: int = 17,
) -> bytes:
    """Return the bytes of a model."""
    domains = {"": opset, "ai.onnx.ml": 3, "com.microsoft": 1, **({"local": 1} if functions else {})}
    opsets = b"".join(_part(8, _text(1, domain) + _number(2, version)) for domain, version in domains.items())
    whole = graph(nodes, inputs, outputs, weights)
    return _number(1, 8) + _part(7, whole) + opsets + b"".join(_part(25, function) for function in functions)


def function(name: str, nodes: Sequence[Node], inputs: Sequence[str], outputs: Sequence[str], opset: int = 17) -> bytes:
    """Return a function of the domain "local"."""
    names = b"".join(_text(4, one) for one in inputs) + b"".join(_text(5, one) for one in outputs)
    body = b"".join(_part(7, _node(node)) for node in nodes)
    return _text(1, name) + names + body + _part(9, _text(1, "") + _number(2, opset)) + _text(10, "local")


def graph(
    nodes: Sequence[Node],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    weights: Mapping[str, NDArray[Any]] | None = None,
) -> bytes:
    """Return the bytes of a graph."""
    return (
        b"".join(_part(1, _node(node)) for node in nodes)
        + _text(2, "graph")
        + b"".join(_part(5, _tensor(np.asarray(array), name)) for name, array in (weights or {}).items())
        + b"".join(_part(11, _value(value)) for value in inputs)
        + b"".join(_part(12, _value(value)) for value in outputs)
    )


def _node(node: Node) -> bytes:
    return (
        b"".join(_text(1, name) for name in node.inputs)
        + b"".join(_text(2, name) for name in node.outputs)
        + _text(4, node.operator)
        + b"".join(_part(5, _attribute(name, value)) for name, value in node.attributes.items())
        + (_text(7, node.domain) if node.domain else b"")
    )


def _attribute(name: str, value: Any) -> bytes:  # noqa: ANN401, PLR0911 - any kind of attribute
    start = _text(1, name)
    if isinstance(value, float):
        return start + _key(2, 5) + struct.pack("<f", value) + _number(20, _FLOAT)
    if isinstance(value, int):
        return start + _number(3, value) + _number(20, _INT)
    if isinstance(value, str):
        return start + _text(4, value) + _number(20, _STRING)
    if isinstance(value, np.ndarray):
        return start + _part(5, _tensor(value, "")) + _number(20, _TENSOR)
    if isinstance(value, bytes):
        return start + _part(6, value) + _number(20, _GRAPH)
    if isinstance(value[0], float):
        return start + b"".join(_key(7, 5) + struct.pack("<f", one) for one in value) + _number(20, _FLOATS)
    if isinstance(value[0], int):
        return start + b"".join(_number(8, one) for one in value) + _number(20, _INTS)
    return start + b"".join(_text(9, one) for one in value) + _number(20, _STRINGS)


def _tensor(array: NDArray[Any], name: str) -> bytes:
    dtype = "string" if array.dtype.kind in "OU" else array.dtype.name
    start = b"".join(_number(1, size) for size in array.shape) + _number(2, ELEMENTS[dtype]) + _text(8, name)
    if dtype == "string":
        return start + b"".join(_text(6, str(one)) for one in array.ravel())
    return start + _part(9, array.tobytes())


def _value(value: Value) -> bytes:
    if value.dtype == "zipmap":
        kind = _part(4, _part(1, _part(5, _number(1, ELEMENTS["int64"]) + _part(2, _tensor_type("float32", [])))))
    elif value.dtype == "sequence":
        kind = _part(4, _part(1, _tensor_type("float32", None)))
    else:
        kind = _tensor_type(value.dtype, value.shape)
    return _text(1, value.name) + _part(2, kind)


def _tensor_type(dtype: str, shape: Sequence[int | str | None] | None) -> bytes:
    dimensions = b"".join(
        _part(1, _number(1, size) if isinstance(size, int) else _text(2, size) if size else b"") for size in shape or ()
    )
    return _part(1, _number(1, ELEMENTS[dtype]) + (b"" if shape is None else _part(2, dimensions)))


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _number(number: int, value: int) -> bytes:
    return _key(number, 0) + _varint(value % 2**64)


def _text(number: int, text: str) -> bytes:
    return _part(number, text.encode())


def _part(number: int, content: bytes) -> bytes:
    return _key(number, 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
