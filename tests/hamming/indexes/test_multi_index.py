"""Search by substrings gives the answers of a scan, and knows its work before."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming import (
    MultiIndex,
    count_within,
    nearest,
    warm_up,
    within,
)
from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.indexes import multi_index
from tests.hamming.brute import THREADS, distance_matrix, draw_codes, ranked, searches

relaxed = settings(deadline=None, max_examples=60)
# From a scan that answers every query to tables that do.
LIMITS = (0, 20, 10**6)


@pytest.fixture
def clustered():
    codes = draw_codes(np.random.default_rng(3), 2100, 64, 0.04)
    return codes[:100], codes[100:]


def limited(codes, limit, n_substrings=None):
    index = MultiIndex(codes, n_substrings)
    index._limit = limit
    return index


def assert_same(found, expected):
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


@relaxed
@given(
    searches(),
    st.sampled_from(LIMITS),
    st.sampled_from(THREADS),
    st.sampled_from([0, 1, 2, 5, 13, 9999]),
)
def test_all_within_are_those_of_a_scan(search, limit, n_jobs, radius):
    queries, database, _ = search
    # Far lists are as many as values: near ones show as much, in less time.
    radius = radius if limit < 10**6 else min(radius, 5)
    index = limited(database, limit)
    found = index.within(queries, radius, n_jobs=n_jobs)
    assert_same(found, within(queries, database, radius))
    counts = index.count_within(queries, radius, n_jobs=n_jobs)
    np.testing.assert_array_equal(counts, count_within(queries, database, radius))


@relaxed
@given(searches(), st.sampled_from(LIMITS), st.sampled_from(THREADS), st.integers(1, 9))
def test_nearest_are_those_of_a_scan(search, limit, n_jobs, k):
    queries, database, _ = search
    k = min(k, len(database))
    if k:
        found = limited(database, limit).nearest(queries, k, n_jobs=n_jobs)
        assert_same(found, nearest(queries, database, k))


@pytest.mark.parametrize("n_substrings", [1, 2, 5, 16])
def test_any_number_of_substrings_gives_the_answers_of_loops(n_substrings):
    rng = np.random.default_rng(n_substrings)
    codes = draw_codes(rng, 90, 16, 0.1)
    queries, database = codes[:20], codes[20:]
    index = limited(database, 10**6, n_substrings)
    assert index.n_substrings == n_substrings
    matrix = distance_matrix(queries, database)
    indptr, distances, indices = index.within(queries, 4)
    near, items = index.nearest(queries, 70)
    for q, row in enumerate(matrix):
        order = ranked(row)
        inside = [i for i in order if row[i] <= 4]
        mine = slice(indptr[q], indptr[q + 1])
        assert indices[mine].tolist() == inside
        assert distances[mine].tolist() == row[inside].tolist()
        assert items[q].tolist() == order
        assert near[q].tolist() == row[order].tolist()


def test_work_is_the_items_in_the_lists_that_a_radius_needs():
    """Two substrings of a byte: within 3 bits lie two lists of 9 values' items."""
    rng = np.random.default_rng(0)
    database = rng.integers(0, 256, (400, 2), dtype=np.uint8)
    queries = rng.integers(0, 256, (30, 2), dtype=np.uint8)
    index = limited(database, 10**6, 2)
    counts, work, _ = index._listed(queries, 3, 1)
    matrix = distance_matrix(queries, database)
    np.testing.assert_array_equal(counts, (matrix <= 3).sum(axis=1))
    halves = [distance_matrix(queries[:, [b]], database[:, [b]]) for b in (0, 1)]
    np.testing.assert_array_equal(work, sum((half <= 1).sum(1) for half in halves))
    # One more bit: the substring whose value is rarer may differ in 2.
    _, work, _ = index._listed(queries, 4, 1)
    for q in range(30):
        equal = [(half[q] == 0).sum() for half in halves]
        rarer = int(equal[1] < equal[0])
        listed = (halves[rarer][q] <= 2).sum() + (halves[1 - rarer][q] <= 1).sum()
        assert work[q] == listed


def test_probes_are_the_values_near_enough():
    index = MultiIndex(np.zeros((4, 3), np.uint8), 3)
    assert index._probes_within[:7].tolist() == [1, 2, 3, 11, 19, 27, 55]
    near = [len(list(combinations(range(8), far))) for far in range(9)]
    assert index._probes[0].tolist() == [*near, 0]
    assert index._probes_within[-1] <= 3 * sum(comb(8, far) for far in range(9))


def test_a_query_above_the_limit_is_scanned_and_others_are_not(clustered):
    queries, database = clustered
    database = np.concatenate([database, np.zeros((500, 8), np.uint8)])
    queries = np.concatenate([queries, np.zeros((3, 8), np.uint8)])
    index = limited(database, 499)
    work = index._listed(queries, 2, 1)[1]
    assert (work[-3:] == -1).all()
    assert 0 < (work >= 0).sum() < len(queries)
    assert_same(index.within(queries, 2), within(queries, database, 2))
    assert_same(index.nearest(queries, 5), nearest(queries, database, 5))


def test_the_rest_is_not_tried_where_the_first_fail(clustered):
    queries, database = clustered
    index = limited(database, 20)
    work = index._listed(queries, 9, 1)[1]
    assert (work == -1).all()
    assert_same(index.within(queries, 9), within(queries, database, 9))


