"""Data sets of a training: items, with their labels and weights, by number."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from skhash.encoder._labels import StoredSets, label_tensor

# What torch reads as it lies; other real types pass through one that holds them.
_TORCH_DTYPES = {
    np.dtype(name)
    for name in (
        "bool",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "float32",
        "float64",
    )
}
_HELD_BY = {("u", 2): np.float32, ("u", 4): np.int64}


def readable(values: np.ndarray) -> np.ndarray:
    """An array of real numbers in a dtype that torch knows, without loss."""
    if values.dtype in _TORCH_DTYPES:
        return values
    native = values.dtype.newbyteorder("=")
    if native not in _TORCH_DTYPES:  # uint16, uint32, uint64, long double
        native = _HELD_BY.get((native.kind, native.itemsize), np.dtype(np.float64))
    return values.astype(native)


class ArrayDataset(Dataset):
    """Items of an array (or CSR matrix) that stays as it lies in memory or on disk.

    Parameters
    ----------
    X : ndarray of shape (n, ...) or CSR matrix of shape (n, n_features)
        The items; any real dtype, writable or not.
    y : Tensor of shape (n,) or (n, n_classes) or StoredSets, default=None
        Their labels.
    sample_weight : Tensor of shape (n,), default=None
        Their weights.
    index : ndarray of int, default=None
        Rows of X that are the items (with their labels and weights), see `subset`.
    lies : tuple of int, default=None
        Shape of an item in X, where its axes come out in another order.
    order : tuple of int, default=None
        That order.
    """

    def __init__(
        self,
        X: Any,
        y: Tensor | StoredSets | None = None,
        sample_weight: Tensor | None = None,
        index: np.ndarray | None = None,
        *,
        lies: tuple[int, ...] | None = None,
        order: tuple[int, ...] | None = None,
    ) -> None:
        self.X = X
        self.y = y
        self.sample_weight = sample_weight
        self.index = index
        self.lies = lies
        self.order = order

    def __len__(self) -> int:
        return self.X.shape[0] if self.index is None else len(self.index)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        x, *rest = self.gather(np.array([index]))
        return (x[0], *(part[0] for part in rest if part is not None))

    def subset(self, index: np.ndarray) -> ArrayDataset:
        """Some of the items, without a copy of any."""
        y, weight = self.y, self.sample_weight
        return ArrayDataset(
            self.X,
            None if y is None else y[index],
            None if weight is None else weight[index],
            index if self.index is None else self.index[index],
            lies=self.lies,
            order=self.order,
        )

    def raw(self, index: Any) -> Any:
        """Rows `index` (integers or a slice) of X in their own dtype."""
        rows = self.X[index if self.index is None else self.index[index]]
        if self.lies is None or self.order is None:
            return rows
        axes = (0, *(axis + 1 for axis in self.order))
        return rows.reshape(-1, *self.lies).transpose(axes).reshape(len(rows), -1)

    def rows(self, index: Any, *, share: bool = False) -> Tensor:
        """Items `index` (integers or a slice) as a tensor, of their own or shared.

        A shared one may lie in the memory of X: whoever asks for it writes nothing.
        """
        rows = self.raw(index)
        if not isinstance(rows, np.ndarray):
            rows = rows.toarray()
        own = rows.base is None and rows.flags.writeable
        # Torch warns of read-only arrays, and has no negative strides.
        shared = share and rows.flags.writeable and rows.flags.c_contiguous
        shared = shared and min(rows.strides) >= 0  # -4 even where there is one row
        if rows.dtype not in _TORCH_DTYPES:
            rows = readable(rows)
        elif not own and not shared:
            rows = rows.copy()
        return torch.from_numpy(rows)

    def gather(self, index: np.ndarray) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Items, labels and weights of a batch."""
        y, weight = self.y, self.sample_weight
        chosen = torch.from_numpy(index)
        return (
            self.rows(index),
            None if y is None else label_tensor(y[chosen]),
            None if weight is None else weight[chosen],
        )

    @property
    def targets(self) -> Tensor:
        """Labels of all items, as losses take them."""
        return label_tensor(self.y)


class EncodedDataset(Dataset):
    """A user's data set of (item, label) pairs, its labels encoded.

    Parameters
    ----------
    dataset : Dataset
        Gives items, alone or as the first of a pair.
    y : Tensor of shape (n,) or (n, n_classes) or StoredSets
        The encoded labels. In place of stored sets, an item comes with its number.
    sample_weight : Tensor of shape (n,), default=None
        The weights.
    """

    def __init__(
        self,
        dataset: Dataset,
        y: Tensor | StoredSets,
        sample_weight: Tensor | None = None,
    ) -> None:
        self.dataset = dataset
        self.y = y
        self.sample_weight = sample_weight

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        item = self.dataset[index]
        x = item[0] if isinstance(item, (tuple, list)) else item
        y = index if isinstance(self.y, StoredSets) else label_tensor(self.y[index])
        if self.sample_weight is None:
            return x, y
        return x, y, self.sample_weight[index]

    @property
    def targets(self) -> Tensor:
        """Labels of all items, as losses take them."""
        return label_tensor(self.y)

    def subset(self, index: np.ndarray) -> EncodedDataset:
        """Some of the items."""
        weight = self.sample_weight
        return EncodedDataset(
            Subset(self.dataset, index.tolist()),
            self.y[index],
            None if weight is None else weight[index],
        )
