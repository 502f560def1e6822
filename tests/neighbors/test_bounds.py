"""Memory is bounded by what comes out, not by what is looked at on the way."""

import tracemalloc
from itertools import product

import numpy as np
import pytest

from skhash import hamming
from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.indexes import ALGORITHMS, joined
from skhash.hamming.indexes import pivots as by_pivots
from skhash.neighbors import HammingNeighbors, _pairs

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(0)
# 256 distinct codes: nearly all are near all others.
REPEATED = RNG.integers(0, 256, (4000, 1), dtype=np.uint8)


def peak_of(call):
    """What a call returns, and the most memory of numpy's that it takes, in bytes."""
    call()
    tracemalloc.start()
    try:
        return call(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def small_blocks(monkeypatch):
    """What takes memory in any case is little here, beside the answers."""
    torch = pytest.importorskip("skhash.hamming.indexes.torch")
    monkeypatch.setattr(torch, "FEW_CELLS", 1 << 15, raising=False)
    monkeypatch.setattr(joined, "BLOCK", 1 << 15, raising=False)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_counting_builds_no_answers(algorithm):
    fitted = HammingNeighbors(algorithm=algorithm, n_jobs=1).fit(REPEATED)
    for radius in (3, 8):
        counts, peak = peak_of(lambda r=radius: fitted.count_neighbors(radius=r))
        matrix = hamming.distances(REPEATED, REPEATED)
        np.testing.assert_array_equal(counts, (matrix <= radius).sum(axis=1) - 1)
        assert counts.sum() > 20 * len(REPEATED)
        # Some numbers for each query. In all, the answers take 12 bytes a count.
        assert peak < 100 * len(REPEATED)


def test_the_plain_twin_counts_without_answers(monkeypatch):
    monkeypatch.setattr("skhash.hamming.engine.plain.BUDGET", 1 << 18)
    with forced_engine("numpy"):
        for codes in (REPEATED, hamming.GroupedCodes(REPEATED)):
            call = getattr(codes, "count_within", None) or (
                lambda *args: hamming.count_within(args[0], REPEATED, args[1])
            )
            counts, peak = peak_of(lambda call=call: call(REPEATED[:900], 8))
            assert (counts == len(REPEATED)).all()
            assert peak < 1 << 20


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("added", [0, 800])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_answers_within_a_radius_take_little_more_than_their_size(algorithm, added):
    fitted = HammingNeighbors(algorithm=algorithm, n_jobs=1)
    fitted.fit(REPEATED[added:]).add(REPEATED[:added]) if added else fitted.fit(
        REPEATED
    )
    searcher = fitted._database.searcher
    assert isinstance(searcher, joined.Joined) == bool(added and algorithm != "brute")
    found, peak = peak_of(lambda: searcher.within(REPEATED[:800], 5, n_jobs=1))
    size = sum(part.nbytes for part in found)
    assert size > 10_000_000
    assert peak < 3.2 * size


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("n_distinct", [1, 2, 3])
def test_parts_of_pairs_are_small_wherever_the_near_codes_stand(
    algorithm, n_distinct, monkeypatch
):
    monkeypatch.setattr(_pairs, "MOST", 3000)
    n = 1200
    codes = RNG.integers(0, 256, (n, 8), dtype=np.uint8)
    # Every 16th is alone, and the others have many equals.
    repeat = np.arange(n) % 16 != 0
    codes[repeat] = codes[1 : 1 + n_distinct][RNG.integers(0, n_distinct, repeat.sum())]
    fitted = HammingNeighbors(radius=1, algorithm=algorithm, n_jobs=1).fit(codes)
    parts = list(fitted.pairs())
    rows, columns = np.nonzero(np.triu(hamming.distances(codes, codes) <= 1, 1))
    found = np.hstack([part[:2] for part in parts])
    assert sorted(zip(*found, strict=True)) == list(zip(rows, columns, strict=True))
    for left, _, _ in parts:
        assert len(left) <= max(3000, n) or len(np.unique(left)) == 1


def test_lists_that_are_counted_are_not_kept(monkeypatch):
    monkeypatch.setattr(by_pivots, "SCAN_ADVANTAGE", 1)
    codes = RNG.integers(0, 256, (40, 8), dtype=np.uint8)[RNG.integers(0, 40, 4000)]
    pivots, tables = hamming.PivotIndex(codes), hamming.MultiIndex(codes)
    expected = hamming.count_within(codes[:50], codes, 1)
    tables._limit = 10**6
    for keep, index in product((True, False), (pivots, tables)):
        counts, left, keys = index._try_within(codes[:50], 1, 1, keep=keep)
        assert not left.any()
        np.testing.assert_array_equal(counts, expected)
        assert sum(map(len, keys)) == keep * expected.sum()


@pytest.mark.parametrize("most", [1, 500, 10**6])
@pytest.mark.parametrize("limit", [0, 5, 10**6])
def test_parts_have_the_answers_of_all(most, limit):
    codes = RNG.integers(0, 4, (3000, 2), dtype=np.uint8)
    index = hamming.MultiIndex(codes)
    index._limit = limit
    queries = np.concatenate([codes[:20], 255 - codes[:20], codes[20:40]])
    parts = list(index.parts_within(queries, 1, most))
    for indptr, distances, indices in parts:
        assert len(indptr) == 2 or indptr[-1] <= most
        assert indptr[-1] == len(distances) == len(indices)
    expected = hamming.within(queries, codes, 1)
    counts = np.concatenate([np.diff(part[0]) for part in parts])
    np.testing.assert_array_equal(counts, np.diff(expected[0]))
    for i in (1, 2):
        joined = np.concatenate([part[i] for part in parts])
        np.testing.assert_array_equal(joined, expected[i])
    assert list(index.parts_within(queries[:0], 1, most)) == []


def test_many_queries_at_once_by_torch():
    codes = RNG.integers(0, 256, (50, 2), dtype=np.uint8)
    queries = RNG.integers(0, 256, (2500, 2), dtype=np.uint8)
    found = hamming.TorchCodes(codes, "cpu").within(queries, 5)
    for one, other in zip(found, hamming.within(queries, codes, 5), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
