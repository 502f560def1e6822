"""Batches of arrays: which items come together, and how they are gathered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset

from skhash.encoder._auto import batch_bounds
from skhash.encoder._labels import StoredSets, label_tensor
from skhash.hamming.labels import Labels

# What torch reads as it lies; other real types pass through one that holds them.
_TORCH_DTYPES = {
    np.dtype(name)
    for name in (
        "bool",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "float32",
        "float64",
    )
}
_HELD_BY = {("u", 2): np.float32, ("u", 4): np.int64}

# How a DataLoader loads; what, and in what order, is for others to say.
LOADING = {
    "num_workers",
    "prefetch_factor",
    "timeout",
    "multiprocessing_context",
    "worker_init_fn",
}


def readable(values: np.ndarray) -> np.ndarray:
    """An array of real numbers in a dtype that torch knows, without loss."""
    if values.dtype in _TORCH_DTYPES:
        return values
    native = values.dtype.newbyteorder("=")
    if native not in _TORCH_DTYPES:  # uint16, uint32, uint64, long double
        native = _HELD_BY.get((native.kind, native.itemsize), np.dtype(np.float64))
    return values.astype(native)


class ArrayDataset(Dataset):
    """Items of an array (or CSR matrix) that stays as it lies in memory or on disk.

    Parameters
    ----------
    X : ndarray of shape (n, ...) or CSR matrix of shape (n, n_features)
        The items; any real dtype, writable or not.
    y : Tensor of shape (n,) or (n, n_classes) or StoredSets, default=None
        Their labels.
    sample_weight : Tensor of shape (n,), default=None
        Their weights.
    index : ndarray of int, default=None
        Rows of X that are the items (with their labels and weights), see `subset`.
    lies : tuple of int, default=None
        Shape of an item in X, where its axes come out in another order.
    order : tuple of int, default=None
        That order.
    """

    def __init__(
        self,
        X: Any,
        y: Tensor | StoredSets | None = None,
        sample_weight: Tensor | None = None,
        index: np.ndarray | None = None,
        *,
        lies: tuple[int, ...] | None = None,
        order: tuple[int, ...] | None = None,
    ) -> None:
        self.X = X
        self.y = y
        self.sample_weight = sample_weight
        self.index = index
        self.lies = lies
        self.order = order

    def __len__(self) -> int:
        return self.X.shape[0] if self.index is None else len(self.index)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        x, *rest = self.gather(np.array([index]))
        return (x[0], *(part[0] for part in rest if part is not None))

    def subset(self, index: np.ndarray) -> ArrayDataset:
        """Some of the items, without a copy of any."""
        y, weight = self.y, self.sample_weight
        return ArrayDataset(
            self.X,
            None if y is None else y[index],
            None if weight is None else weight[index],
            index if self.index is None else self.index[index],
            lies=self.lies,
            order=self.order,
        )

    def raw(self, index: Any) -> Any:
        """Rows `index` (integers or a slice) of X in their own dtype."""
        rows = self.X[index if self.index is None else self.index[index]]
        if self.lies is None or self.order is None:
            return rows
        axes = (0, *(axis + 1 for axis in self.order))
        return rows.reshape(-1, *self.lies).transpose(axes).reshape(len(rows), -1)

    def rows(self, index: Any, *, share: bool = False) -> Tensor:
        """Items `index` (integers or a slice) as a tensor, of their own or shared.

        A shared one may lie in the memory of X: whoever asks for it writes nothing.
        """
        rows = self.raw(index)
        if not isinstance(rows, np.ndarray):
            rows = rows.toarray()
        own = rows.base is None and rows.flags.writeable
        # Torch warns of read-only arrays, and has no negative strides.
        shared = share and rows.flags.writeable and rows.flags.c_contiguous
        shared = shared and min(rows.strides) >= 0  # -4 even where there is one row
        if rows.dtype not in _TORCH_DTYPES:
            rows = readable(rows)
        elif not own and not shared:
            rows = rows.copy()
        return torch.from_numpy(rows)

    def gather(self, index: np.ndarray) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Items, labels and weights of a batch."""
        y, weight = self.y, self.sample_weight
        chosen = torch.from_numpy(index)
        return (
            self.rows(index),
            None if y is None else label_tensor(y[chosen]),
            None if weight is None else weight[chosen],
        )

    @property
    def targets(self) -> Tensor:
        """Labels of all items, as losses take them."""
        return label_tensor(self.y)


