"""Histograms as bytes: there and back, and no other bytes are taken for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from udfs.distributions.bins import Bins
from udfs.distributions.categories import Categories
from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts, count
from udfs.distributions.partial import PartialError, from_bytes, to_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = Features(("x", "where"), (Bins(np.arange(299, dtype=np.float32)), Categories(("a", "b"))))
COUNTS = arrays(
    np.int64, FEATURES.size, elements=st.sampled_from([0, 0, 0, 1, 255, 256, 70_000, 2**33]), fill=st.just(0)
)


def made(cells: NDArray[np.int64]) -> Counts:
    return Counts(FEATURES, cells, np.array([-1.5, np.inf], np.float32), np.array([7, -np.inf], np.float32))


@given(counts=COUNTS)
def test_there_and_back(counts: NDArray[np.int64]) -> None:
    found = from_bytes(to_bytes(made(counts)), FEATURES)
    np.testing.assert_array_equal(found.cells, counts)
    assert (found.least.tolist(), found.most.tolist()) == ([-1.5, np.inf], [7, -np.inf])


@given(counts=COUNTS, at=st.integers(0, 10_000), change=st.integers(1, 255))
def test_one_changed_byte_is_noticed(counts: NDArray[np.int64], at: int, change: int) -> None:
    data = bytearray(to_bytes(made(counts)))
    data[at % len(data)] ^= change
    with pytest.raises(PartialError):
        from_bytes(bytes(data), FEATURES)


@given(data=st.binary(max_size=80), cut=st.integers(0, 400))
def test_other_bytes_and_parts_are_refused(data: bytes, cut: int) -> None:
    whole = to_bytes(made(np.arange(FEATURES.size)))
    for bad in (data, whole[: min(cut, len(whole) - 1)], whole + data[:1] + b"\0"):
        with pytest.raises(PartialError):
            from_bytes(bad, FEATURES)


def test_each_refusal_has_a_reason() -> None:
    data = to_bytes(made(np.zeros(FEATURES.size, np.int64)))
    other = Features(("x", "which"), FEATURES.columns)
    for bad, features, words in (
        (b"short", FEATURES, "5 bytes are too few"),
        (b"xx" + data[2:], FEATURES, "begins with b'xx', expected b'mh'"),
        (data[:2] + b"\x09" + data[3:], FEATURES, "of version 9, expected 3"),
        (data[:20] + b"?" + data[21:], FEATURES, "checksum does not match"),
        (data, other, f"over other bins: {FEATURES.digest.hex()}, expected"),
    ):
        with pytest.raises(PartialError, match=words):
            from_bytes(bad, features)


def test_a_batch_and_an_hour_are_small() -> None:
    generator = np.random.default_rng(0)
    bins = choose_bins(lambda: [generator.normal(size=100_000).astype(np.float32)])
    features = Features(("x",), (bins,))
    for rows in (10, 5000, 20_000):
        assert len(to_bytes(count(features, [generator.normal(size=rows).astype(np.float32)]))) <= 600
