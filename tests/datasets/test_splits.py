"""Splits do not overlap, keep labels balanced, and repeat with the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skhash.datasets import RetrievalSplit, UnseenClassSplit, published_split


def multi_hot(n, n_classes, rng):
    Y = rng.random((n, n_classes)) < np.linspace(0.05, 0.5, n_classes)
    Y[np.arange(n), rng.integers(n_classes, size=n)] = True
    return Y.astype(int)


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(20, 80),
    n_queries=st.integers(1, 8),
    n_train=st.none() | st.integers(1, 8),
    train_in_database=st.booleans(),
    stratify=st.booleans(),
    multilabel=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_split_has_the_sizes_asked_for_and_does_not_overlap(
    seed, n, n_queries, n_train, train_in_database, stratify, multilabel
):
    if n_train is None:
        train_in_database = True
    rng = np.random.default_rng(seed)
    y = multi_hot(n, 4, rng) if multilabel else rng.integers(0, 4, n)
    queries, train, database = RetrievalSplit(
        n_queries,
        n_train,
        train_in_database=train_in_database,
        stratify=stratify,
        random_state=seed,
    ).split(y)
    assert len(queries) == n_queries
    assert len(train) == (n - n_queries if n_train is None else n_train)
    left_out = set() if train_in_database else set(train.tolist())
    assert set(database.tolist()) == set(range(n)) - set(queries.tolist()) - left_out
    assert not set(queries.tolist()) & set(train.tolist())
    for part in (queries, train, database):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


@pytest.mark.parametrize("n_queries", [60, 0.1])
def test_single_labels_are_stratified(n_queries):
    y = np.repeat(["a", "b", "c"], [100, 200, 300])
    queries, train, _ = RetrievalSplit(n_queries, 120, random_state=0).split(y)
    counts = np.unique(y[queries], return_counts=True)[1]
    np.testing.assert_allclose(counts, [10, 20, 30], atol=1)
    counts = np.unique(y[train], return_counts=True)[1]
    np.testing.assert_allclose(counts, [20, 40, 60], atol=1)
    assert counts.sum() == 120


@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    share=st.floats(0.01, 0.99),
    as_matrix=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_each_class_gets_its_share_rounded_down_or_up(seed, sizes, share, as_matrix):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    labels = np.eye(len(sizes), dtype=int)[y] if as_matrix else y
    n_queries = max(1, int(share * len(y)))
    if n_queries == len(y):
        return
    split = RetrievalSplit(n_queries, random_state=seed).split(labels)
    for label, size in enumerate(sizes):
        count = int((y[split.queries] == label).sum())
        # |count - n_queries * size / n| < 1, in whole numbers.
        assert abs(count * len(y) - n_queries * size) < len(y)


def test_no_class_of_equal_ones_is_left_out_nor_favoured():
    y = np.repeat(np.arange(10), 30)
    twice = np.zeros(10, dtype=int)
    for seed in range(100):
        queries = RetrievalSplit(n_queries=15, random_state=seed).split(y).queries
        counts = np.bincount(y[queries], minlength=10)
        assert sorted(counts) == [1] * 5 + [2] * 5
        twice += counts == 2
    # Binomial with mean 50 and standard deviation 5.
    assert 25 < twice.min() <= twice.max() < 75


@pytest.mark.parametrize("as_sparse", [False, True])
def test_several_labels_are_stratified_better_than_by_chance(as_sparse):
    rng = np.random.default_rng(0)
    Y = multi_hot(3000, 12, rng)
    y = sparse.csr_array(Y) if as_sparse else Y

    def error(stratify, seed):
        split = RetrievalSplit(150, stratify=stratify, random_state=seed)
        queries = split.split(y).queries
        return np.abs(Y[queries].mean(axis=0) - Y.mean(axis=0)).mean()

    ours = np.mean([error(True, seed) for seed in range(10)])
    chance = np.mean([error(False, seed) for seed in range(10)])
    assert ours < chance / 2


def test_same_seed_gives_the_same_split_and_global_state_is_left_alone():
    y = np.arange(100) % 4
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (
        RetrievalSplit(10, 20, random_state=seed).split(y) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.queries, again.queries)
    np.testing.assert_array_equal(first.train, again.train)
    assert first.queries.tolist() != other.queries.tolist()
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_per_class_counts_are_exact_and_first_ones_without_shuffling():
    y = np.tile([0, 1, 2], 20)
    split = RetrievalSplit(2, 3, per_class=True, train_in_database=False, shuffle=False)
    queries, train, database = split.split(y)
    assert queries.tolist() == list(range(6))
    assert train.tolist() == list(range(6, 15))
    assert database.tolist() == list(range(15, 60))
    queries, train, _ = RetrievalSplit(2, 3, per_class=True, random_state=0).split(y)
    assert np.bincount(y[queries]).tolist() == [2, 2, 2]
    assert np.bincount(y[train]).tolist() == [3, 3, 3]
    assert queries.tolist() != list(range(6))


def test_per_class_takes_no_item_for_two_classes():
    rng = np.random.default_rng(0)
    Y = multi_hot(400, 5, rng)
    queries, train, _ = RetrievalSplit(10, 20, per_class=True, random_state=0).split(Y)
    assert len(queries) == len(set(queries.tolist())) == 50
    assert len(train) == len(set(train.tolist())) == 100
    assert (Y[queries].sum(axis=0) >= 10).all()


@pytest.mark.parametrize("train_in_database", [False, True])
def test_groups_stay_together(train_in_database):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 300)
    y = rng.integers(0, 3, 300)
    queries, train, database = RetrievalSplit(
        60, 90, train_in_database=train_in_database, random_state=0
    ).split(y, groups)
    sides = [set(groups[part].tolist()) for part in (queries, train, database)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert train_in_database or not sides[1] & sides[2]
    assert 45 < len(queries) <= 60
    assert 75 < len(train) <= 90


@pytest.mark.parametrize(
    ("options", "groups", "message"),
    [
        ({"n_queries": 0}, None, "n_queries must be an int of at least 1 or a share"),
        ({"n_queries": 1.5}, None, "n_queries must be"),
        ({"n_queries": True}, None, "n_queries must be"),
        ({"n_queries": 0.1, "per_class": True}, None, "int of at least 1, got"),
        ({"n_queries": 31}, None, "only 30 are left"),
        ({"n_queries": 5, "n_train": 26}, None, "only 25 are left"),
        ({"n_queries": 11, "per_class": True}, None, "Class number 0 has only 10"),
        ({"n_queries": 30}, None, "database is empty"),
        ({"train_in_database": False}, None, "database is empty"),
        ({"shuffle": False}, None, "per_class=True only"),
        ({"n_queries": 1, "per_class": True}, [0] * 30, "do not go with per_class"),
        ({"n_queries": 5}, [0] * 3, "inconsistent numbers of samples"),
        ({"n_queries": 5}, [0] * 30, "every group has more items"),
    ],
)
def test_impossible_splits_are_refused(options, groups, message):
    with pytest.raises(ValueError, match=message):
        RetrievalSplit(**options).split(np.repeat([0, 1, 2], 10), groups)


def test_labels_of_no_known_shape_are_refused():
    with pytest.raises(ValueError, match="multi-hot"):
        RetrievalSplit().split(np.zeros((2, 2, 2)))


@pytest.mark.parametrize("unseen", [2, 0.5, ["b", "d"]])
def test_unseen_classes_are_not_trained_on(unseen):
    y = np.repeat(["a", "b", "c", "d"], 20)
    split = UnseenClassSplit(unseen, n_queries=6, random_state=0)
    queries, train, database = split.split(y)
    new = set(y[queries]) | set(y[database])
    assert len(set(y[database])) == 2
    assert new.isdisjoint(y[train])
    assert len(queries) == 6
    assert sorted([*queries, *train, *database]) == list(range(80))
    if isinstance(unseen, list):
        assert new == {"b", "d"}


def test_items_of_both_kinds_of_classes_are_left_out():
    rng = np.random.default_rng(0)
    Y = multi_hot(300, 5, rng)
    queries, train, database = UnseenClassSplit([0, 1], n_queries=0.2).split(Y)
    assert not Y[train][:, :2].any()
    for part in (queries, database):
        assert not Y[part][:, 2:].any()
        assert Y[part][:, :2].any(axis=1).all()
    mixed = Y[:, :2].any(axis=1) & Y[:, 2:].any(axis=1)
    assert len(queries) + len(train) + len(database) == 300 - mixed.sum()


@pytest.mark.parametrize(
    ("unseen", "n_queries", "message"),
    [
        (4, 2, "leaves none to train on"),
        (["e"], 2, "not classes of y"),
        (1, 20, "20 items for 20 queries"),
        (0, 2, "unseen must be"),
    ],
)
def test_impossible_unseen_splits_are_refused(unseen, n_queries, message):
    y = np.repeat(["a", "b", "c", "d"], 20)
    with pytest.raises(ValueError, match=message):
        UnseenClassSplit(unseen, n_queries=n_queries).split(y)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("cifar10", (1000, 5000, 54_000)),
        ("cifar10-1", (1000, 5000, 59_000)),
        ("cifar10-2", (10_000, 50_000, 50_000)),
    ],
)
def test_cifar_protocols_have_the_published_sizes(name, sizes):
    y = np.repeat(np.arange(10), 6000)
    parts = published_split(name, y, random_state=0)
    assert tuple(len(part) for part in parts) == sizes
    assert not np.isin(parts.queries, parts.database).any()
    assert not np.isin(parts.queries, parts.train).any()
    if name != "cifar10-2":
        assert set(np.bincount(y[parts.queries])) == {100}
        assert set(np.bincount(y[parts.train])) == {500}
        first = published_split(name, y, shuffle=False)
        assert first.queries[:100].tolist() == list(range(100))
    else:
        assert parts.queries.tolist() == list(range(50_000, 60_000))


def test_larger_protocols_have_the_published_sizes():
    rng = np.random.default_rng(0)
    Y = multi_hot(30_000, 21, rng)
    sizes = {
        "nuswide21": (2100, 10_500, 27_900),
        "nuswide81": (5000, 10_000, 25_000),
        "imagenet100": (5000, 10_000, 25_000),
        "coco": (5000, 10_000, 25_000),
        "mirflickr": (1000, 4000, 29_000),
    }
    for name, expected in sizes.items():
        parts = published_split(name, Y, random_state=0)
        assert tuple(len(part) for part in parts) == expected
        assert np.isin(parts.train, parts.database).all()


def test_unknown_and_impossible_protocols_are_refused():
    with pytest.raises(
        ValueError, match="no protocol 'cifar'; the protocols are cifar10"
    ):
        published_split("cifar", [0, 1])
    with pytest.raises(ValueError, match="last 10000 rows"):
        published_split("cifar10-2", np.zeros(100))
    with pytest.raises(ValueError, match="100 are wanted"):
        published_split("cifar10", np.arange(100) % 10)


def test_splits_show_their_options():
    assert "n_queries=7" in repr(RetrievalSplit(7))
    assert repr(UnseenClassSplit(2)) == (
        "UnseenClassSplit(unseen=2, n_queries=0.1, random_state=None)"
    )


@pytest.mark.parametrize("name", ["nuswide81", "imagenet100", "coco", "mirflickr"])
def test_protocols_that_draw_from_the_whole_refuse_not_to_shuffle(name):
    with pytest.raises(ValueError, match=rf"{name} draws .* cifar10, .*") as caught:
        published_split(name, np.arange(20_000) % 80, shuffle=False)
    assert "per_class" not in str(caught.value)


@pytest.mark.parametrize("unseen", ["dog", b"dog", None, True, {"dog": 1}])
def test_unseen_classes_come_as_a_list(unseen):
    with pytest.raises(ValueError, match="number, a share or a list of classes, got"):
        UnseenClassSplit(unseen=unseen).split(np.repeat(["cat", "dog", "o"], 9))


@pytest.mark.parametrize("kind", ["tuple", "set", "array", "Series"])
def test_unseen_classes_may_come_as_any_collection(kind):
    y = np.repeat(["cat", "dog", "owl"], 9)
    if kind == "Series":
        collect = pytest.importorskip("pandas").Series
    else:
        collect = {"tuple": tuple, "set": set, "array": np.array}[kind]
    parts = UnseenClassSplit(unseen=collect(["dog", "owl"]), random_state=0).split(y)
    assert set(y[parts.train]) == {"cat"}


@pytest.mark.parametrize(
    "y",
    [
        [0.0, 1.0, np.nan, np.nan] * 5,
        np.array(["a", "b", None, np.nan] * 5, dtype=object),
        [[0.0, 1.0], [np.nan, np.nan]] * 5,
        sparse.csr_array([[0.0, 1.0], [np.nan, np.nan]] * 5),
    ],
)
@pytest.mark.parametrize("split", [RetrievalSplit(2), UnseenClassSplit(1)])
def test_missing_labels_are_refused(split, y):
    with pytest.raises(ValueError, match="y has 10 missing labels"):
        split.split(y)
