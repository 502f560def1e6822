"""Labels as losses take them: tensors of all items, and of each batch."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skhash.hamming.labels import Labels


class StoredSets:
    """Sparse label sets, indexed like a tensor, that become one batch by batch.

    Parameters
    ----------
    labels : Labels
        The sets.
    """

    def __init__(self, labels: Labels) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Any) -> StoredSets:
        return StoredSets(self.labels.subset(np.asarray(index)))

    def tensor(self) -> Tensor:
        """The sets as a sparse CSR tensor of float32, shape (n, n_classes)."""
        _spend_notice()
        sets = self.labels.values
        places = (torch.from_numpy(part) for part in (sets.indptr, sets.indices))
        values = torch.ones(sets.nnz)
        return torch.sparse_csr_tensor(*places, values, sets.shape, **_UNCHECKED)


class StoredVectors:
    """Real vectors, indexed like a tensor, that become one batch by batch.

    Parameters
    ----------
    vectors : Vectors
        The vectors.
    index : object, default=slice(None)
        Which of them.
    """

    def __init__(self, vectors: Any, index: Any = None) -> None:
        self.vectors = vectors
        self.index = index

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, index: Any) -> StoredVectors:
        if isinstance(index, int):
            return StoredVectors(self.vectors, index)
        return StoredVectors(self.vectors.subset(np.asarray(index)))

    def tensor(self) -> Tensor:
        """The vectors as float32, shape (n, d), or a single one, shape (d,)."""
        index = slice(None) if self.index is None else self.index
        return torch.from_numpy(self.vectors.take(index))


# scipy keeps its invariants; torch wants to be told whether to look.
_UNCHECKED: dict[str, Any] = {"check_invariants": False, "dtype": torch.float32}


@cache
def _spend_notice() -> None:
    """Have torch say once, to no one, that its CSR tensors are new."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        nothing = torch.zeros(1, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
        torch.sparse_csr_tensor(*nothing, torch.zeros(0), (0, 1), **_UNCHECKED)


def stored(labels: Any) -> Tensor | StoredSets | StoredVectors:
    """What a data set keeps of encoded labels: the same memory, where that can be."""
    if labels.kind == "vectors":
        return StoredVectors(labels)
    if labels.sparse:
        return StoredSets(labels)
    return torch.from_numpy(np.require(labels.values, requirements=["C", "W"]))


def label_tensor(y: Tensor | StoredSets | StoredVectors) -> Tensor:
    """Labels as losses take them: int64 numbers, or 0/1 in float32, dense or CSR.

    Vectors are float32.
    """
    if isinstance(y, (StoredSets, StoredVectors)):
        return y.tensor()
    return y.float() if y.dtype == torch.bool else y
