"""Equal values have equal numbers in every dtype, and others mostly have others."""

import datetime

import numpy as np
import pytest
from scipy.sparse import csr_array

from skhash.distributed._hashes import hashes, hashes_of_rows

SAME = {
    "integers": [
        np.array([3, 1, 3], np.int8),
        np.array([3, 1, 3], np.uint64),
        np.array([3, 1, 3], object),
    ],
    "floats": [
        np.array([0.5, -0.0, 0.5], np.float32),
        np.array([0.5, 0.0, 0.5]),
    ],
    "strings": [
        np.array(["ab", "é", "ab"]),
        np.array(["ab", "é", "ab"], "U9"),
        np.array(["ab", "é", "ab"], object),
        np.array(["ab", "é", "ab"], np.dtypes.StringDType()),
    ],
    "bytes": [np.array([b"ab", b"c", b"ab"]), np.array([b"ab", b"c", b"ab"], object)],
    "dates": [
        np.array(["2020-01-01", "2021-01-01", "2020-01-01"], "M8[D]"),
        np.array(["2020-01-01", "2021-01-01", "2020-01-01"], "M8[ns]"),
    ],
}


@pytest.mark.parametrize("kind", SAME)
def test_equal_values_have_equal_numbers(kind):
    found = [hashes(column) for column in SAME[kind]]
    for each in found:
        assert (each.dtype, each.shape) == (np.uint64, (3,))
        np.testing.assert_array_equal(each, found[0])
    assert found[0][0] == found[0][2] != found[0][1]


def test_values_that_may_equal_anything_come_together():
    column = np.array([datetime.time(1), datetime.time(2)], object)
    assert not hashes(column).any()


def test_numbers_spread_over_few_parts():
    for column in (np.arange(6400), np.arange(6400).astype(str)):
        counts = np.bincount((hashes(column) % np.uint64(64)).astype(int), minlength=64)
        assert counts.min() > 50
        assert counts.max() < 150


def test_rows_of_sets_dense_and_sparse():
    sets = np.random.default_rng(0).random((50, 9)) < 0.4
    found = hashes_of_rows(sets)
    np.testing.assert_array_equal(found, hashes_of_rows(csr_array(sets)))
    assert len(np.unique(found)) == len(np.unique(sets, axis=0))
