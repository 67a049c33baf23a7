"""The operators of an ONNX file that its outputs need, and which of them are random or in training mode.

The runtime has no `onnx` package, so the file's messages are read here, as far as this needs it. Fields and their
numbers are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from udfs.scoring.protobuf import values, varint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Node", "by_chance", "categories", "needed_nodes", "read_nodes"]

_RANDOM = (
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Sampling",
)
_DROPOUTS = ("Dropout", "BiasDropout", "BitmaskDropout", "BitmaskBiasDropout")
_KNOWN_TEXTS = ("keys_strings", "cats_strings", "classlabels_strings", "string_vocabulary")
_STATISTICS = 5  # outputs of a BatchNormalization that updates its statistics, before opset 14
_MODEL_GRAPH, _MODEL_FUNCTION, _FUNCTION_NODE = 7, 25, 7


@dataclass(frozen=True)
class Node:
    """An operator: `numbers` and `texts` are its attributes by name, `inner` the nodes of its subgraphs.

    A constant has its value's bytes in `constant`.
    """

    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: dict[str, int] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    inner: tuple[Node, ...] = ()
    constant: bytes = b""


def read_nodes(content: bytes) -> tuple[list[Node], list[Node]]:
    """Return the nodes of a model's graph, its weights of one byte among them as constants, and those of its functions.

    What is no ONNX model has none.
    """
    try:
        message = memoryview(content)
        graph = [node for number, value in values(message) if number == _MODEL_GRAPH for node in _graph(value)]
        functions = [
            _node(part)
            for number, value in values(message)
            if number == _MODEL_FUNCTION
            for field_number, part in values(value)
            if field_number == _FUNCTION_NODE
        ]
    except (IndexError, UnicodeDecodeError):
        return [], []
    return graph, functions


def needed_nodes(nodes: list[Node], outputs: Iterable[str]) -> list[Node]:
    """Return the nodes that outputs are computed from, directly or through others."""
    makers = {name: node for node in nodes for name in node.outputs}
    needed: dict[int, Node] = {}
    queue = [*outputs]
    while queue:
        node = makers.get(queue.pop())
        if node is not None and id(node) not in needed:
            needed[id(node)] = node
            queue += _read_by(node)
    return [node for node in nodes if id(node) in needed]


def _read_by(node: Node) -> list[str]:
    return [*node.inputs, *(name for inner in node.inner for name in _read_by(inner))]


def by_chance(nodes: Iterable[Node], constants: Iterable[Node]) -> list[str]:
    """Return words for each of `nodes`, those of their subgraphs too, that is random or in training mode.

    `constants` are all nodes of the graph.
    """
    true = {name for node in constants if node.constant == b"\x01" for name in node.outputs}
    return sorted({words for node in _all(nodes) if (words := _chance(node, true))})


def _chance(node: Node, true: set[str]) -> str:
    if node.operator in _RANDOM:
        return f"{node.operator}, which is random"
    if node.operator in _DROPOUTS and len(node.inputs) > 2 and node.inputs[-1] in true:  # noqa: PLR2004 - data, ratio, training_mode
        return f"{node.operator} in training mode"
    if node.operator == "BatchNormalization":
        updates = [name for name in node.outputs if name]
        if node.numbers.get("training_mode") or len(updates) == _STATISTICS:
            return "BatchNormalization in training mode"
    return ""


def categories(nodes: Iterable[Node]) -> list[str]:
    """Return texts that the operators know: keys, categories, words."""
    return [text for node in _all(nodes) for name in _KNOWN_TEXTS for text in node.texts.get(name, [])]


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _all(node.inner)


def _graph(message: memoryview) -> Iterator[Node]:
    for number, value in values(message):
        if number == 1:
            yield _node(value)
        elif number == 5:  # noqa: PLR2004 - initializer
            name = "".join(_text(part) for at, part in values(value) if at == 8)  # noqa: PLR2004 - name
            yield Node("Constant", "", (), (name,), constant=_one_byte(value))


def _node(message: memoryview) -> Node:
    names: dict[int, list[str]] = {}
    numbers: dict[str, int] = {}
    texts: dict[str, list[str]] = {}
    inner: list[Node] = []
    constant = b""
    for number, value in values(message):
        if number != 5:  # noqa: PLR2004 - attribute
            names.setdefault(number, []).append(_text(value))
            continue
        parts = [*values(value)]
        name = "".join(_text(part) for at, part in parts if at == 1)
        for at, part in parts:
            if at == 3:  # noqa: PLR2004 - i
                numbers[name] = varint(part, 0)[0]
            elif at == 9:  # noqa: PLR2004 - strings
                texts.setdefault(name, []).append(_text(part))
            elif at in (6, 11):  # g, graphs
                inner += _graph(part)
            elif at == 5:  # noqa: PLR2004 - t
                constant = _one_byte(part)
    operator, domain = ("".join(names.get(at, [])) for at in (4, 7))
    return Node(
        operator, domain, tuple(names.get(1, ())), tuple(names.get(2, ())), numbers, texts, tuple(inner), constant
    )


def _one_byte(tensor: memoryview) -> bytes:
    """Return the value of a tensor of one byte, as raw data or as int32_data; b"" of any other."""
    found = [bytes(value) for number, value in values(tensor) if number in (5, 9)]
    return found[0] if len(found) == 1 and len(found[0]) == 1 else b""


def _text(value: memoryview) -> str:
    return bytes(value).decode(errors="replace")