def test_limit_is_measured_where_there_are_many_items(monkeypatch, clustered):
    queries, database = clustered
    assert MultiIndex(database)._limit == len(database) // multi_index.USUAL_ADVANTAGE
    monkeypatch.setattr(multi_index, "MEASURED", 1)
    monkeypatch.setattr(multi_index, "least_seconds", lambda *calls: (1e-3, 1e-3))
    index = MultiIndex(database)
    # A scan of all queries takes as long as their lists: the limit is a query's work.
    radius = int(np.searchsorted(index._probes_within, len(database) // 160, "right"))
    step = len(database) // 32
    own = np.ascontiguousarray(database[::step][:32])
    plain = limited(database, len(database) // multi_index.USUAL_ADVANTAGE)
    work = plain._listed(own, radius - 1, 1)[1]
    probes = plain._probes_within[radius - 1]
    assert index._limit == int((32 * probes + np.maximum(work, 0).sum()) / 32)
    assert_same(index.within(queries, 3), within(queries, database, 3))


@relaxed
@given(searches(), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_answers_survive_what_keeps_distances(search, radius, seed):
    """Masks on all codes, orders of bits, orders of items, shards put together."""
    queries, database, _ = search
    rng = np.random.default_rng(seed)
    expected = limited(database, 10**6).within(queries, radius)
    mask = rng.integers(0, 256, database.shape[1], dtype=np.uint8)
    found = limited(database ^ mask, 10**6).within(queries ^ mask, radius)
    assert_same(found, expected)
    order = rng.permutation(8 * database.shape[1])
    moved = [
        np.packbits(np.unpackbits(codes, axis=1)[:, order], axis=1)
        for codes in (database, queries)
    ]
    assert_same(limited(moved[0], 10**6).within(moved[1], radius), expected)
    rows = rng.permutation(len(database))
    counts, _, items = limited(database[rows], 10**6).within(queries, radius)
    assert counts.tolist() == expected[0].tolist()
    assert sorted(rows[items].tolist()) == sorted(expected[2].tolist())
    cut = len(database) // 3
    parts = [
        limited(part, 10**6).count_within(queries, radius)
        for part in (database[:cut], database[cut:])
    ]
    np.testing.assert_array_equal(sum(parts), np.diff(expected[0]))


def test_concurrent_queries_give_the_same(clustered):
    queries, database = clustered
    index = limited(database, 10**6)
    expected = within(queries, database, 3)

    def ask(n_jobs):
        found = index.within(queries, 3, n_jobs=n_jobs)
        return [each.tobytes() for each in found]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [1, 2, 3] * 20))
    assert all(each == [part.tobytes() for part in expected] for each in answers)


def test_pickled_index_answers_with_the_same_kernels(clustered):
    queries, database = clustered
    index = pickle.loads(pickle.dumps(limited(database, 10**6)))
    assert not index._items.flags.writeable
    assert_same(index.within(queries, 2), within(queries, database, 2))
    assert_same(index.nearest(queries, 2), nearest(queries, database, 2))


def test_without_a_compiler_a_scan_answers(clustered):
    queries, database = clustered
    with forced_engine("numpy"):
        index = MultiIndex(database)
        found = index.within(queries, 2), index.nearest(queries, 3)
        counts = index.count_within(queries, 2)
    # Its tables are empty, also where a compiler turns up later.
    assert_same(index.within(queries, 2), found[0])
    assert_same(index.nearest(queries, 3), found[1])
    assert_same(found[0], within(queries, database, 2))
    assert_same(found[1], nearest(queries, database, 3))
    np.testing.assert_array_equal(counts, count_within(queries, database, 2))


def test_index_refuses_what_a_scan_refuses():
    codes = draw_codes(np.random.default_rng(0), 500, 64, 0.1)
    index = MultiIndex(codes)
    with pytest.raises(ValueError, match="k = 501, n_samples_fit = 500"):
        index.nearest(codes[:2], 501)
    with pytest.raises(ValueError, match="8 bytes wide"):
        index.nearest(codes[:2, :4], 1)
    with pytest.raises(ValueError, match="radius must be"):
        index.within(codes[:2], -1)
    for n_substrings in (2, 65, 4.5):
        with pytest.raises(ValueError, match="cut into 3 to 64 substrings"):
            MultiIndex(codes, n_substrings)


def test_index_reports_its_memory():
    codes = draw_codes(np.random.default_rng(0), 1000, 64, 0.1)
    index = MultiIndex(codes, 8)
    assert index.n_bytes == 8 * (257 + 1000) * 4
    assert index.codes is codes
    # Codes that are no whole words are copied once, padded.
    assert MultiIndex(codes[:, :5].copy(), 5).n_bytes == 5 * (257 + 1000) * 4 + 8000


@pytest.mark.slow
def test_loading_the_package_does_not_load_numba():
    code = "import sys, skhash.hamming; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_warm_up_compiles_the_indexes():
    from skhash.hamming.indexes.multi_index_kernels import (
        nearest_by_substrings,
        within_by_substrings,
    )

    warm_up(16, indexes=True)
    for kernel in (nearest_by_substrings, within_by_substrings):
        before = len(kernel.signatures)
        codes = draw_codes(np.random.default_rng(0), 600, 16, 0.2)
        MultiIndex(codes).nearest(codes[:3], 1)
        MultiIndex(codes).within(codes[:3], 0)
        assert len(kernel.signatures) == before > 0
