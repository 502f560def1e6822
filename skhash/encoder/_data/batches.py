"""Batches of data sets: gathered from arrays, or brought by a loader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from skhash.encoder._auto import batch_bounds
from skhash.encoder._data.datasets import ArrayDataset, EncodedDataset
from skhash.encoder._data.samplers import BalancedSampler, ShuffledSampler
from skhash.encoder._labels import StoredSets

# How a DataLoader loads; what, and in what order, is for others to say.
LOADING = {
    "num_workers",
    "prefetch_factor",
    "timeout",
    "multiprocessing_context",
    "worker_init_fn",
}


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
