"""The files of an ONNX model: one with the graph, and those with the weights that it keeps outside (external data).

PyTorch writes `model.onnx` and `model.onnx.data`. A tensor names its file relative to the folder of the graph's file,
with an offset and a length. Here such a model becomes one in memory, so that the verified bytes are those that are
opened, wherever the files are and whatever the current folder is.

Fields and their numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from udfs.scoring.protobuf import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "DataFileError",
    "ModelFileError",
    "external_files",
    "read",
    "read_files",
    "sha256",
    "whole_model",
    "with_data",
]


class ModelFileError(ValueError):
    """A model file that is missing, damaged, changed, or of a kind that cannot score rows."""


class DataFileError(ModelFileError):
    """A file with weights that is missing, too short, or outside the model's folder."""


_MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
}
"""The fields of each message that lead to a tensor, with the kind of message that they hold."""

_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14  # of TensorProto
_EXTERNAL = 1  # a value of its data_location
_LARGEST = 2**31 - 1  # bytes: what protobuf reads as one message


def read(path: Path) -> bytes:
    """Return the file's bytes. Raises ModelFileError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}") from error


def sha256(path: Path) -> str:
    """Return the file's digest, 64 hexadecimal characters. Raises ModelFileError where it cannot be read."""
    return hashlib.sha256(read(path)).hexdigest()


def whole_model(path: Path) -> bytes:
    """Return a model's bytes, with all its weights in them.

    Raises ModelFileError for a file that cannot be read, DataFileError for one with weights.
    """
    graph, data = read_files(path)
    return with_data(graph, data)


def read_files(path: Path) -> tuple[bytes, dict[str, bytes]]:
    """Return the bytes of a model's file and those of its files with weights, by their names in it.

    Raises ModelFileError for a file that cannot be read, DataFileError for one with weights.
    """
    graph = read(path)
    return graph, {name: _read_data(path.parent, name) for name in external_files(graph)}


def _read_data(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise DataFileError(f"the model keeps weights in `{name}`, which cannot be read: {error.strerror}") from error


def external_files(content: bytes) -> tuple[str, ...]:
    """Return the names of the files with weights, relative to the model's folder and sorted; () for most models.

    `content` is that of the file with the graph. Raises DataFileError for a file outside the model's folder.
    """
    if b"location" not in content:  # the key that each external tensor has
        return ()
    found: set[str] = set()

    def note(tensor: memoryview) -> memoryview:
        if part := _external(tensor):
            found.add(part.location)
        return tensor

    try:
        _rewritten("model", memoryview(content), note)
    except (IndexError, UnicodeDecodeError, RecursionError):
        return ()  # not an ONNX file: ONNX Runtime says so
    return tuple(sorted(found))


def with_data(content: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return the model as one file, with the weights of `files`, whose names are those of `external_files`.

    Raises DataFileError for a file that is too short, or a model too large for one.
    """
    if not files:
        return content
    if (size := len(content) + sum(map(len, files.values()))) > _LARGEST:
        raise DataFileError(f"the model's files have {size:,} bytes, and no more than {_LARGEST:,} can be opened")

    def fill(tensor: memoryview) -> memoryview | bytes:
        if not (part := _external(tensor)):
            return tensor
        content = memoryview(files[part.location])
        end = len(content) if part.length is None else part.offset + part.length
        if not 0 <= part.offset <= end <= len(content):
            raise DataFileError(
                f"`{part.location}` has {len(content):,} bytes, and the model has weights at {part.offset:,} to {end:,}"
            )
        kept = [tensor[start:after] for number, start, _, after in fields(tensor) if number not in _OF_EXTERNAL]
        return b"".join([*kept, _field(_RAW_DATA, content[part.offset : end])])

    return bytes(_rewritten("model", memoryview(content), fill))


_OF_EXTERNAL = (_EXTERNAL_DATA, _DATA_LOCATION)


class _Part(NamedTuple):
    """Where a tensor's values are: in a file, from an offset on, so many bytes or all that follow."""

    location: str
    offset: int
    length: int | None


def _inside(name: str) -> str:
    """Return the name of a file in the model's folder or below; raise DataFileError for any other."""
    path = PurePosixPath(name)
    if not path.name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise DataFileError(f"the model keeps weights in {name!r}, which is not a file in its own folder")
    return name


def _external(tensor: memoryview) -> _Part | None:
    """Return where a tensor's values are; None where they are in it. Raises DataFileError for an invalid place."""
    entries: dict[str, str] = {}
    external = False
    for number, _, at, after in fields(tensor):
        if number == _DATA_LOCATION:
            external = tensor[at] == _EXTERNAL
        elif number == _EXTERNAL_DATA:
            entry = tensor[at:after]
            pair = {number: str(entry[start:end], "utf-8") for number, _, start, end in fields(entry)}
            entries[pair.get(1, "")] = pair.get(2, "")
    if not external:
        return None
    length = entries.get("length")
    try:
        offset, size = int(entries.get("offset", 0)), None if length is None else int(length)
    except ValueError:
        raise DataFileError(f"the model's weights have an offset or a length that is not a number: {entries}") from None
    return _Part(_inside(entries.get("location", "")), offset, size)


def _rewritten(
    kind: str, message: memoryview, tensor: Callable[[memoryview], memoryview | bytes]
) -> memoryview | bytes:
    """Return a message whose tensors, at any depth, are replaced by `tensor`; itself if that changes none."""
    parts: list[memoryview | bytes] = []
    copied = 0
    for number, start, at, end in fields(message):
        inner = _MESSAGES[kind].get(number)
        if inner is None:
            continue
        value = message[at:end]
        new = tensor(value) if inner == "tensor" else _rewritten(inner, value, tensor)
        if new is not value:
            parts += [message[copied:start], _field(number, new)]
            copied = end
    return b"".join([*parts, message[copied:]]) if parts else message


def _field(number: int, value: memoryview | bytes) -> bytes:
    """Return a field of bytes."""
    return _encoded(number << 3 | 2) + _encoded(len(value)) + value


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
