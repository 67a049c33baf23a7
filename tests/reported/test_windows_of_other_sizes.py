"""Windows of other sizes than the reference's: small ones are far apart by chance, and must not hide the large ones'.

Sizes go from 20 to 20,000 on both sides, for numbers and for text of few, many and rare categories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats

from tests.reported_windows import Follower, follower
from udfs.distributions.categorical import noise, total_variation
from udfs.distributions.categories import Categories, CategoryCounts
from udfs.drift.thresholds import ALPHA, LIKE, like_sizes, margin, together

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIZES = (20, 60, 200, 2000, 20_000)
REFERENCES, WINDOWS = 20, 5


def zipf(size: int) -> NDArray[np.float64]:
    shares = 1 / np.arange(1, size + 1)
    return np.asarray(shares / shares.sum())


COLUMNS = {"two": np.array([0.7, 0.3]), "few": np.full(5, 0.2), "many": np.full(100, 0.01), "long tail": zipf(255)}


def moved(shares: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """Return shares without some categories, that had together nearly `most`; the others have the more."""
    order = np.random.default_rng(1).permutation(len(shares))
    gone = order[: max(1, int(np.searchsorted(np.cumsum(shares[order]), most)))]
    left = shares.copy()
    left[gone] = 0
    return np.asarray(left / left.sum(), np.float64)


def texts(generator: np.random.Generator, shares: NDArray[np.float64], n: int) -> NDArray[np.object_]:
    names = np.array([f"c{i}" for i in range(len(shares))], object)
    return generator.choice(names, n, p=shares)


@pytest.mark.parametrize("column", ["few", "many", "long tail"])
def test_a_text_column_that_moved_by_half_drifts_whatever_the_reference_s_windows(column: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    shares = COLUMNS[column]
    small = follower(tmp_path, [texts(generator, shares, 60) for _ in range(60)])
    assert small.loaded.profile.distances["(all)", "x", 0]
    assert [small.verdict(texts(generator, moved(shares, 0.5), 2000)) for _ in range(10)] == ["drift"] * 10
    same = Follower(small.loaded)
    assert [same.verdict(texts(generator, shares, 2000)) for _ in range(10)] == ["stable"] * 10


def test_distances_are_ranked_among_windows_of_like_size(tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    # Hours differ by their own shift, so a distance of .3 is usual; .45 is not.
    usual = [generator.normal(generator.choice([-1, 1]), 1, 100).astype(np.float32) for _ in range(60)]
    known = follower(tmp_path, usual)
    assert [known.verdict(generator.normal(1, 1, 120).astype(np.float32)) for _ in range(5)] == ["stable"] * 5
    ranked = known.next({"(all)": generator.normal(1, 1, 120).astype(np.float32)}).results[0].judgement
    assert ranked.rank is not None
    assert ranked.rank > 0.02
    larger = known.next({"(all)": generator.normal(1, 1, 2000).astype(np.float32)}).results[0].judgement
    assert (larger.rank, larger.verdict) == (None, "drift")


def test_like_sizes_are_within_a_factor() -> None:
    others = [together(n, 1000) for n in (20, 60, 200, 2000)]
    for n in (60, 200):
        size = together(n, 1000)
        assert like_sizes(size, others).tolist() == [1 / LIKE <= size / other <= LIKE for other in others]
    # Beyond the size of the reference, all windows are as far from it.
    assert like_sizes(together(20_000, 300), [together(2000, 300)]).all()
    assert like_sizes(5.0, [np.nan]).all(), "of a file without sizes, all are ranked among, as before"


@pytest.mark.parametrize("column", list(COLUMNS))
@pytest.mark.parametrize("m", [pytest.param(m, marks=[] if m == 2000 else pytest.mark.slow) for m in SIZES])
def test_text_is_beyond_its_margin_by_chance_in_no_more_than_the_level(column: str, m: int) -> None:
    """Without a change, and with one below the least that counts; a change by half is found from some size on."""
    generator = np.random.default_rng(m)
    shares = COLUMNS[column]
    names = Categories(tuple(str(i) for i in range(len(shares))))
    small = 0.85 * shares + 0.15 * moved(shares, 0.5)
    for n in (30, *SIZES[1:]):
        fired = {"same": 0, "small": 0, "half": 0}
        for _ in range(REFERENCES):
            then = generator.multinomial(m, shares)
            reference = CategoryCounts(names, np.append(then, 0), 0)
            for name, now in (("same", shares), ("small", small), ("half", moved(shares, 0.6))):
                for counts in generator.multinomial(n, now, WINDOWS):
                    window = CategoryCounts(names, np.append(counts, 0), 0)
                    d = total_variation(reference, window)
                    fired[name] += float(d.lo) > margin(n, m, 0.1, ALPHA / 2, noise(reference, window))
        most = scipy.stats.binom.ppf(1 - 1e-6, REFERENCES * WINDOWS, ALPHA)
        assert max(fired["same"], fired["small"]) <= most, (n, fired)
        if min(n, m) >= 2000:
            assert fired["half"] == REFERENCES * WINDOWS, (n, fired)


@pytest.mark.parametrize("m", [pytest.param(m, marks=[] if m == 200 else pytest.mark.slow) for m in SIZES])
def test_numbers_are_beyond_their_margin_by_chance_in_no_more_than_the_level(m: int) -> None:
    generator = np.random.default_rng(m)
    for n in (30, *SIZES[1:]):
        fired = {0.0: 0, 1.5: 0}
        for _ in range(REFERENCES):
            reference = generator.normal(size=m)
            for shift in fired:
                window = generator.normal(shift, 1, n)
                fired[shift] += scipy.stats.ks_2samp(reference, window, method="asymp").statistic > margin(n, m)
        assert fired[0.0] == 0
        if min(n, m) >= 200:
            assert fired[1.5] == REFERENCES


@pytest.mark.parametrize("column", list(COLUMNS))
def test_the_noise_of_text_is_its_mean_distance_without_a_change(column: str) -> None:
    generator = np.random.default_rng(0)
    shares = COLUMNS[column]
    names = Categories(tuple(str(i) for i in range(len(shares))))
    for m, n in ((2000, 60), (20_000, 200), (2000, 2000), (20_000, 20_000)):
        pairs = [
            [CategoryCounts(names, np.append(generator.multinomial(size, shares), 0), 0) for size in (m, n)]
            for _ in range(200)
        ]
        mean = np.mean([float(total_variation(*pair).lo) for pair in pairs])
        expected = np.mean([noise(*pair) for pair in pairs])
        assert expected == pytest.approx(mean, rel=0.1, abs=1e-3), (m, n)  # normal, as an approximation


def test_rare_categories_are_tested_in_groups_and_their_p_value_is_valid() -> None:
    """Of a hundred categories, each with four of the window's values, half vanish: one pool of them shows nothing."""
    generator = np.random.default_rng(0)
    shares = COLUMNS["many"]
    names = Categories(tuple(str(i) for i in range(100)))

    def p(now: NDArray[np.float64]) -> float:
        reference = CategoryCounts(names, np.append(generator.multinomial(20_000, shares), 0), 0)
        found = total_variation(reference, CategoryCounts(names, np.append(generator.multinomial(400, now), 0), 0)).p
        assert found is not None
        return float(found)

    assert max(p(moved(shares, 0.5)) for _ in range(20)) < 1e-6
    same = np.array([p(shares) for _ in range(2000)])
    for level in (0.01, 0.05, 0.5):
        low, high = scipy.stats.binom.ppf([1e-4, 1 - 1e-4], len(same), level) / len(same)
        assert low * 0.7 <= np.mean(same <= level) <= high * 1.2, level
