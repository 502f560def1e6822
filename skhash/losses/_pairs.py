"""What the pairwise families share: which pairs are similar, and how they average."""

from __future__ import annotations

import torch
from torch import Tensor


def similarity(y: Tensor) -> Tensor:
    """Which pairs of a batch share a label, bool of shape (n, n)."""
    if y.ndim == 1:
        return y[:, None] == y[None, :]
    return y @ y.T > 0


def jaccard(y: Tensor) -> Tensor:
    """Labels that each pair shares, over labels of either, shape (n, n).

    In [0, 1], and 0 for two items without labels.
    """
    if y.ndim == 1:
        return similarity(y).to(torch.get_default_dtype())
    shared = y @ y.T
    counts = y.sum(1)
    either = counts[:, None] + counts[None, :] - shared
    return shared / either.clamp_min(1)


def pair_weights(n: int, sample_weight: Tensor | None, like: Tensor) -> Tensor:
    """Weights of ordered pairs, shape (n, n): w_i w_j and 0 for an item with itself."""
    if sample_weight is None:
        weights = torch.ones(n, n, dtype=like.dtype, device=like.device)
    else:
        w = sample_weight.to(like)
        weights = w[:, None] * w[None, :]
    return weights.fill_diagonal_(0)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of values under weights, same shape; 0, with zero gradient, if all are 0."""
    total = weights.sum()
    return (values * weights).sum() / torch.where(total > 0, total, 1)


def pair_mean(
    losses: Tensor,
    similar: Tensor,
    sample_weight: Tensor | None = None,
    *,
    balance: bool,
) -> Tensor:
    """Mean of a pair loss over the ordered pairs of different items.

    With `balance`, the mean over similar plus the mean over dissimilar pairs; a kind
    that does not occur adds 0.
    """
    weights = pair_weights(len(losses), sample_weight, losses)
    if not balance:
        return weighted_mean(losses, weights)
    same = weights * similar
    apart = weights - same
    # Both means as one sum: fewer matrices of all pairs to go back through.
    return (losses * (_share(same) + _share(apart))).sum()


def _share(weights: Tensor) -> Tensor:
    """Weights scaled to a sum of 1, unless all are 0."""
    total = weights.sum()
    return weights / torch.where(total > 0, total, 1)


def item_mean(values: Tensor, sample_weight: Tensor | None = None) -> Tensor:
    """Mean over the items of a batch of one value for each item."""
    if sample_weight is None:
        return values.mean()
    return weighted_mean(values, sample_weight.to(values))