class EncodedDataset(Dataset):
    """A user's data set of (item, label) pairs, its labels encoded.

    Parameters
    ----------
    dataset : Dataset
        Gives items, alone or as the first of a pair.
    y : Tensor of shape (n,) or (n, n_classes) or StoredSets
        The encoded labels. In place of stored sets, an item comes with its number.
    sample_weight : Tensor of shape (n,), default=None
        The weights.
    """

    def __init__(
        self,
        dataset: Dataset,
        y: Tensor | StoredSets,
        sample_weight: Tensor | None = None,
    ) -> None:
        self.dataset = dataset
        self.y = y
        self.sample_weight = sample_weight

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        item = self.dataset[index]
        x = item[0] if isinstance(item, (tuple, list)) else item
        y = index if isinstance(self.y, StoredSets) else label_tensor(self.y[index])
        if self.sample_weight is None:
            return x, y
        return x, y, self.sample_weight[index]

    @property
    def targets(self) -> Tensor:
        """Labels of all items, as losses take them."""
        return label_tensor(self.y)

    def subset(self, index: np.ndarray) -> EncodedDataset:
        """Some of the items."""
        weight = self.sample_weight
        return EncodedDataset(
            Subset(self.dataset, index.tolist()),
            self.y[index],
            None if weight is None else weight[index],
        )


