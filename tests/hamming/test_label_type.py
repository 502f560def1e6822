"""`Labels`: the same answers from every form, recomputed pair by pair."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from skhash.hamming import Labels
from skhash.hamming.labels import compared_labels

ROWS = [slice(None), slice(1, 3), [2, 0, 0], np.array([], int)]


@st.composite
def two_sides(draw):
    """Plain label sets of both sides, and both as `Labels` of each form that fits."""
    n_classes = draw(st.integers(2, 5))
    shapes = [(draw(st.integers(3, 7)), n_classes) for _ in range(2)]
    matrices = [draw(hnp.arrays(bool, shape)) for shape in shapes]
    makers = draw(st.sampled_from([(a, b) for a in CONTAINERS for b in CONTAINERS]))
    labels = [
        Labels.of(make(matrix)) for make, matrix in zip(makers, matrices, strict=True)
    ]
    return [list(map(set_of, matrix)) for matrix in matrices], labels


CONTAINERS = [np.asarray, sparse.csr_array, sparse.coo_matrix]


def set_of(row):
    return set(np.flatnonzero(row).tolist())


def chosen(rows, n):
    return np.arange(n)[rows].tolist()


def plain(block):
    return block.toarray() if sparse.issparse(block) else block


@given(two_sides(), st.sampled_from(ROWS))
def test_pairs_of_sets_share_what_their_sets_share(sides, rows):
    (sets, others), (labels, other_labels) = sides
    asked = [sets[i] for i in chosen(rows, len(sets))]
    shared = [[len(each & other) for other in others] for each in asked]
    shared = np.array(shared).reshape(-1, len(others))
    overlap, similar = (
        ask(rows, other_labels) for ask in (labels.overlap, labels.similar)
    )
    np.testing.assert_array_equal(plain(overlap), shared)
    np.testing.assert_array_equal(plain(similar), shared > 0)
    assert similar.dtype == bool
    assert sparse.issparse(similar) == (labels.sparse or other_labels.sparse)


@given(two_sides())
def test_sets_are_counted(sides):
    for sets, labels in zip(*sides, strict=True):
        assert labels.kind == "sets"
        assert len(labels) == len(sets)
        assert labels.counts.tolist() == list(map(len, sets))
        assert labels.constant == all(each == sets[0] for each in sets)
        for c in range(labels.n_classes):
            members = [i for i, each in enumerate(sets) if c in each]
            assert labels.members(c).tolist() == members
            assert labels.members(c).dtype == np.int64
            assert labels.sizes[c] == len(members)


@given(two_sides())
def test_sums_of_classes_are_the_same_floats_in_every_form(sides):
    for sets, labels in zip(*sides, strict=True):
        values = 1 / np.arange(3.0, 3 + len(sets))
        sums = [0.0] * labels.n_classes
        for each, value in zip(sets, values.tolist(), strict=True):
            for c in each:
                sums[c] += value
        assert labels.sums(values).tolist() == sums


@given(two_sides())
def test_items_in_one_place_are_compared(sides):
    (sets, others), (labels, other_labels) = sides
    n = min(len(sets), len(others))
    first, second = (each.subset(slice(0, n)) for each in (labels, other_labels))
    expected = [bool(a & b) for a, b in zip(sets, others, strict=False)]
    assert first.matches(second).tolist() == expected


@given(two_sides(), st.sampled_from([*ROWS, "mask"]))
def test_a_subset_has_the_labels_of_its_items(sides, rows):
    for sets, labels in zip(*sides, strict=True):
        index = np.arange(len(sets)) % 2 == 0 if isinstance(rows, str) else rows
        part = labels.subset(index)
        assert type(part) is type(labels)
        expected = [sets[i] for i in chosen(index, len(sets))]
        assert list(map(set_of, plain(part.values))) == expected


VALUES = st.sampled_from(["sea", "sky", "sand", ""])


@given(st.lists(VALUES, min_size=3), st.lists(VALUES, min_size=1))
def test_one_class_an_item(values, others):
    labels, other_labels = Labels.of(values), Labels.of(others)
    assert labels.kind == "classes"
    distinct = sorted(set(values))
    assert labels.n_classes == len(distinct)
    assert labels.constant == (len(distinct) == 1)
    assert labels.counts.tolist() == [1] * len(values)
    for place, value in enumerate(distinct):
        members = [i for i, each in enumerate(values) if each == value]
        assert labels.members(place).tolist() == members
        assert labels.sizes[place] == len(members)
        numbers = np.arange(float(len(values)))
        assert labels.sums(numbers)[place] == sum(members)
    for rows in ROWS:
        equal = [[values[i] == b for b in others] for i in chosen(rows, len(values))]
        equal = np.array(equal, bool).reshape(-1, len(others))
        np.testing.assert_array_equal(labels.similar(rows, other_labels), equal)
        np.testing.assert_array_equal(labels.overlap(rows, other_labels), equal * 1)
        assert labels.subset(rows).values.tolist() == [
            values[i] for i in chosen(rows, len(values))
        ]
    assert labels.matches(Labels.of(values[::-1])).tolist() == [
        a == b for a, b in zip(values, values[::-1], strict=True)
    ]


@pytest.mark.parametrize("ask", ["similar", "overlap"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a", "b"], np.eye(2)),
        (["a", "b"], [1, 2]),
        (np.eye(2), np.eye(2, 3)),
        (sparse.eye_array(2).tocsr(), np.eye(2, 3)),
    ],
)
def test_labels_that_mean_different_things_are_not_compared(ask, one, other):
    one, other = Labels.of(one), Labels.of(other)
    for a, b in ((one, other), (other, one)):
        with pytest.raises(ValueError, match="others and these labels"):
            getattr(a, ask)(slice(None), b)
        with pytest.raises(ValueError, match="others"):
            a.matches(b)


def test_labels_are_taken_as_they_are():
    labels = Labels.of(sparse.csr_array(np.eye(3)))
    assert Labels.of(labels, n=3) is labels
    with pytest.raises(ValueError, match="y has 3 rows for 4 items"):
        Labels.of(labels, name="y", n=4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        labels.values = None


@pytest.mark.parametrize("first", CONTAINERS)
@pytest.mark.parametrize("second", CONTAINERS)
def test_both_sides_get_one_form(rng, first, second):
    a, b = rng.random((4, 3)) < 0.5, rng.random((5, 3)) < 0.5
    queries, items = compared_labels(first(a), second(b), 4, 5)
    assert type(queries) is type(items)
    assert queries.sparse == (first is not np.asarray or second is not np.asarray)
    np.testing.assert_array_equal(plain(queries.values), a)
    np.testing.assert_array_equal(plain(items.values), b)


def test_sparse_sets_of_many_classes_stay_sparse():
    """As bools, these would be 2 GB."""
    n, n_classes = 20_000, 100_000
    indices = np.arange(2 * n, dtype=np.int32) % n_classes
    given_ = sparse.csr_array(
        (np.ones(2 * n, bool), indices, np.arange(0, 2 * n + 1, 2)), (n, n_classes)
    )
    labels = Labels.of(given_)
    assert labels.members(2).tolist() == [1]
    block = labels.similar(slice(0, 100), labels)
    np.testing.assert_array_equal(block.indices, np.arange(100))
    assert labels.subset([5]).similar([0], labels).indices.tolist() == [5]
