"""Counts as bytes: a worker sends them for each batch, window and slice, and a merge keeps them as its state.

Little-endian: "mh", version, layout, digest of the features (8 bytes), CRC-32 of all else, the columns' least and
greatest values (float32), then the counts: either all of them, or position (uint16) and count of those above zero,
whichever is shorter. The layout is the width of a count in bytes, plus 128 for the second form. In version 2, the
names of new categories are before the least and greatest values: JSON, after its length (uint32).

>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.count_layout import Features
>>> from udfs.distributions.counts import count
>>> features = Features(("delay",), (Bins(np.array([0, 15], np.float32)),))
>>> data = to_bytes(count(features, [np.array([-3, 20], np.float32)]))
>>> len(data), from_bytes(data, features).cells.tolist()
(28, [1, 0, 1, 0])
"""

from __future__ import annotations

import json
from struct import Struct
from struct import error as struct_error
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from udfs.distributions.counts import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.count_layout import Features

__all__ = ["PartialError", "from_bytes", "to_bytes"]

_HEAD = Struct("<2sBB8s")
_CRC = Struct("<I")
_MAGIC, _VERSION, _WITH_NAMES = b"mh", 1, 2
_SPARSE = 128
_WIDTHS: dict[int, np.dtype[Any]] = {width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)}
_INDEX = np.dtype("<u2")
_END = np.dtype("<f4")


class PartialError(ValueError):
    """Bytes that are not counts of the expected features; the text has the reason."""


def to_bytes(counts: Counts) -> bytes:
    """Return counts as bytes: about 300 for a column of 256 bins and a batch of 5,000 rows."""
    cells = counts.cells
    width = next(w for w in _WIDTHS if int(cells.max(initial=0)) < 1 << 8 * w)
    hit = np.flatnonzero(cells)
    sparse = len(hit) * (_INDEX.itemsize + width) < len(cells) * width
    kept = cells[hit] if sparse else cells
    ends = np.concatenate((counts.least, counts.most)).astype(_END).tobytes()
    body = ends + (hit.astype(_INDEX).tobytes() if sparse else b"") + kept.astype(_WIDTHS[width]).tobytes()
    version = _VERSION
    if counts.new:
        names = json.dumps([[index, dict(new)] for index, new in counts.new.items()]).encode()
        version, body = _WITH_NAMES, _CRC.pack(len(names)) + names + body
    head = _HEAD.pack(_MAGIC, version, width | _SPARSE * sparse, counts.features.digest)
    return head + _CRC.pack(crc32(head + body)) + body


def from_bytes(data: bytes, features: Features) -> Counts:
    """Return the counts of `features` that `to_bytes` wrote.

    Raises PartialError for bytes that are damaged, of another version of this format, or of other features.
    """
    try:
        magic, version, layout, digest = _HEAD.unpack_from(data)
        (crc,) = _CRC.unpack_from(data, _HEAD.size)
    except struct_error:
        raise PartialError(f"{len(data)} bytes are too few for a partial histogram") from None
    body = data[_HEAD.size + _CRC.size :]
    if magic != _MAGIC:
        raise PartialError(f"not a partial histogram: it begins with {magic!r}, expected {_MAGIC!r}")
    if version not in (_VERSION, _WITH_NAMES):
        raise PartialError(f"a partial histogram of version {version}, expected {_VERSION} or {_WITH_NAMES}")
    if crc32(data[: _HEAD.size] + body) != crc:
        raise PartialError("a damaged partial histogram: its checksum does not match")
    if digest != features.digest:
        raise PartialError(f"a partial histogram over other bins: {digest.hex()}, expected {features.digest.hex()}")
    new: dict[int, dict[str, int]] = {}
    if version == _WITH_NAMES:
        (length,) = _CRC.unpack_from(body)
        names, body = body[_CRC.size : _CRC.size + length], body[_CRC.size + length :]
        new = dict(json.loads(names))
    columns = len(features.names)
    least, most = np.frombuffer(body, _END, 2 * columns).astype(np.float32).reshape(2, columns)
    return Counts(features, _cells(body[2 * columns * _END.itemsize :], layout, features.size), least, most, new)


def _cells(body: bytes, layout: int, size: int) -> NDArray[np.int64]:
    width = _WIDTHS[layout & ~_SPARSE]
    if not layout & _SPARSE:
        return np.frombuffer(body, width).astype(np.int64)
    hit = len(body) // (_INDEX.itemsize + width.itemsize)
    cells = np.zeros(size, np.int64)
    cells[np.frombuffer(body, _INDEX, hit)] = np.frombuffer(body, width, hit, hit * _INDEX.itemsize)
    return cells
