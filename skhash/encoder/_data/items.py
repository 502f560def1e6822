"""Items of a torch data set as its user gives them: each checked, in one layout."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from skhash.encoder._data.containers import (
    LARGEST,
    is_picture,
    picture_array,
    plain_tensor,
    read_array,
    refuse_loader,
)
from skhash.encoder._data.datasets import readable
from skhash.encoder._data.layouts import Layout, misfit
from skhash.networks import borrowed_generator

# As many values of a sample tell what it was drawn from.
_SAMPLED_VALUES = 1 << 15


class CheckedItems(Dataset):
    """Items of a data set, alone, as tensors in the layout that was fitted.

    Parameters
    ----------
    dataset : Dataset
        Gives items, alone or as the first of a pair.
    layout : Layout
        That of the fit.
    estimator : estimator
        Named in messages.
    sampled : set of int, default=()
        Items to keep as they come by, in `sample`.
    """

    def __init__(
        self, dataset: Dataset, layout: Layout, estimator: Any, sampled: Any = ()
    ) -> None:
        self.dataset = dataset
        self.layout = layout
        self.name = type(estimator).__name__
        self.sampled = sampled
        self.sample: list[Tensor] = []
        self._as_it_lies: tuple[int, ...] | None = None
        self._orders: dict[tuple[int, ...], tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Tensor:
        return self.read(self.dataset[index], index)

    def read(self, item: Any, index: int) -> Tensor:
        """Item `index` of the data set, checked."""
        x = item_tensor(alone(item), index)
        if x.shape != self._as_it_lies:
            shape = tuple(x.shape)
            order = self._order(shape, index)
            x = x.permute(order).reshape(self.layout.shape)
            if order == tuple(range(len(shape))) and shape == self.layout.shape:
                self._as_it_lies = shape
        if x.is_floating_point() and x.numel():
            low, high = x.float().aminmax() if x.itemsize < 4 else x.aminmax()
            if not (low.item() > -LARGEST and high.item() < LARGEST):
                raise ValueError(_not_finite(x, index))
        if index in self.sampled:
            self.sample.append(x)
        return x

    def _order(self, shape: tuple[int, ...], index: int) -> tuple[int, ...]:
        if shape not in self._orders:
            order = self.layout.order(shape, channels_last=False)
            # Grey ones have no channels to mix.
            grey = len(shape) == 2 or (len(shape) == 3 and 1 in (shape[0], shape[2]))
            if grey and self.layout == Layout((math.prod(shape),), False):
                order = tuple(range(len(shape)))
            if order is None:
                what = f"Item {index} of the data set"
                raise ValueError(misfit(self.name, shape, self.layout, what))
            self._orders[shape] = order
        return self._orders[shape]


class CheckedStream(IterableDataset):
    """The same for a data set that gives its items in a row."""

    def __init__(self, items: CheckedItems) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Tensor]:
        for index, item in enumerate(self.items.dataset):  # type: ignore[arg-type, var-annotated]
            yield self.items.read(item, index)


def check_length(X: Dataset, *, least: int) -> None:
    """Refuse a data set that has no length, or too few items."""
    if isinstance(X, DataLoader):  # torch says that it is none, but subclasses may
        refuse_loader(X)
    try:
        n = len(X)  # type: ignore[arg-type]
    except (TypeError, NotImplementedError):
        raise ValueError(
            f"The data set, a {type(X).__name__}, has no __len__: give it one, beside "
            "__getitem__."
        ) from None
    if n < least:
        are = "is" if least == 1 else "are"
        raise ValueError(f"The data set has {n} items; at least {least} {are} needed.")


def sample_rows(n: int, n_values: int) -> np.ndarray:
    """At most 128 of n items, evenly spaced; fewer, but 32, of large ones."""
    count = min(n, max(32, min(128, _SAMPLED_VALUES // n_values)))
    places = np.arange(count) * ((n - 1) / max(count - 1, 1))
    places[-1] = n - 1
    return places.astype(np.int64)


def check_data_set(X: Dataset, layout: Layout, estimator: Any) -> Dataset:
    """The items of a fitted encoder's data set, checked as they come."""
    if isinstance(X, IterableDataset):
        items = CheckedItems(X, layout, estimator)
        items.sampled = range(len(sample_rows(128, layout.n_values)))
        return CheckedStream(items)
    check_length(X, least=1)
    n = len(X)  # type: ignore[arg-type]
    sampled = sample_rows(n, layout.n_values)
    return CheckedItems(X, layout, estimator, set(sampled.tolist()))


def layout_of(X: Dataset, input_shape: Sequence[int] | None) -> Layout:
    """The layout of a data set's items, as `input_shape` or the first one tells."""
    with borrowed_generator(0):  # items may be augmented at random on their way
        shape = tuple(item_tensor(alone(X[0]), 0).shape)
    if not 1 <= len(shape) <= 3:
        raise ValueError(
            f"Items of the data set have shape {shape}, while (n_features,), (height, "
            "width) or (channels, height, width) is expected. A list or tuple is read "
            "as a pair of item and label: give items as arrays or tensors."
        )
    if input_shape is None or tuple(input_shape) == shape:
        return Layout.of(shape, channels_last=False)
    expected = Layout.of(input_shape, channels_last=True)
    if expected.order(shape, channels_last=False) is None:
        raise ValueError(
            f"input_shape={expected.shape} means {expected.n_values} values an item, "
            f"but items of the data set have shape {shape}."
        )
    return expected


def alone(item: Any) -> Any:
    """An item without its label."""
    return item[0] if isinstance(item, (tuple, list)) and len(item) else item


def item_tensor(x: Any, index: int) -> Tensor:
    """An item as a tensor of numbers."""
    name = f"Item {index} of the data set"
    if isinstance(x, Tensor):
        x = plain_tensor(x, name)
        x = x.to_dense() if x.layout != torch.strided else x
        if x.is_complex():
            raise ValueError(f"Complex data not supported: {name} is complex.")
        return x
    if isinstance(x, Mapping):
        raise ValueError(
            f"{name} is a {type(x).__name__} with the keys {list(x)}: give pairs of "
            "item and label, or items alone."
        )
    if x is None or isinstance(x, (str, bytes, os.PathLike)):
        raise ValueError(
            f"{name} is {x!r}: __getitem__ must read it and give an array or a tensor."
        )
    if is_picture(x):
        x = picture_array(x)
    x = np.asarray(read_array(x, name))
    if x.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} is a {type(x).__name__} of dtype {x.dtype}: give an array or a "
            "tensor of numbers."
        )
    x = readable(x)
    if not x.flags.writeable or any(stride < 0 for stride in x.strides):
        x = x.copy()  # torch shares memory with the array, and has no such strides
    return torch.from_numpy(x)


def _not_finite(x: Tensor, index: int) -> str:
    x = x.cpu()
    wrong = x[~(x.double().abs() < LARGEST)]
    value = wrong[0].item()
    found = "NaN" if math.isnan(value) else "infinity" if math.isinf(value) else value
    return (
        f"Item {index} of the data set contains {found} ({len(wrong)} of "
        f"{x.numel()} values): replace what is missing or beyond float32 in "
        "__getitem__, or leave the item out."
    )
