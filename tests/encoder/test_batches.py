"""Which items come together in a batch, and how they are gathered."""

from collections import Counter

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from skhash.encoder._data.batches import Batches
from skhash.encoder._data.datasets import ArrayDataset, EncodedDataset
from skhash.encoder._data.samplers import (
    BalancedSampler,
    ShuffledSampler,
    class_members,
)

# Shuffled


@given(n=st.integers(2, 200), batch_size=st.integers(2, 50))
def test_shuffled_batches_hold_every_item_once(n, batch_size):
    sampler = ShuffledSampler(n, batch_size, seed=0)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(n))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    assert max(sizes) <= max(batch_size, 3)
    if batch_size > 2:
        assert len(sampler) == -(-n // batch_size)


def test_shuffled_order_is_new_each_epoch_and_seeded():
    one, two = (ShuffledSampler(50, 8, seed=3) for _ in range(2))
    first, again, second = list(one), list(two), list(one)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, second, strict=True))
    other = np.concatenate(list(ShuffledSampler(50, 8, seed=4)))
    assert (np.concatenate(first) != other).any()


# Balanced


def epoch_of(sampler):
    batches = list(sampler)
    assert len(batches) == len(sampler) == -(-sampler.n // sampler.batch_size)
    for batch in batches:
        assert len(set(batch.tolist())) == len(batch) <= sampler.batch_size
    return batches


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    batch_size=st.integers(2, 40),
    n_items=st.integers(2, 6),
)
def test_balanced_batches_are_full_and_without_repeats(counts, batch_size, n_items):
    y = np.repeat(np.arange(len(counts)) * 3, counts)
    for batch in epoch_of(BalancedSampler(y, batch_size, n_items, seed=0)):
        assert len(batch) == min(batch_size, len(y))


@pytest.mark.parametrize(("n_classes", "batch_size", "q"), [(10, 12, 4), (100, 32, 8)])
def test_balanced_batches_are_classes_times_items(n_classes, batch_size, q):
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(n_classes), 20))
    sampler = BalancedSampler(y, batch_size, q, seed=0)
    for batch in epoch_of(sampler):
        counts = Counter(y[batch].tolist())
        assert set(counts.values()) == {q}
        assert len(counts) == batch_size // q


def test_classes_come_equally_often_in_a_long_tail():
    sizes = np.array([1000, 300, 100, 30, 10, 5, 4, 3, 2, 1])
    y = np.repeat(np.arange(10), sizes)
    sampler = BalancedSampler(y, 8, 4, seed=0)
    drawn = Counter()
    for _ in range(5):
        for batch in epoch_of(sampler):
            drawn.update(set(y[batch].tolist()))
    times = np.array([drawn[label] for label in range(10)])
    assert times.min() > 0.85 * times.max()


