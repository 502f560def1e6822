"""Label sets from pairs: two items share a label if they are a pair."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from skhash.datasets import label_sets_from_pairs
from skhash.hamming import Labels, check_labels


@pytest.mark.slow
@given(st.integers(3, 20), st.data())
def test_items_share_a_label_if_they_are_a_pair(n, data):
    one = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    pairs = data.draw(st.lists(one.filter(lambda p: p[0] != p[1]), max_size=40))
    pairs = [(0, 1), (2, 1), *pairs]
    sets = label_sets_from_pairs(pairs, n)
    expected = np.zeros((n, n), dtype=bool)
    for a, b in pairs:
        expected[a, b] = expected[b, a] = True
    distinct = {frozenset(pair) for pair in pairs}
    assert sp.issparse(sets)
    assert sets.format == "csr"
    assert sets.dtype == bool
    assert sets.shape == (n, len(distinct))
    assert (sets.sum(axis=0) == 2).all()
    found = (sets.astype(int) @ sets.T.astype(int)).toarray() > 0
    np.fill_diagonal(found, False)
    assert np.array_equal(found, expected)
    assert Labels.of(check_labels(sets)).are_pairs


def test_order_and_repetition_change_nothing():
    first = label_sets_from_pairs([(0, 1), (4, 2), (3, 2)], 5)
    again = label_sets_from_pairs([[2, 3], [1, 0], [2, 4], [3, 2], [0, 1]], 5)
    assert np.array_equal(first.toarray(), again.toarray())
    assert [np.flatnonzero(c).tolist() for c in first.toarray().T] == [
        [0, 1],
        [2, 3],
        [2, 4],
    ]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_integers_of_any_size(dtype):
    sets = label_sets_from_pairs(np.array([[0, 1], [1, 2]], dtype=dtype), np.int64(3))
    assert sets.shape == (3, 2)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(0, 1), (1, 5)], r"Pair 1, \(1, 5\), is out of range: rows of X are 0 to 4"),
        ([(0, 1), (-1, 2)], r"Pair 1, \(-1, 2\), is out of range"),
        ([(0, 1), (3, 3)], r"Pair 1, \(3, 3\), is of an item with itself"),
        ([(0, 1, 2), (1, 2, 3)], r"shape \(n_pairs, 2\).*got shape \(2, 3\)"),
        ([0, 1], r"got shape \(2,\)"),
        ([], r"got shape \(0,\)"),
        ([(0, 1), (2,)], r"shape \(n_pairs, 2\)"),
        (np.eye(5), r"np.argwhere"),
        ([(0.0, 1.0), (1.0, 2.0)], "must be integers.*float64"),
        ([("a", "b"), ("b", "c")], "must be integers"),
        (np.ones((3, 2), bool), "must be integers.*bool"),
        ([(0, 1), (1, 0)], r"1 different pair\(s\).*at least 2"),
        (np.empty((0, 2), int), r"0 different pair\(s\)"),
    ],
)
def test_pairs_refused(pairs, message):
    with pytest.raises(ValueError, match=message):
        label_sets_from_pairs(pairs, 5)


@pytest.mark.parametrize("n_items", [1, 0, -3, 2.0, True, None, "5"])
def test_n_items_refused(n_items):
    with pytest.raises(ValueError, match="n_items must be an integer"):
        label_sets_from_pairs([(0, 1), (0, 2)], n_items)
