"""Answers of parts, merged, are those of the whole: compared with sorted tuples."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skhash.hamming import merge_nearest, merge_within, nearest, within


@st.composite
def parts_of_databases(draw):
    """Queries, few distinct codes, and where the parts of the database begin."""
    codes = draw(st.lists(st.integers(0, 7), min_size=1, max_size=30))
    n_parts = draw(st.integers(1, 5))
    cuts = draw(
        st.lists(st.integers(0, len(codes)), min_size=n_parts - 1, max_size=n_parts - 1)
    )
    queries = draw(st.lists(st.integers(0, 7), min_size=1, max_size=4))
    bounds = [0, *sorted(cuts), len(codes)]
    return np.uint8(queries)[:, None], np.uint8(codes)[:, None], bounds


def ranked(query, codes):
    """Distance and row of each code, in the order of a search."""
    return sorted(
        (int(query[0] ^ code[0]).bit_count(), i) for i, code in enumerate(codes)
    )


@given(parts_of_databases(), st.integers(1, 40))
def test_nearest_of_parts_are_the_nearest_of_all(task, k):
    queries, codes, bounds = task
    parts = []
    for first, last in pairwise(bounds):
        part = codes[first:last]
        shape = (len(queries), 0)
        found = np.empty(shape, np.int32), np.empty(shape, np.int64)
        if len(part):
            found = nearest(queries, part, min(k, len(part)))
        rows = found[1] + first
        parts.append((found[0], rows, -rows))
    distances, indices, more = merge_nearest(parts[::-1], k)
    for i, query in enumerate(queries):
        wanted = ranked(query, codes)[:k]
        assert list(zip(distances[i], indices[i], strict=True)) == wanted
    np.testing.assert_array_equal(more, -indices)
    assert (distances.dtype, indices.dtype) == (np.int32, np.int64)


@given(parts_of_databases(), st.integers(0, 4))
def test_within_of_parts_is_within_of_all(task, radius):
    queries, codes, bounds = task
    parts = []
    for first, last in pairwise(bounds):
        indptr, distances, indices = within(queries, codes[first:last], radius)
        parts.append((indptr, distances, indices + first))
    indptr, distances, indices = merge_within(parts[::-1])
    for i, query in enumerate(queries):
        wanted = [pair for pair in ranked(query, codes) if pair[0] <= radius]
        mine = slice(indptr[i], indptr[i + 1])
        assert list(zip(distances[mine], indices[mine], strict=True)) == wanted


def test_real_distances_are_merged_by_distance_and_row():
    first = np.array([[0.5, 1.5]]), np.array([[3, 0]])
    second = np.array([[0.5, 0.5]]), np.array([[1, 4]])
    distances, indices = merge_nearest([first, second], 3)
    np.testing.assert_array_equal(distances, [[0.5, 0.5, 0.5]])
    np.testing.assert_array_equal(indices, [[1, 3, 4]])


@pytest.mark.parametrize("k", [0, True, 1.0])
def test_k_must_be_a_number_of_neighbours(k):
    part = np.zeros((1, 1), np.int32), np.zeros((1, 1), np.int64)
    with pytest.raises(ValueError, match="k must be an integer of 1 or more"):
        merge_nearest([part], k)


def test_parts_must_fit_each_other():
    part = np.zeros((1, 2), np.int32), np.zeros((1, 2), np.int64)
    with pytest.raises(ValueError, match="one part or more"):
        merge_nearest([], 1)
    with pytest.raises(ValueError, match="one n_queries in all parts"):
        merge_nearest([part, (np.zeros((2, 2)), np.zeros((2, 2)))], 1)
    found = np.array([0, 1]), np.array([3]), np.array([0])
    with pytest.raises(ValueError, match="one part or more"):
        merge_within([found, found[:2]])
    with pytest.raises(ValueError, match="one indptr of shape"):
        merge_within([found, (np.array([0, 2]), *found[1:])])
