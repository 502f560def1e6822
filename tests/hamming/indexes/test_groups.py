"""Searching distinct codes gives the answers of searching all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming import GroupedCodes, count_within, nearest, warm_up, within
from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.indexes import groups as by_groups
from tests.hamming.brute import draw_codes, searches

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


@pytest.mark.parametrize("many", [1, 1 << 16])
@pytest.mark.parametrize("n_kinds", [3, 400])
def test_large_groups_give_the_answers_of_a_scan(n_kinds, many, rng, monkeypatch):
    """Levels of few items are sorted by comparison, large ones by marks."""
    monkeypatch.setattr(by_groups, "MANY_CODES", many)
    kinds = draw_codes(rng, n_kinds, 16, 0.2)
    # Some codes are frequent, most are rare.
    chosen = np.minimum(rng.geometric(2 / n_kinds, 6000) - 1, n_kinds - 1)
    database, queries = kinds[chosen], draw_codes(rng, 30, 16, 0.3)
    index = GroupedCodes(database)
    for k in (1, 40, 2500):
        found = index.nearest(queries, k)
        for left, right in zip(found, nearest(queries, database, k), strict=True):
            np.testing.assert_array_equal(left, right)
    for radius in (0, 2, 7):
        found = index.within(queries, radius)
        for left, right in zip(found, within(queries, database, radius), strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("share", [0.02, 0.7])
def test_groups_without_items_are_those_of_the_others(engine, share, rng):
    database = draw_codes(rng, 40, 12, 0.2)[rng.integers(0, 40, 500)]
    keep = rng.random(500) < share
    keep[7] = True
    with forced_engine(engine):
        part, anew = GroupedCodes(database).without(keep), GroupedCodes(database[keep])
        assert part.n_items == anew.n_items == keep.sum()
        assert part.n_bytes == anew.n_bytes
        np.testing.assert_array_equal(part.codes, anew.codes)
        for found, expected in zip(
            part.nearest(database[:20], int(keep.sum())),
            nearest(database[:20], database[keep], int(keep.sum())),
            strict=True,
        ):
            np.testing.assert_array_equal(found, expected)
