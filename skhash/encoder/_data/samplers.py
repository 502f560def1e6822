"""Which items come together in a batch: shuffled, or balanced over the classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skhash.hamming.labels import Labels


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
