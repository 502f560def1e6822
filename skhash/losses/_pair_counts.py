"""How common similar pairs are in a whole training set, counted or estimated."""

from __future__ import annotations

import torch
from scipy.sparse import csr_array
from torch import Tensor

from skhash.losses._batches import as_labels, is_sparse, occurring_columns

# Multiplications up to which similar pairs are counted one and all: some seconds.
EXACT_WORK = 2**40
# Values of sparse label sets that may be made dense to count exactly.
DENSE_VALUES = 2**24
# Pairs that are drawn where counting them all takes too long, and at a time.
N_DRAWN = 2**20
CHUNK_SIZE = 2**15


def pairs_per_similar(
    y: Tensor,
    sample_weight: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> float:
    """Weight of all ordered pairs i != j over that of the similar ones; 1 if there are
    none. Of large label sets estimated from drawn pairs.
    """
    weight = torch.ones(len(y)) if sample_weight is None else sample_weight
    weight = weight.double()
    if is_sparse(y) and len(y) * len(torch.unique(y.col_indices())) <= DENSE_VALUES:
        y = occurring_columns(y)
    if is_sparse(y) or (y.ndim == 2 and _is_long(y)):
        pairs, similar = _drawn_pairs(y, weight, generator)
    else:
        pairs = float(weight.sum() ** 2 - (weight**2).sum())
        similar = count_similar_pairs(y, sample_weight)
    return pairs / similar if similar > 0 else 1.0


def _is_long(y: Tensor) -> bool:
    """Whether comparing all distinct rows of a label matrix takes too long."""
    if len(y) ** 2 * y.shape[1] <= EXACT_WORK:
        return False
    return len(torch.unique(y, dim=0)) ** 2 * y.shape[1] > EXACT_WORK


def _drawn_pairs(
    y: Tensor, weight: Tensor, generator: torch.Generator | None
) -> tuple[float, float]:
    """Weight of drawn pairs of different items, and of the similar ones of them."""
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    first = torch.randint(len(y), (N_DRAWN,), generator=generator)
    away = torch.randint(1, len(y), (N_DRAWN,), generator=generator)
    second = (first + away) % len(y)
    sets = _csr_array(y)
    weights = (weight[first] * weight[second]).numpy()
    similar = 0.0
    for start in range(0, N_DRAWN, CHUNK_SIZE):
        chunk = slice(start, start + CHUNK_SIZE)
        shared = sets[first[chunk].numpy()].multiply(sets[second[chunk].numpy()])
        similar += float(weights[chunk] @ (shared.sum(axis=1) > 0))
    return float(weights.sum()), similar


def _csr_array(y: Tensor) -> csr_array:
    """A dense or sparse label matrix as scipy's CSR."""
    y = y.cpu()
    if not is_sparse(y):
        return csr_array(y.numpy())
    parts = (y.values().numpy(), y.col_indices().numpy(), y.crow_indices().numpy())
    return csr_array(parts, shape=tuple(y.shape))


def count_similar_pairs(y: Tensor, sample_weight: Tensor | None = None) -> float:
    """Total weight of the ordered similar pairs i != j of a whole training set.

    Computed from the distinct label sets, so that no n x n matrix is built.
    """
    y = as_labels(y)
    weight = torch.ones(len(y)) if sample_weight is None else sample_weight
    weight = weight.to(device=y.device, dtype=torch.float64)
    labels, group = torch.unique(y, dim=0, return_inverse=True)
    mass = torch.zeros(len(labels), dtype=torch.float64, device=y.device)
    mass.index_add_(0, group, weight)
    if y.ndim == 1:
        with_self = (mass**2).sum()
        self_pairs = (weight**2).sum()
    else:
        with_self = mass.new_zeros(())
        for rows in range(0, len(labels), 1024):
            block = labels[rows : rows + 1024]
            related = (block @ labels.T > 0).to(torch.float64)
            with_self += mass[rows : rows + 1024] @ related @ mass
        self_pairs = (weight**2 * (y.sum(1) > 0)).sum()
    return float(with_self - self_pairs)