def test_class_gives_all_items_before_it_repeats_any():
    y = np.repeat([0, 1, 2], [40, 7, 3])
    sampler = BalancedSampler(y, 6, 2, seed=0)
    seen = [[], [], []]
    for _ in range(6):
        for batch in epoch_of(sampler):
            for item in batch:
                seen[y[item]].append(int(item))
    for label, size in enumerate([40, 7, 3]):
        items = seen[label]
        assert len(items) > 2 * size
        # Rounds may share a batch, in which no item comes twice.
        times = Counter(items[: len(items) // size * size])
        assert max(times.values()) - min(times.values()) <= 1
        assert len(times) == size
    first_round = seen[0][:40]
    assert len(set(first_round)) == 40


def test_small_class_gives_what_it_has():
    y = np.array([0] * 20 + [1])
    sampler = BalancedSampler(y, 8, 4, seed=0)
    for batch in epoch_of(sampler):
        assert len(batch) == 8
        assert (y[batch] == 1).sum() <= 1


def test_items_of_several_classes_come_once_in_a_batch():
    rng = np.random.default_rng(0)
    Y = (rng.random((60, 5)) < 0.4).astype(np.float32)
    Y[:4] = 0  # items without a label
    sampler = BalancedSampler(Y, 15, 3, seed=0)
    everything = set()
    for _ in range(12):
        for batch in epoch_of(sampler):
            assert len(batch) == 15
            assert (Y[batch].sum(0) >= 3).sum() >= 3
            everything.update(batch.tolist())
    assert everything == set(range(60))


def test_balanced_order_is_seeded():
    y = np.repeat(np.arange(6), 9)
    draws = [
        np.concatenate(epoch_of(BalancedSampler(y, 12, 3, seed=seed)))
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_class_members_are_those_of_each_class():
    members = class_members(np.array([5, 2, 5, 9, 2]))
    assert [part.tolist() for part in members] == [[1, 4], [0, 2], [3]]
    members = class_members(np.array([[1, 0, 1], [0, 0, 0], [0, 0, 1]]))
    assert [part.tolist() for part in members] == [[0], [0, 2], [1]]


# Gathering

ARRAYS = {
    "uint8": np.arange(60, dtype=np.uint8).reshape(12, 5),
    "float32": np.arange(60, dtype=np.float32).reshape(12, 5),
    "float64": np.arange(60, dtype=np.float64).reshape(12, 5),
    "bool": np.arange(60).reshape(12, 5) % 3 == 0,
    "uint16": np.arange(60, dtype=np.uint16).reshape(12, 5),
    "fortran": np.asfortranarray(np.arange(60.0).reshape(12, 5)),
    "csr": sp.csr_array(np.arange(60.0).reshape(12, 5)),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_gathered_items_are_those_of_the_index(kind):
    X = ARRAYS[kind]
    dense = X if isinstance(X, np.ndarray) else X.toarray()
    y = torch.arange(12)
    weight = torch.linspace(1, 2, 12)
    dataset = ArrayDataset(X, y, weight)
    assert len(dataset) == 12
    index = np.array([7, 0, 7, 3])
    items, labels, weights = dataset.gather(index)
    np.testing.assert_array_equal(items.numpy(), dense[index])
    assert labels.tolist() == index.tolist()
    assert torch.equal(weights, weight[torch.from_numpy(index)])
    if kind in ("uint8", "float32", "float64", "bool"):
        assert items.numpy().dtype == dense.dtype
    for chosen in (slice(2, 5), index):
        rows = dataset.rows(chosen)
        np.testing.assert_array_equal(rows.numpy(), dense[chosen])
        rows.zero_()  # never the array's own memory
    np.testing.assert_array_equal(
        dense, X if isinstance(X, np.ndarray) else X.toarray()
    )
    assert ARRAYS["float32"][2, 0] == 10


@pytest.mark.parametrize("kind", ARRAYS)
def test_subset_of_a_subset_is_no_copy(kind):
    X = ARRAYS[kind]
    dense = X if isinstance(X, np.ndarray) else X.toarray()
    dataset = ArrayDataset(X, torch.arange(12), torch.arange(12.0))
    part = dataset.subset(np.array([9, 1, 4, 6])).subset(np.array([2, 0]))
    assert part.X is X
    assert len(part) == 2
    items, labels, weights = part.gather(np.array([0, 1]))
    np.testing.assert_array_equal(items.numpy(), dense[[4, 9]])
    assert labels.tolist() == [4, 9]
    assert weights.tolist() == [4, 9]
    np.testing.assert_array_equal(part.rows(slice(1, 2)).numpy(), dense[[9]])


def test_read_only_memmap_is_read_where_it_lies(tmp_path):
    np.save(tmp_path / "X.npy", ARRAYS["uint8"])
    memmap = np.load(tmp_path / "X.npy", mmap_mode="r")
    dataset = ArrayDataset(memmap)
    rows = dataset.rows(slice(0, 12))
    np.testing.assert_array_equal(rows.numpy(), memmap)
    rows.zero_()
    np.testing.assert_array_equal(memmap, ARRAYS["uint8"])


def test_batches_follow_the_sampler():
    X = ARRAYS["float32"]
    dataset = ArrayDataset(X, torch.arange(12))
    batches = Batches(dataset, ShuffledSampler(12, 5, seed=0))
    expected = list(ShuffledSampler(12, 5, seed=0))
    assert len(batches) == 3
    for (items, labels, weights), index in zip(batches, expected, strict=True):
        np.testing.assert_array_equal(items.numpy(), X[index])
        assert labels.tolist() == index.tolist()
        assert weights is None


def test_items_of_an_array_one_by_one():
    dataset = ArrayDataset(ARRAYS["float32"], torch.arange(12))
    item, label = dataset[3]
    np.testing.assert_array_equal(item.numpy(), ARRAYS["float32"][3])
    assert label == 3
    (first,) = DataLoader(ArrayDataset(ARRAYS["float32"]), batch_size=12)
    np.testing.assert_array_equal(first[0].numpy(), ARRAYS["float32"])


class Letters:
    """Items and labels of a user."""

    def __getitem__(self, index):
        return torch.full((2,), float(index)), "abcd"[index]

    def __len__(self):
        return 4


def test_encoded_data_set_has_our_labels():
    dataset = EncodedDataset(Letters(), torch.tensor([3, 2, 1, 0]))
    item, label = dataset[1]
    assert item.tolist() == [1, 1]
    assert label == 2
    part = EncodedDataset(Letters(), torch.arange(4), torch.ones(4)).subset(
        np.array([3, 0])
    )
    assert len(part) == 2
    item, label, weight = part[0]
    assert item.tolist() == [3, 3]
    assert (label, weight) == (3, 1)