class ShuffledSampler:
    """Every item once an epoch, in new random order, in batches of equal size.

    Parameters
    ----------
    n : int
        Number of items.
    batch_size : int
        Most items in a batch. The items are spread evenly, so that there is no small
        last batch; up to `batch_size` items make one full batch. No batch has a single
        item: an odd number of items in pairs makes one batch of three.
    seed : int
        Seed of the sampler's own generator.
    """

    def __init__(self, n: int, batch_size: int, seed: int) -> None:
        self.n = n
        self.batch_size = batch_size
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return min(-(-self.n // self.batch_size), max(self.n // 2, 1))

    def __iter__(self) -> Iterator[np.ndarray]:
        order = self._rng.permutation(self.n)
        return iter(np.array_split(order, len(self)))

    @property
    def state(self) -> Any:
        """All that the next epochs depend on, between two of them."""
        return self._rng.bit_generator.state

    @state.setter
    def state(self, state: Any) -> None:
        self._rng.bit_generator.state = state


class BalancedSampler:
    """Batches of P classes with Q items each.

    All classes come equally often, whatever their sizes. A class gives its items in
    random order and gives all of them before it repeats any, across batches and
    epochs; a class of fewer than Q items gives what it has. An item of several
    classes comes through any of them, but never twice in a batch; items without a
    label form a class of their own.

    Parameters
    ----------
    y : Labels, or ndarray of shape (n,) or (n, n_classes)
        Class numbers, or label sets.
    batch_size : int
        Most items in a batch.
    n_items : int
        Q, items of one class in a batch.
    seed : int
        Seed of the sampler's own generator.
    """

    def __init__(self, y: Any, batch_size: int, n_items: int, seed: int) -> None:
        self.batch_size = batch_size
        self.n_items = min(n_items, batch_size)
        self.n = len(y)
        self._rng = np.random.default_rng(seed)
        self._members = class_members(y)
        self._queues = [np.empty(0, dtype=np.int64) for _ in self._members]
        self._classes = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for _ in range(len(self)):
            yield self._batch()

    @property
    def state(self) -> Any:
        """All that the next epochs depend on, between two of them."""
        return self._rng.bit_generator.state, self._queues, self._classes

    @state.setter
    def state(self, state: Any) -> None:
        self._rng.bit_generator.state, self._queues, self._classes = state

    def _batch(self) -> np.ndarray:
        taken: dict[int, None] = {}
        tried: set[int] = set()
        size = min(self.batch_size, self.n)
        while len(taken) < size and len(tried) < len(self._members):
            klass = self._next_class(tried)
            tried.add(klass)
            room = min(self.n_items, size - len(taken))
            taken.update(dict.fromkeys(self._next_items(klass, room, taken)))
        # Few classes leave room: fill it evenly with more items of each.
        before = -1
        while len(taken) < size and len(taken) > before:
            before = len(taken)
            for klass in self._rng.permutation(len(self._members)):
                room = min(self.n_items, size - len(taken))
                taken.update(dict.fromkeys(self._next_items(klass, room, taken)))
        return np.fromiter(taken, dtype=np.int64, count=len(taken))

    def _next_class(self, tried: set[int]) -> int:
        while True:
            if not len(self._classes):
                self._classes = self._rng.permutation(len(self._members))
            klass, self._classes = int(self._classes[0]), self._classes[1:]
            if klass not in tried:
                return klass

    def _next_items(self, klass: int, count: int, taken: dict[int, None]) -> list[int]:
        """Up to `count` items of a class that are not `taken` in this batch."""
        items: dict[int, None] = {}
        for _ in range(2):  # the current round and, where it runs out, the next
            queue, deferred, position = self._queues[klass], [], 0
            while position < len(queue) and len(items) < count:
                item = int(queue[position])
                position += 1
                if item in taken or item in items:
                    deferred.append(item)
                else:
                    items[item] = None
            queue = queue[position:]
            if deferred:
                queue = np.concatenate([np.array(deferred, dtype=np.int64), queue])
            self._queues[klass] = queue
            if len(items) == count:
                break
            self._queues[klass] = self._rng.permutation(self._members[klass])
        return list(items)


def class_members(y: Any) -> list[np.ndarray]:
    """Indices of the items of each class that occurs; unlabelled items come last."""
    labels = Labels.of(y, name="y")
    members = [labels.members(c) for c in np.flatnonzero(labels.sizes)]
    unlabelled = np.flatnonzero(labels.counts == 0)
    return [*members, unlabelled] if len(unlabelled) else members


class Batches:
    """Iterates over the gathered batches of an `ArrayDataset`, once an epoch.

    Parameters
    ----------
    dataset : ArrayDataset
        The items.
    sampler : ShuffledSampler or BalancedSampler
        Yields the indices of each batch.
    """

    def __init__(
        self, dataset: ArrayDataset, sampler: ShuffledSampler | BalancedSampler
    ) -> None:
        self.dataset = dataset
        self.sampler = sampler

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None, Tensor | None]]:
        return map(self.dataset.gather, self.sampler)


class NumberedBatches:
    """Batches of a loader whose items come with numbers, with their label sets instead.

    Parameters
    ----------
    loader : DataLoader
        Of an `EncodedDataset` with stored sets.
    sets : StoredSets
        Those of all items.
    """

    def __init__(self, loader: Any, sets: StoredSets) -> None:
        self.loader = loader
        self.sets = sets

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for x, numbers, *weight in self.loader:
            yield x, self.sets[numbers].tensor(), *weight


def with_labels(loader: DataLoader, dataset: Dataset) -> Any:
    """The batches of a loader, which holds numbers in place of sparse label sets."""
    if isinstance(dataset, EncodedDataset) and isinstance(dataset.y, StoredSets):
        return NumberedBatches(loader, dataset.y)
    return loader


def batches_in_order(
    dataset: Dataset, batch_size: int, *, share: bool = False, **loading: Any
) -> Iterator[Tensor]:
    """The items alone, batch by batch; with `share`, in memory not to be written to.

    `loading` says how a DataLoader loads them, where there is one.
    """
    if isinstance(dataset, ArrayDataset):
        for start, stop in batch_bounds(len(dataset), batch_size):
            yield dataset.rows(slice(start, stop), share=share)
        return
    # A generator of its own: else a seed is drawn from the global one.
    own = torch.Generator()
    if isinstance(dataset, IterableDataset):
        loading = {}  # each worker would give all items
    loader = DataLoader(dataset, batch_size=batch_size, generator=own, **loading)
    for batch in loader:
        yield batch[0] if isinstance(batch, (tuple, list)) else batch
