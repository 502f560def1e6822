"""Batches of items with their nearest neighbours, where vectors supervise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skhash.encoder._data.rounds import Rounds
from skhash.encoder._data.vectors import Vectors
from skhash.progress import followed
from skhash.vectors import nearest_vectors

# Neighbours of an item that may come with it, and how many do.
N_NEIGHBORS, _WITH_EACH = 10, 3
# Multiplications of the search for neighbours, at most: 131 000 items of 256 numbers,
# or 75 000 of 768, some minutes on two cores. Of more items a sample is searched. A
# comparison takes as long as this many multiplications at least.
_WORK, _LEAST = 1 << 42, 256


def sample_size(n: int, d: int, work: int = _WORK) -> int:
    """How many of n items of d numbers can be compared with one another."""
    return min(n, max(N_NEIGHBORS + 1, int((work / max(d, _LEAST)) ** 0.5)))


def neighbor_graph(
    vectors: Vectors, *, seed: int, verbose: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest items of each, by cosine: exact, and the same on every machine.

    All pairs are compared, blockwise, up to the number of items that `sample_size`
    tells. Of more items a random sample is taken, whose neighbours are within it.

    Parameters
    ----------
    vectors : Vectors
        Those of the items.
    seed : int
        Draws the sample.
    verbose : int, default=0
        1 shows how far the search is.

    Returns
    -------
    items : ndarray of shape (n_sampled,), int64
        The items that have neighbours.
    neighbors : ndarray of shape (n_sampled, k), int64
        Their nearest items, at most 10.
    """
    n, d = len(vectors), vectors.values.shape[1]
    size = sample_size(n, d)
    items = np.arange(n)
    if size < n:
        items = np.sort(np.random.default_rng(seed).choice(n, size, replace=False))
    values = vectors.subset(items).array()
    k = min(N_NEIGHBORS, size - 1)
    blocks = nearest_vectors(values, values, k, exclude_self=True)
    found = list(followed(blocks, "neighbours", size, verbose=verbose))
    return items, items[np.concatenate(found)]


class NeighborSampler:
    """Batches of anchors, each with some of its nearest items.

    A quarter of a batch are anchors, drawn without repeats until all items of the graph
    were one; with each come 3 of its 10 nearest, drawn anew each time. Items that come
    twice are replaced by random ones of all. Up to `batch_size` items make one batch.

    Parameters
    ----------
    n : int
        Number of items.
    batch_size : int
        Items in a batch.
    seed : int
        Seed of the sampler's own generator.
    graph : tuple of two arrays, default=None
        See `neighbor_graph`; needed for more than `batch_size` items.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        seed: int,
        graph: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        self.n = n
        self.size = min(n, batch_size)
        self.graph = graph
        self._rounds = Rounds(n if graph is None else len(graph[0]), seed)

    def __len__(self) -> int:
        return -(-self.n // self.size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for _ in range(len(self)):
            yield self._batch()

    @property
    def state(self) -> Any:
        """All that the next epochs depend on, between two of them."""
        return self._rounds.state

    @state.setter
    def state(self, state: Any) -> None:
        self._rounds.state = state

    def _batch(self) -> np.ndarray:
        rng = self._rounds.rng
        if self.graph is None:
            return rng.permutation(self.n)
        items, neighbors = self.graph
        each = min(_WITH_EACH, neighbors.shape[1])
        anchors = self._rounds.take(max(1, self.size // (1 + each)))
        # Some of the nearest, in random order: those with the smallest random numbers.
        draws = rng.random((len(anchors), neighbors.shape[1]))
        places = np.argsort(draws, axis=1)[:, :each]
        near = np.take_along_axis(neighbors[anchors], places, axis=1)
        batch = _unique(np.concatenate([items[anchors], near.ravel()]))[: self.size]
        while len(batch) < self.size:
            others = rng.integers(self.n, size=self.size - len(batch))
            batch = _unique(np.concatenate([batch, others]))
        return batch


class ItemByItem:
    """The items of a sampler's batches one by one, for a torch DataLoader.

    All batches are of one size, so that those of the loader are the sampler's.
    """

    def __init__(self, sampler: NeighborSampler) -> None:
        self.sampler = sampler

    def __len__(self) -> int:
        return len(self.sampler) * self.sampler.size

    def __iter__(self) -> Iterator[int]:
        for batch in self.sampler:
            yield from batch.tolist()


def _unique(items: np.ndarray) -> np.ndarray:
    """The items without repeats, in the order in which they come first."""
    return items[np.sort(np.unique(items, return_index=True)[1])]
