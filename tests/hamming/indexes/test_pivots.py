"""Search by pivots gives the answers of a scan, whether pivots help or not."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming import (
    MultiIndex,
    PivotIndex,
    count_within,
    nearest,
    within,
)
from skhash.hamming.indexes import pivots
from tests.hamming.brute import THREADS, draw_codes, searches

relaxed = settings(deadline=None, max_examples=60)


def assert_same(found, expected):
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


@relaxed
@given(searches(), st.sampled_from(THREADS), st.integers(1, 300), st.integers(1, 20))
def test_pivots_give_the_nearest(search, n_jobs, k, n_pivots):
    queries, database, _ = search
    k = min(k, len(database))
    if k:
        found = PivotIndex(database, n_pivots).nearest(queries, k, n_jobs=n_jobs)
        assert_same(found, nearest(queries, database, k))


@relaxed
@given(
    searches(),
    st.sampled_from([0, 1, 5, 60, 9999]),
    st.integers(1, 20),
    st.sampled_from(THREADS),
)
def test_pivots_give_all_within(search, radius, n_pivots, n_jobs):
    queries, database, _ = search
    if len(database):
        index = PivotIndex(database, n_pivots)
        found = index.within(queries, radius, n_jobs=n_jobs)
        assert_same(found, within(queries, database, radius))
        counts = count_within(queries, database, radius)
        np.testing.assert_array_equal(index.count_within(queries, radius), counts)


@pytest.mark.parametrize("n_bits", [24, 64, 128, 256, 200])
@pytest.mark.parametrize("advantage", [1, 10, 1000])
def test_lists_and_scan_agree_on_clustered_codes(n_bits, advantage, monkeypatch):
    # From lists that answer every query to a scan that does.
    monkeypatch.setattr(pivots, "SCAN_ADVANTAGE", advantage)
    rng = np.random.default_rng(n_bits)
    centres = rng.random((20, n_bits)) < 0.5
    bits = centres[rng.integers(0, 20, 6050)] ^ (rng.random((6050, n_bits)) < 0.03)
    codes = np.packbits(bits, axis=1)
    queries, database = codes[:50], codes[50:]
    index = PivotIndex(database, 60)
    for k in (1, 10, 500):
        assert_same(index.nearest(queries, k), nearest(queries, database, k))
    for radius in (0, 2, n_bits // 8):
        assert_same(index.within(queries, radius), within(queries, database, radius))
    promise = index.promise(queries, 1)
    assert promise == (0.0 if advantage == 1000 else 1.0)


def test_queries_answered_by_lists_and_by_scan_come_in_order():
    # More pivots than stand in one row of the kernel's columns.
    rng = np.random.default_rng(3)
    centres = rng.integers(0, 256, (80, 16), dtype=np.uint8)
    flips = np.packbits(rng.random((20000, 128)) < 0.02, axis=1)
    database = centres[rng.integers(0, 80, 20000)] ^ flips
    queries = database[:60].copy()
    queries[1::3] = rng.integers(0, 256, (20, 16), dtype=np.uint8)
    index = PivotIndex(database, 150)
    assert 0.6 < index.promise(queries, 5) < 0.7
    for n_jobs in (1, 2, 5):
        found = index.nearest(queries, 5, n_jobs=n_jobs)
        assert_same(found, nearest(queries, database, 5))
        for radius in (8, 40):
            found = index.within(queries, radius, n_jobs=n_jobs)
            assert_same(found, within(queries, database, radius))


def test_index_reports_its_memory_and_refuses_what_a_scan_refuses():
    codes = draw_codes(np.random.default_rng(0), 500, 64, 0.1)
    index = PivotIndex(codes)
    assert index.n_bytes > codes.nbytes
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="n_pivots must be a whole number"):
            PivotIndex(codes, n_pivots=wrong)
    with pytest.raises(ValueError, match="k = 501, n_samples_fit = 500"):
        index.nearest(codes[:2], 501)
    with pytest.raises(ValueError, match="8 bytes wide"):
        index.nearest(codes[:2, :4], 1)
    with pytest.raises(ValueError, match="radius must be"):
        index.within(codes[:2], -1)


def test_pickling_keeps_the_types_that_kernels_were_compiled_for():
    codes = draw_codes(np.random.default_rng(0), 500, 64, 0.1)
    index = PivotIndex(codes)
    loaded = pickle.loads(pickle.dumps(index))
    for name, value in vars(index).items():
        if isinstance(value, np.ndarray) and name != "codes":
            assert value.flags.writeable == getattr(loaded, name).flags.writeable, name
    assert loaded._padded is loaded.codes
    assert_same(loaded.nearest(codes[:9], 3), index.nearest(codes[:9], 3))


@pytest.mark.parametrize("index", [PivotIndex, MultiIndex])
def test_counting_counts_all(index):
    codes = draw_codes(np.random.default_rng(0), 3000, 32, 0.05)
    for n_queries in (0, 7, 40):
        queries = codes[:n_queries]
        counts = index(codes).count_within(queries, 3)
        np.testing.assert_array_equal(counts, count_within(queries, codes, 3))
