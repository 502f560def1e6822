"""Which items come together in a batch, by what supervises a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skhash.encoder._auto import choose_balance
from skhash.encoder._data.datasets import EncodedDataset
from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._data.neighbors import (
    ItemByItem,
    NeighborSampler,
    neighbor_graph,
)
from skhash.encoder._data.pairs import PairSampler
from skhash.encoder._data.samplers import BalancedSampler, ShuffledSampler
from skhash.encoder._net import DeepHashNet
from skhash.encoder._supervision import batch_size_of
from skhash.warn import warn

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder


def set_sampler(
    net: DeepHashNet, encoder: DeepHashEncoder, data: TrainingData, seed: int
) -> None:
    """Batches of the items: shuffled, balanced, of whole pairs or of neighbours."""
    batch_size, balanced = batch_size_of(encoder), encoder.balanced_batches
    if data.kind == "vectors":
        sampler = neighbor_sampler(encoder, data, batch_size, seed)
        if isinstance(data.items, EncodedDataset):
            net.iterator_train__shuffle = False
            net.iterator_train__sampler = ItemByItem(sampler)
        net.sampler = sampler
        return
    if isinstance(data.items, EncodedDataset):
        # batch norm cannot learn from a single item
        net.iterator_train__drop_last = len(data.items) % batch_size == 1
        several = len(data.items) > batch_size
        if several and balanced == "auto" and data.labels.are_pairs:
            warn(
                "A data set loads its items in an order of its own: few pairs come as "
                "a whole in a batch. Give the items as an array to train on pairs."
            )
        return
    if balanced == "auto" and data.labels.are_pairs:
        net.sampler = PairSampler(data.labels, batch_size, seed)
        return
    n_items = choose_balance(balanced, net.criterion_, data.labels, batch_size)
    if n_items:
        net.sampler = BalancedSampler(data.labels, batch_size, n_items, seed)
    else:
        net.sampler = ShuffledSampler(len(data.items), batch_size, seed)


def neighbor_sampler(
    encoder: DeepHashEncoder, data: TrainingData, batch_size: int, seed: int
) -> NeighborSampler:
    """Batches of items with their neighbours; of all, where one batch holds them."""
    n, graph = len(data.items), None
    if n > batch_size:
        graph = neighbor_graph(data.labels, seed=seed, verbose=encoder.verbose)
    return NeighborSampler(n, batch_size, seed, graph)
