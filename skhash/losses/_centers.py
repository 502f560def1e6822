"""Class centres: where they start, and how they follow the class means."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from skhash.losses._batches import (
    as_labels,
    check_class_numbers,
    is_sparse,
    precise,
    rows_of,
)
from skhash.losses._vertices import far_vertices, hadamard_vertices

# Labels of sparse sets whose items are summed at a time.
CHUNK_SIZE = 1 << 18

CenterInit = Literal["hadamard", "far", "normal", "forward"]


def first_centers(
    init: CenterInit,
    n_classes: int,
    n_bits: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Centres before training, shape (n_classes, n_bits).

    "forward" gives zeros, to be replaced by the class means of the untrained network.
    """
    if init == "hadamard":
        return hadamard_vertices(n_classes, n_bits, generator)
    if init == "far":
        return far_vertices(n_classes, n_bits, generator)
    if init == "normal":
        return torch.randn(n_classes, n_bits, generator=generator)
    return torch.zeros(n_classes, n_bits)


def sum_by_class(
    z: Tensor, y: Tensor, n_classes: int, sample_weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Weighted sum of the items of each class, and the total weight of each class.

    An item with several labels belongs to each of its classes.
    """
    z = precise(z)
    y = as_labels(y, z.dtype)
    check_class_numbers(y, n_classes)
    weight = z.new_ones(len(z)) if sample_weight is None else sample_weight.to(z)
    weighted = z if sample_weight is None else weight[:, None] * z
    if is_sparse(y):
        return _sparse_sums(weighted, weight, y)
    if y.ndim == 2:
        return y.T @ weighted, y.T @ weight
    sums = z.new_zeros(n_classes, z.shape[1]).index_add_(0, y, weighted)
    return sums, z.new_zeros(n_classes).index_add_(0, y, weight)


def _sparse_sums(weighted: Tensor, weight: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The sums of `sum_by_class` for label sets in a sparse CSR tensor."""
    sums = weighted.new_zeros(y.shape[1], weighted.shape[1])
    masses = weight.new_zeros(y.shape[1])
    pairs = zip(
        rows_of(y).split(CHUNK_SIZE), y.col_indices().split(CHUNK_SIZE), strict=True
    )
    for rows, columns in pairs:
        sums.index_add_(0, columns, weighted[rows])
        masses.index_add_(0, columns, weight[rows])
    return sums, masses


def share_of_old(ema: float | Literal["auto"], n_classes: int, n_bits: int) -> float:
    """Share of the old centre in the new one; "auto" looks at the number of classes."""
    if ema == "auto":
        # With more classes than bits, the means of classes that are still confused lie
        # close together and would pull the centres along.
        return 0.9 if n_classes > n_bits else 0.5
    return float(ema)


def mixed(
    old: Tensor, new: Tensor, ema: float, estimated: Tensor, seen: Tensor
) -> Tensor:
    """Centres after a re-estimation: ``ema * old + (1 - ema) * new``.

    A centre not yet `estimated` becomes the mean; one of a class not `seen` stays.
    """
    share = ema * estimated.to(old)[:, None]
    return torch.where(seen[:, None], share * old + (1 - share) * new, old)


def concentration_reaching(probability: float, n_classes: int) -> float:
    """Scale kappa of cosine scores for which a class can reach a posterior probability.

    With unit centres in a regular simplex (cosines ``-1 / (C - 1)``) the largest
    posterior is ``1 / (1 + (C - 1) exp(-kappa C / (C - 1)))``. One class counts as two.
    """
    others = max(n_classes, 2) - 1
    odds = probability / (1 - probability)
    return others / (others + 1) * math.log(odds * others)
