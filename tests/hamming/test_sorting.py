"""Sorting by digits and marks, and the record of an index."""

import numpy as np
import pytest

from skhash.hamming import GroupedCodes, nearest, within
from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.indexes import groups as groups_module
from skhash.hamming.indexes.cost import FADING, PASSED, TRIED, Record, least_seconds
from skhash.hamming.scan.sorting import FEW, sort_keys
from tests.hamming.brute import draw_codes


@pytest.mark.parametrize("size", [0, 1, FEW - 1, FEW, 3000])
@pytest.mark.parametrize("n", [3000, 1 << 22, (1 << 22) + 1])
@pytest.mark.parametrize("largest", [0, 9, 4096])
def test_keys_are_sorted_by_distance_and_item(size, n, largest, rng):
    items = rng.choice(n, size, replace=False)
    items[:1] = n - 1
    keys = rng.integers(0, largest + 1, size) << 40 | items
    expected = np.sort(keys)
    sort_keys(keys, n)
    np.testing.assert_array_equal(keys, expected)


@pytest.mark.parametrize("many", [1, 1 << 16])
@pytest.mark.parametrize("n_kinds", [3, 400])
def test_large_groups_give_the_answers_of_a_scan(n_kinds, many, rng, monkeypatch):
    """Levels of few items are sorted by comparison, large ones by marks."""
    monkeypatch.setattr(groups_module, "MANY_CODES", many)
    kinds = draw_codes(rng, n_kinds, 16, 0.2)
    # Some codes are frequent, most are rare.
    chosen = np.minimum(rng.geometric(2 / n_kinds, 6000) - 1, n_kinds - 1)
    database, queries = kinds[chosen], draw_codes(rng, 30, 16, 0.3)
    groups = GroupedCodes(database)
    for k in (1, 40, 2500):
        found = groups.nearest(queries, k)
        for left, right in zip(found, nearest(queries, database, k), strict=True):
            np.testing.assert_array_equal(left, right)
    for radius in (0, 2, 7):
        found = groups.within(queries, radius)
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


def test_an_index_that_never_answers_is_tried_now_and_then():
    record = Record()
    assert record.promises(10)
    record.note(10, TRIED, 0)
    tries = []
    for _ in range(4 * (PASSED + 1)):
        tries.append(record.promises(10))
        if tries[-1]:
            record.note(10, 1, 0)
    assert sum(tries) == 4
    # Other numbers of neighbours are another matter, 8 to 15 are one.
    assert record.promises(100)
    assert not record.promises(15)


def test_an_index_that_answers_again_is_tried_again():
    record = Record()
    record.note(10, 10 * TRIED, 0)
    for _ in range(2 * FADING):
        record.note(10, TRIED, TRIED)
    assert all(record.promises(10) for _ in range(3 * PASSED))


def test_calls_are_timed_in_turn():
    called = []
    seconds = least_seconds(lambda: called.append("a"), lambda: called.append("b"))
    assert called == ["a", "b"] * 3
    assert all(0 <= each < 60 for each in seconds)
