"""Items held out of a training: which ones, and how well they find the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from skhash.encoder._data.inputs import TrainingData
from skhash.encoder._net import DeepHashNet
from skhash.hamming import pack
from skhash.metrics import mean_average_precision, recall_at_k
from skhash.vectors import neighbor_matrix

if TYPE_CHECKING:
    from skhash.encoder._encoder import DeepHashEncoder

# Neighbours of held-out vectors that their codes should find, and how many vectors are
# looked at: more would take longer than the graph of all, and tell little more.
_K, _MOST = 10, 2000


def split(
    encoder: DeepHashEncoder, data: TrainingData, seed: int
) -> tuple[TrainingData, TrainingData]:
    """The part to train on, and the part to validate on."""
    n = len(data.items)
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    first = np.zeros(n, dtype=bool)
    if data.kind == "classes":
        labels = data.labels.values
        order = order[np.argsort(labels[order], kind="stable")]
        # One item of each class stays: a class unseen in training says nothing.
        first = np.diff(labels[order], prepend=-1) != 0
    spare = order[~first]
    count = min(max(1, round(n * encoder.validation_fraction)), len(spare), n - 2)
    if count < 1:
        raise ValueError(
            "early_stopping=True holds items out, but there are too few of them: each "
            "class has a single one, or there are two items. Give more items or use "
            "early_stopping=False."
        )
    # Evenly spaced in the order of the classes: stratified, whatever their sizes.
    places = (np.arange(count) + rng.random()) * len(spare) / count
    held_out = spare[places.astype(int)]
    kept = np.setdiff1d(order, held_out)
    return data.subset(kept), data.subset(held_out)


def encode(net: DeepHashNet, data: TrainingData) -> np.ndarray:
    """Packed codes of the items, never all their real outputs at once."""
    return np.concatenate([pack(z > 0) for z in net.encode(data.items)])


def retrieval_score(
    train: TrainingData, valid: TrainingData
) -> Callable[[DeepHashNet], float]:
    """Tie-aware mean average precision of the validation part against the rest.

    Of vectors, the share of their 10 nearest that are among the 10 nearest codes.
    """
    if train.kind == "vectors":
        if len(valid.items) > _MOST:
            valid = valid.subset(np.arange(_MOST) * len(valid.items) // _MOST)
        truth = neighbor_matrix(valid.labels.array(), train.labels.array(), _K)

        def recall(net: DeepHashNet) -> float:
            queries, database = encode(net, valid), encode(net, train)
            return recall_at_k(queries, database, k=_K, relevance=truth)

        return recall

    def score(net: DeepHashNet) -> float:
        queries, database = encode(net, valid), encode(net, train)
        return mean_average_precision(queries, database, valid.labels, train.labels)

    return score
