"""What a loss is given: batches are checked, and brought to one form for every family.

The checks look at shapes and dtypes, and never at values on a GPU, so no training step
waits for one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

# Losses compute in the precision of z, but never below single precision.
_PRECISE = (torch.float32, torch.float64)


def precise(z: Tensor) -> Tensor:
    """`z` in float32, or in float64 if it is: squares and sums overflow in float16."""
    if z.dtype in _PRECISE:
        return z
    if z.dtype == torch.bool or z.is_complex():
        raise ValueError(
            f"z must be the real outputs of the network, but has dtype {z.dtype}. "
            "Make them from bits with torch.where(bits, 1.0, -1.0)."
        )
    return z.float()


def full_precision(device: str) -> contextlib.AbstractContextManager[Any]:
    """A context without autocast, which would round to half precision again."""
    known = torch.amp.is_autocast_available(device)
    if known and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()


def as_labels(y: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Labels as losses take them: int64 class numbers, or a 0/1 matrix of `dtype`."""
    if y.ndim == 2 and not y.is_complex():
        return y.to(dtype)
    if y.ndim != 1:
        raise ValueError(
            f"y must hold class numbers, shape (n,), or a 0/1 matrix, shape (n, "
            f"n_classes), but has shape {tuple(y.shape)} and dtype {y.dtype}."
        )
    if y.is_floating_point() or y.is_complex():
        raise ValueError(
            f"Class numbers must be integers, but y has dtype {y.dtype}: give y.long()."
        )
    return y.long()


def as_vectors(y: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Vectors as losses take them: a dense matrix of `dtype`, a row an item."""
    if y.ndim != 2 or not y.shape[1] or y.is_complex() or y.layout != torch.strided:
        raise ValueError(
            "y must hold a real vector for each item, shape (n, d) with d >= 1, but "
            f"has shape {tuple(y.shape)} and dtype {y.dtype}. Labels are for losses "
            'whose supervision is "labels".'
        )
    return y.to(dtype)


def check_vectors(y: Tensor) -> None:
    """Refuse vectors that are missing or infinite, or are so in float32."""
    if not bool(y.isfinite().all()):
        raise ValueError(
            "y holds vectors with NaN, infinity, or numbers too large for float32: "
            "leave these items out, or scale y."
        )


def is_sparse(y: Tensor) -> bool:
    """Whether labels are sets in a sparse CSR tensor."""
    return y.layout == torch.sparse_csr


def rows_of(y: Tensor) -> Tensor:
    """The row of each stored value of a sparse CSR tensor."""
    starts = y.crow_indices()
    return torch.repeat_interleave(torch.arange(len(y), device=y.device), starts.diff())


def occurring_columns(y: Tensor) -> Tensor:
    """The columns of a sparse CSR tensor that hold anything, in order, dense."""
    columns, place = torch.unique(y.col_indices(), return_inverse=True)
    narrow = y.values().new_zeros(len(y), len(columns))
    narrow[rows_of(y), place] = y.values()
    return narrow


def check_labels(y: Tensor) -> None:
    """Refuse training labels below 0, or a matrix of anything but 0 and 1."""
    if is_sparse(y):
        y = y.values()[:, None]
    if y.ndim == 1:
        if len(y) and (lowest := int(y.min())) < 0:
            raise ValueError(
                f"Class numbers start at 0, but y holds {lowest}: number the classes "
                "with torch.unique(y, return_inverse=True)[1]."
            )
    elif (other := y[(y != 0) & (y != 1)]).numel():
        raise ValueError(
            f"A label matrix holds 0 and 1 only, but y holds {float(other[0]):g}: give "
            "e.g. (y > 0).float() where all positive numbers mean a label."
        )


def check_class_numbers(y: Tensor, n_classes: int) -> None:
    """Refuse labels of classes that the loss was not set up for.

    Numbers on a GPU are not looked at: torch itself stops at those that are too large.
    """
    if y.ndim == 2:
        wrong = f"{y.shape[1]} columns" if y.shape[1] != n_classes else ""
    elif y.device.type != "cpu" or not len(y) or torch.compiler.is_compiling():
        return
    else:
        low, high = (int(end) for end in y.aminmax())
        far = low if low < 0 else high
        wrong = f"class {far}" if low < 0 or high >= n_classes else ""
    if wrong:
        raise ValueError(
            f"The loss is set up for {n_classes} classes, numbered from 0, but y has "
            f"{wrong}: show setup(n_bits, y) the labels of all classes."
        )


def check_outputs(z: Tensor, n_bits: int | None, name: str) -> None:
    """Refuse z that is not a matrix of `n_bits` columns (None: of any width)."""
    if z.ndim == 2 and n_bits in (None, z.shape[1]):
        return
    width = "n_bits" if n_bits is None else n_bits
    advice = ""
    if z.ndim == 2:
        advice = f", or call setup({z.shape[1]}, y) before"
    raise ValueError(
        f"{name} takes z of shape (n, {width}), but got {tuple(z.shape)}: give the "
        f"outputs of the hash layer, one row per item{advice}."
    )


def check_batch(z: Tensor, y: Tensor, sample_weight: object) -> None:
    """Refuse labels or weights whose number of items is not that of `z`."""
    if len(y) != len(z):
        raise ValueError(f"z has {len(z)} items, but y has {len(y)}.")
    if isinstance(sample_weight, Tensor) and sample_weight.shape != (len(z),):
        raise ValueError(
            f"sample_weight must have shape ({len(z)},), one weight per item, but has "
            f"{tuple(sample_weight.shape)}."
        )


def check_columns(y: Tensor, n_columns: int | None) -> None:
    """Refuse a label matrix whose width is not that of the one given to `setup`.

    `n_columns` is None if `setup` was given class numbers.
    """
    if y.ndim == 1 or y.shape[1] == n_columns:
        return
    if n_columns is not None:
        raise ValueError(
            f"y has {y.shape[1]} columns, but setup saw y with {n_columns}."
        )
    if y.shape[1] == 1:
        raise ValueError(
            f"y has shape {tuple(y.shape)}, but setup saw class numbers of shape (n,): "
            "give y[:, 0]."
        )


def zero_of(z: Tensor, parameters: Iterable[Tensor]) -> Tensor:
    """The loss of no items: 0, with zero gradient for `z` and the parameters."""
    # Sums over no values: NaN and infinity leave no trace.
    nothing = [p.flatten()[:0].sum().to(z.dtype) for p in (z, *parameters)]
    return torch.stack(nothing).sum()


def detached(term: Tensor) -> Tensor:
    """`term` without its graph, and without the wrapper that torch.func gives it.

    An object that kept the wrapper could never be copied or pickled.
    """
    term = term.detach()
    # Versions of torch before 2.7 have no public way to unwrap.
    if torch.compiler.is_compiling() or not hasattr(torch.func, "debug_unwrap"):
        return term
    return torch.func.debug_unwrap(term)
