"""Partial counts that Java adds are, byte for byte, those that Python adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from py4j.protocol import Py4JJavaError

from pyflink_jobs.java.build import java_classes
from udfs.distributions.bins import Bins
from udfs.distributions.categories import Categories, some
from udfs.distributions.count_layout import Features
from udfs.distributions.counts import Counts
from udfs.distributions.partial import from_bytes, to_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = Features(
    ("x", "where", "y"),
    (Bins(np.arange(299, dtype=np.float32)), Categories(("a", "b"), complete=True), Bins(np.zeros(1, np.float32))),
)
CELLS = arrays(
    np.int64, FEATURES.size, elements=st.sampled_from([0, 0, 0, 1, 255, 256, 70_000, 2**33, 2**61]), fill=st.just(0)
)
FLOATS = np.array([-np.inf, -1e30, -1.5, -0.0, 0.0, 1e-45, 7, np.inf], np.float32).tolist()
ENDS = arrays(np.float32, 3, elements=st.sampled_from(FLOATS))
NAMES = st.dictionaries(st.text(max_size=3), st.integers(1, 2**40), max_size=40).map(some)
PARTS = st.dictionaries(st.integers(0, 167), st.integers(1, 2**40), max_size=4)
COUNTS = st.builds(
    lambda cells, least, most, names, parts: Counts(FEATURES, cells, least, most, {1: names} if names else {}, parts),
    CELLS,
    ENDS,
    ENDS,
    NAMES,
    PARTS,
)


class InJava:
    """Java's class, which hypothesis would take for a mock."""

    def __init__(self, java: Any) -> None:  # noqa: ANN401 - a Java class
        self._java = java

    def add(self, one: bytes, other: bytes) -> bytes:
        return bytes(self._java.add(one, other))

    def rows(self, counts: bytes) -> int:
        return int(self._java.rows(counts))


@pytest.fixture(scope="module")
def java() -> InJava:
    from pyflink.java_gateway import get_gateway
    from pyflink.util.java_utils import add_jars_to_context_class_loader

    add_jars_to_context_class_loader([java_classes().as_uri()])
    return InJava(get_gateway().jvm.millstream.PartialCounts)


@settings(max_examples=100)
@given(one=COUNTS, other=COUNTS)
def test_java_adds_as_python_does(java: InJava, one: Counts, other: Counts) -> None:
    added = java.add(to_bytes(one), to_bytes(other))
    assert added == to_bytes(one + other)
    assert java.rows(added) == sum(one.parts.values()) + sum(other.parts.values())
    found = from_bytes(added, FEATURES)
    np.testing.assert_array_equal(found.cells, one.cells + other.cells)


def cells(*hit: int) -> NDArray[np.int64]:
    counts = np.zeros(FEATURES.size, np.int64)
    counts[list(hit)] = 1
    return counts


def test_java_refuses_damaged_bytes_and_those_of_other_features(java: InJava) -> None:
    ends = np.zeros(3, np.float32), np.ones(3, np.float32)
    data = to_bytes(Counts(FEATURES, cells(0, 5), *ends))
    other = Features(("x", "who", "y"), FEATURES.columns)
    bad = {
        "checksum": data[:30] + bytes([data[30] ^ 1]) + data[31:],
        "different features": to_bytes(Counts(other, cells(1), *ends)),
        "version": data[:2] + b"\x02" + data[3:],
    }
    for words, bytes_ in bad.items():
        with pytest.raises(Py4JJavaError, match=words):
            java.add(data, bytes_)
