"""Searching distinct codes gives the answers of searching all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming import GroupedCodes, count_within, nearest, warm_up, within
from skhash.hamming.engine.choose import forced_engine
from tests.hamming.brute import searches

relaxed = settings(deadline=None, max_examples=60)


@relaxed
@given(searches(), st.sampled_from(["numba", "numpy"]), st.integers(1, 300))
def test_grouped_nearest_equal_nearest(search, engine, k):
    queries, database, _ = search
    k = min(k, len(database))
    if k:
        with forced_engine(engine):
            found = GroupedCodes(database).nearest(queries, k)
        for left, right in zip(found, nearest(queries, database, k), strict=True):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)


@relaxed
@given(searches(), st.sampled_from(["numba", "numpy"]), st.sampled_from([0, 2, 30]))
def test_grouped_within_equals_within(search, engine, radius):
    queries, database, _ = search
    if len(database):
        with forced_engine(engine):
            groups = GroupedCodes(database)
            found = groups.within(queries, radius)
            counts = groups.count_within(queries, radius)
        for left, right in zip(found, within(queries, database, radius), strict=True):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        expected = count_within(queries, database, radius)
        np.testing.assert_array_equal(counts, expected)


def test_distinct_codes_are_kept_in_order_of_their_first_item():
    codes = np.array([[9], [1], [9], [5], [1]], np.uint8)
    groups = GroupedCodes(codes)
    assert groups.codes.ravel().tolist() == [9, 1, 5]
    assert groups.n_items == 5
    with pytest.raises(ValueError, match="k = 6, n_samples_fit = 5"):
        groups.nearest(codes, 6)


def test_warm_up_takes_one_width_or_several():
    warm_up(8)
    warm_up([8, 16])
