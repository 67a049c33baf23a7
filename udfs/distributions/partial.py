"""Counts as bytes, which Java adds (`pyflink_jobs/java/PartialCounts.java`): a worker sends them for each batch.

Little-endian: "mh", version, layout, digest of the features (8 bytes), CRC-32 of all else; then how many counts,
columns, parts of the season and new categories there are (uint32, uint16, uint16, uint32); the columns' least and
greatest values (float32); each part (uint16) and its rows (uint64); each new category: its column (uint16), the length
of its name (uint32), how often it occurs (uint64), its name in UTF-8; then the counts: either all of them, or position
(uint16) and count of those above zero, whichever is shorter. The layout is the width of a count in bytes, plus 128 for
the second form. So who adds needs to know no bins: counts and rows are sums, ends the least and greatest.

>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.count_layout import Features
>>> from udfs.distributions.counts import count
>>> features = Features(("delay",), (Bins(np.array([0, 15], np.float32)),))
>>> data = to_bytes(count(features, [np.array([-3, 20], np.float32)]))
>>> len(data), from_bytes(data, features).cells.tolist()
(40, [1, 0, 1, 0])
"""

from __future__ import annotations

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
_SIZES = Struct("<IHHI")
_PART = Struct("<HQ")
_NAME = Struct("<HIQ")
_MAGIC, _VERSION = b"mh", 3
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
    names = [(at, name.encode(), n) for at, new in sorted(counts.new.items()) for name, n in new.items()]
    ends = np.concatenate((counts.least, counts.most)).astype(_END) + _END.type(0)  # of -0 and 0, only 0
    body = b"".join(
        (
            _SIZES.pack(len(cells), len(counts.least), len(counts.parts), len(names)),
            ends.tobytes(),
            *(_PART.pack(part, rows) for part, rows in sorted(counts.parts.items())),
            *(_NAME.pack(at, len(name), n) + name for at, name, n in names),
            hit.astype(_INDEX).tobytes() if sparse else b"",
            kept.astype(_WIDTHS[width]).tobytes(),
        )
    )
    head = _HEAD.pack(_MAGIC, _VERSION, width | _SPARSE * sparse, counts.features.digest)
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
    if version != _VERSION:
        raise PartialError(f"a partial histogram of version {version}, expected {_VERSION}")
    if crc32(data[: _HEAD.size] + body) != crc:
        raise PartialError("a damaged partial histogram: its checksum does not match")
    if digest != features.digest:
        raise PartialError(f"a partial histogram over other bins: {digest.hex()}, expected {features.digest.hex()}")
    size, columns, part_count, name_count = _SIZES.unpack_from(body)
    at = _SIZES.size
    least, most = np.frombuffer(body, _END, 2 * columns, at).astype(np.float32).reshape(2, columns)
    at += 2 * columns * _END.itemsize
    parts = dict(_PART.iter_unpack(body[at : at + part_count * _PART.size]))
    at += part_count * _PART.size
    new: dict[int, dict[str, int]] = {}
    for _ in range(name_count):
        column, length, n = _NAME.unpack_from(body, at)
        at += _NAME.size + length
        new.setdefault(column, {})[body[at - length : at].decode()] = n
    return Counts(features, _cells(body[at:], layout, size), least, most, new, parts)


def _cells(body: bytes, layout: int, size: int) -> NDArray[np.int64]:
    width = _WIDTHS[layout & ~_SPARSE]
    if not layout & _SPARSE:
        return np.frombuffer(body, width).astype(np.int64)
    hit = len(body) // (_INDEX.itemsize + width.itemsize)
    cells = np.zeros(size, np.int64)
    cells[np.frombuffer(body, _INDEX, hit)] = np.frombuffer(body, width, hit, hit * _INDEX.itemsize)
    return cells
