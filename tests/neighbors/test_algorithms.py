"""Every algorithm, on codes of every width, against a scan and a fit anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming.indexes import ALGORITHMS, auto, groups, multi_index, pivots
from skhash.neighbors import HammingNeighbors
from tests.hamming.brute import distance_matrix, ranked, searches

CPU = sorted({"auto", *ALGORITHMS} - {"torch"})
few = settings(deadline=None, max_examples=25)


@pytest.fixture(autouse=True, scope="module")
def indexes_are_used():
    """Let indexes answer where a scan of so few codes would be sooner."""
    patch = pytest.MonkeyPatch()
    patch.setattr(multi_index, "USUAL_ADVANTAGE", 1)
    patch.setattr(pivots, "SCAN_ADVANTAGE", 1)
    for module in (groups, auto):
        patch.setattr(module, "SMALL", 10)
    yield
    patch.undo()


def test_these_codes_are_many_enough_for_tables():
    codes = np.random.default_rng(0).integers(0, 256, (300, 8), dtype=np.uint8)
    index = HammingNeighbors(algorithm="multi_index").fit(codes)._database.searcher
    assert index.promise(codes, 9) == 1
    many = HammingNeighbors().fit(codes)._database.searcher_within(2, 30, 1)
    assert many.name == "multi_index"


def answers(neighbors, queries, k, radius):
    return [
        *neighbors.kneighbors(queries, k),
        *(np.concatenate(each) for each in neighbors.radius_neighbors(queries, radius)),
        neighbors.count_neighbors(queries, radius),
    ]


def assert_equal(left, right):
    for one, other in zip(left, right, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@few
@given(searches(60), st.sampled_from(CPU), st.integers(1, 60), st.integers(0, 40))
def test_answers_are_those_of_loops(search, algorithm, k, radius):
    queries, database, _ = search
    if not len(queries) or not len(database):
        return
    k = min(k, len(database))
    fitted = HammingNeighbors(algorithm=algorithm).fit(database)
    near, items = fitted.kneighbors(queries[:3], k)
    found = fitted.radius_neighbors(queries[:3], radius)
    for q, row in enumerate(distance_matrix(queries[:3], database)):
        order = ranked(row)
        inside = [i for i in order if row[i] <= radius]
        assert items[q].tolist() == order[:k]
        assert near[q].tolist() == row[order[:k]].tolist()
        assert found[1][q].tolist() == inside
        assert found[0][q].tolist() == row[inside].tolist()


@pytest.mark.parametrize("algorithm", CPU)
@few
@given(search=searches(), radius=st.integers(0, 9), n_jobs=st.sampled_from([1, 2]))
def test_changes_equal_a_fit_of_the_result(algorithm, search, radius, n_jobs):
    queries, database, rng = search
    if not len(queries) or len(database) < 3:
        return
    cut = len(database) // 2 + 1
    changed = HammingNeighbors(algorithm=algorithm, n_jobs=n_jobs).fit(database[:cut])
    changed.add(database[cut:])
    gone = rng.permutation(len(database))[: len(database) // 3]
    changed.remove(gone).add(database[gone[:2]])
    result = np.concatenate([np.delete(database, gone, axis=0), database[gone[:2]]])
    anew = HammingNeighbors(algorithm="brute").fit(result)
    k = min(5, len(result))
    expected = answers(anew, queries, k, radius)
    assert_equal(answers(changed, queries, k, radius), expected)


@pytest.mark.parametrize("algorithm", CPU)
@few
@given(search=searches(), radius=st.integers(0, 9))
def test_masks_and_orders_change_no_distance(algorithm, search, radius):
    queries, database, rng = search
    if not len(queries) or not len(database):
        return
    k = min(5, len(database))
    fitted = HammingNeighbors(algorithm=algorithm)
    expected = answers(fitted.fit(database), queries, k, radius)
    mask = rng.integers(0, 256, database.shape[1], dtype=np.uint8)
    found = answers(fitted.fit(database ^ mask), queries ^ mask, k, radius)
    assert_equal(found, expected)
    rows = rng.permutation(len(database))
    found = answers(fitted.fit(database[rows]), queries, k, radius)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[2], expected[2])
    np.testing.assert_array_equal(found[4], expected[4])
    # Queries one by one, too.
    one_by_one = [fitted.kneighbors(query[None], k)[1][0] for query in queries]
    np.testing.assert_array_equal(one_by_one, found[1])
