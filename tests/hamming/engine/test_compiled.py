"""The compiled kernels against their plain twin, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming.engine import compiled, plain
from skhash.hamming.threads import count
from tests.hamming.brute import N_BITS, THREADS, draw_codes, searches

relaxed = settings(deadline=None, max_examples=60)


@pytest.fixture(autouse=True, scope="module")
def small_work_is_split():
    """Let the threads have work that would be too little for them."""
    patch = pytest.MonkeyPatch()
    patch.setattr(count, "THREAD_WORDS", 1)
    yield
    patch.undo()


def assert_same(found, expected):
    if not isinstance(found, tuple):
        found, expected = (found,), (expected,)
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


@relaxed
@given(searches(), st.sampled_from(THREADS))
def test_distances_equal_the_twin(search, n_threads):
    queries, database, _ = search
    found = compiled.distances(queries, database, n_threads)
    assert_same(found, plain.distances(queries, database))


@relaxed
@given(searches(), st.sampled_from(THREADS), st.sampled_from([1, 2, 10, 100, 300]))
def test_nearest_equal_the_twin(search, n_threads, k):
    queries, database, _ = search
    k = min(k, len(database))
    if k:
        found = compiled.nearest(queries, database, k, n_threads)
        assert_same(found, plain.nearest(queries, database, k))


@relaxed
@given(searches(), st.sampled_from(THREADS), st.sampled_from([0, 1, 2, 8, 60, 9999]))
def test_within_equals_the_twin(search, n_threads, radius):
    queries, database, _ = search
    found = compiled.within(queries, database, radius, n_threads)
    assert_same(found, plain.within(queries, database, radius))
    counts = compiled.count_within(queries, database, radius, n_threads)
    assert_same(counts, np.diff(found[0]))


@relaxed
@given(searches(), st.sampled_from(THREADS), st.sampled_from([1, 3, 70]))
def test_histograms_equal_the_twin(search, n_threads, n_classes):
    queries, database, rng = search
    classes = [rng.integers(0, n_classes, len(part)) for part in (queries, database)]
    multi_hot = [rng.random((len(y), n_classes)) < 0.2 for y in classes]
    found = compiled.histograms(queries, database, n_threads)
    assert_same(found, plain.histograms(queries, database))
    for labels in (classes, multi_hot):
        found = compiled.relevant_histograms(queries, database, *labels, n_threads)
        expected = plain.relevant_histograms(queries, database, *labels)
        assert_same(found, expected)


@pytest.mark.parametrize("n_bits", [b for b in N_BITS if b <= 256])
@pytest.mark.parametrize("spread", [0.0, 0.01, 0.5])
def test_many_codes_equal_the_twin(n_bits, spread):
    # Enough codes for guesses, whole chunks and pairs of queries in histograms.
    rng = np.random.default_rng(n_bits)
    both = draw_codes(rng, 36000, n_bits, spread)
    queries, database = both[:17], both[17:]
    for k in (1, 10, 300, 5000):
        found = compiled.nearest(queries, database, k, 1)
        assert_same(found, plain.nearest(queries, database, k))
    one = compiled.nearest(queries[:1], database, 100, 2)
    assert_same(one, plain.nearest(queries[:1], database, 100))
    labels = rng.integers(0, 2, 17), rng.integers(0, 2, len(database))
    found = compiled.relevant_histograms(queries, database, *labels)
    expected = plain.relevant_histograms(queries, database, *labels)
    assert_same(found, expected)


def test_a_guess_too_low_is_made_good(monkeypatch):
    # The sample of 16 codes at every stride sees only the near ones.
    n, stride = 1 << 16, (1 << 16) // 16
    database = np.full((n, 8), 255, np.uint8)
    for start in range(0, n, stride):
        database[start : start + 16] = 0
    queries = np.zeros((20, 8), np.uint8)
    for rows in (queries, queries[:1]):
        found = compiled.nearest(rows, database, 400, 1)
        assert_same(found, plain.nearest(rows, database, 400))
