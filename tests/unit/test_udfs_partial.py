"""Histograms as bytes: there and back, and no other bytes are taken for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from udfs.bins import Bins
from udfs.choose_bins import choose_bins
from udfs.histogram import Histogram, histogram
from udfs.partial import PartialError, from_bytes, to_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = Bins(np.arange(299, dtype=np.float32))
COUNTS = arrays(np.int64, BINS.size, elements=st.sampled_from([0, 0, 0, 1, 255, 256, 70_000, 2**33]), fill=st.just(0))


def made(counts: NDArray[np.int64], nulls: int = 3) -> Histogram:
    return Histogram(BINS, counts, nulls, np.float32(-1.5), np.float32(7))


@given(counts=COUNTS, nulls=st.integers(0, 2**64 - 1))
def test_there_and_back(counts: NDArray[np.int64], nulls: int) -> None:
    found = from_bytes(to_bytes(made(counts, nulls)), BINS)
    np.testing.assert_array_equal(found.counts, counts)
    assert (found.nulls, float(found.least), float(found.most)) == (nulls, -1.5, 7.0)


def test_an_empty_sample_keeps_its_infinite_ends() -> None:
    found = from_bytes(to_bytes(histogram(BINS, np.empty(0, np.float32))), BINS)
    assert (found.n, found.nulls, float(found.least), float(found.most)) == (0, 0, np.inf, -np.inf)


@given(counts=COUNTS, at=st.integers(0, 10_000), change=st.integers(1, 255))
def test_one_changed_byte_is_noticed(counts: NDArray[np.int64], at: int, change: int) -> None:
    data = bytearray(to_bytes(made(counts)))
    data[at % len(data)] ^= change
    with pytest.raises(PartialError):
        from_bytes(bytes(data), BINS)


@given(data=st.binary(max_size=80), cut=st.integers(0, 400))
def test_other_bytes_and_parts_are_refused(data: bytes, cut: int) -> None:
    whole = to_bytes(made(np.arange(BINS.size)))
    for bad in (data, whole[: min(cut, len(whole) - 1)], whole + data[:1] + b"\0"):
        with pytest.raises(PartialError):
            from_bytes(bad, BINS)


def test_each_refusal_says_why() -> None:
    data = to_bytes(made(np.zeros(BINS.size, np.int64)))
    for bad, bins, words in (
        (b"short", BINS, "5 bytes are too few"),
        (b"xx" + data[2:], BINS, "begins with b'xx', expected b'mh'"),
        (data[:2] + b"\x09" + data[3:], BINS, "of version 9, expected 1"),
        (data[:20] + b"?" + data[21:], BINS, "checksum does not match"),
        (data, Bins(BINS.edges + 1), f"over other bins: {BINS.digest.hex()}, expected"),
    ):
        with pytest.raises(PartialError, match=words):
            from_bytes(bad, bins)


def test_a_batch_and_an_hour_are_small() -> None:
    generator = np.random.default_rng(0)
    bins = choose_bins(lambda: [generator.normal(size=100_000).astype(np.float32)])
    for rows in (10, 5000, 20_000):
        assert len(to_bytes(histogram(bins, generator.normal(size=rows).astype(np.float32)))) <= 600
