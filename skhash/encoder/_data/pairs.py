"""Batches that hold whole pairs, where labels name pairs of similar items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from skhash.encoder._data.rounds import Rounds
from skhash.hamming.labels import Labels


class PairSampler:
    """Batches of items, each beside a random one of its partners.

    Items come in random order, all of them before any comes again, across batches and
    epochs; each brings a partner that is drawn anew, so that in time all its pairs
    come. No item is in a batch twice. Items of no pair come alone: they are dissimilar
    to all others.

    Parameters
    ----------
    labels : Labels
        Sparse sets in which a label of two items makes these a pair.
    batch_size : int
        Most items in a batch; 3 where it is 2.
    seed : int
        Seed of the sampler's own generator.
    """

    def __init__(self, labels: Labels, batch_size: int, seed: int) -> None:
        self.n = len(labels)
        # Of two, a pair that waits could leave one alone, too few for batch norm.
        self.batch_size = min(max(batch_size, 3), self.n)
        self._rounds = Rounds(self.n, seed)
        self._partners = partners(labels)

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

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
        size = self.batch_size
        first = self._rounds.ahead(size)
        both = np.stack([first, self._drawn_partners(first)], axis=1).ravel()
        # The place at which each item comes first, in order.
        places = np.sort(np.unique(both, return_index=True)[1])
        done = size
        if len(places) > size:  # a pair that does not fit waits for the next batch
            done = places[size] // 2
            places = places[places < 2 * done]
        self._rounds.take(done)
        return both[places]

    def _drawn_partners(self, items: np.ndarray) -> np.ndarray:
        """A random partner of each; items without one stand for themselves."""
        starts, ends = (self._partners.indptr[items + each] for each in (0, 1))
        counts = ends - starts
        drawn = starts + (self._rounds.rng.random(len(items)) * counts).astype(np.int64)
        paired = counts > 0
        found = items.copy()
        found[paired] = self._partners.indices[drawn[paired]]
        return found


def partners(labels: Labels) -> Any:
    """The items that each item shares a label of two with, as CSR of shape (n, n)."""
    sets = labels.values.tocsc()
    pairs = np.flatnonzero(np.diff(sets.indptr) == 2)
    start = sets.indptr[pairs]
    one, other = sets.indices[start], sets.indices[start + 1]
    values = np.ones(2 * len(pairs), dtype=bool)
    ends = np.concatenate([one, other]), np.concatenate([other, one])
    return sp.csr_array((values, ends), shape=(len(labels), len(labels)))
