"""Fields of a protobuf message, which is what an ONNX file is: onnxruntime reads no more of it than it runs.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fields", "values", "varint"]


def fields(message: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Yield each field's number, and where it, its value and what follows begin. Raises IndexError where damaged."""
    at = 0
    while at < len(message):
        start = at
        key, at = varint(message, at)
        size = 0
        match key & 7:
            case 0:
                size = varint(message, at)[1] - at
            case 1:
                size = 8
            case 2:
                size, at = varint(message, at)
            case 5:
                size = 4
            case _:
                raise IndexError
        if at + size > len(message):
            raise IndexError
        yield key >> 3, start, at, at + size
        at += size


def values(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    r"""Yield each field's number and its bytes.

    >>> [(number, bytes(value)) for number, value in values(memoryview(b"\x0a\x02ab\x10\x07"))]
    [(1, b'ab'), (2, b'\x07')]
    """
    for number, _, at, end in fields(message):
        yield number, message[at:end]


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the number that begins at `at`, and where it ends. Raises IndexError where it does not end."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number has no top bit
            return value, at
        shift += 7
