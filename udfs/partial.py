"""A histogram as bytes: what a worker sends for each batch, window and slice, and what a merge keeps as its state.

Little-endian: "mh", version, layout, digest of the bins (8 bytes), NULLs (uint64), least and greatest value (float32),
CRC-32 of all else, then the counts: every bin's, or bin (uint16) and count of those hit, whichever is shorter. The
layout is the width of a count in bytes, plus 128 where only the bins that were hit are there.
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from udfs.histogram import Histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.bins import Bins

__all__ = ["PartialError", "from_bytes", "to_bytes"]

_HEAD = Struct("<2sBB8sQff")
_CRC = Struct("<I")
_MAGIC, _VERSION = b"mh", 1
_SPARSE = 128
_WIDTHS: dict[int, np.dtype[Any]] = {width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)}
_INDEX = np.dtype("<u2")


class PartialError(ValueError):
    """Bytes that are no histogram over the bins they were expected for; the text says why."""


def to_bytes(histogram: Histogram) -> bytes:
    """Return a histogram as bytes. 256 bins and a batch of 5,000 values take about 300."""
    counts = histogram.counts
    width = next(w for w in _WIDTHS if int(counts.max(initial=0)) < 1 << 8 * w)
    hit = np.flatnonzero(counts)
    sparse = len(hit) * (_INDEX.itemsize + width) < len(counts) * width
    kept = counts[hit] if sparse else counts
    body = (hit.astype(_INDEX).tobytes() if sparse else b"") + kept.astype(_WIDTHS[width]).tobytes()
    layout = width | _SPARSE * sparse
    ends = float(histogram.least), float(histogram.most)
    head = _HEAD.pack(_MAGIC, _VERSION, layout, histogram.bins.digest, histogram.nulls, *ends)
    return head + _CRC.pack(crc32(head + body)) + body


def from_bytes(data: bytes, bins: Bins) -> Histogram:
    """Return the histogram over `bins` that `to_bytes` wrote.

    Raises PartialError for bytes that are damaged, of another version of this format, or over other bins.
    """
    try:
        magic, version, layout, digest, nulls, least, most = _HEAD.unpack_from(data)
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
    if digest != bins.digest:
        raise PartialError(f"a partial histogram over other bins: {digest.hex()}, expected {bins.digest.hex()}")
    return Histogram(bins, _counts(body, layout, bins.size), nulls, np.float32(least), np.float32(most))


def _counts(body: bytes, layout: int, size: int) -> NDArray[np.int64]:
    width = _WIDTHS[layout & ~_SPARSE]
    if not layout & _SPARSE:
        return np.frombuffer(body, width).astype(np.int64)
    hit = len(body) // (_INDEX.itemsize + width.itemsize)
    counts = np.zeros(size, np.int64)
    counts[np.frombuffer(body, _INDEX, hit)] = np.frombuffer(body, width, hit, hit * _INDEX.itemsize)
    return counts
