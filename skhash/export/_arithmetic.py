"""The arithmetic of numpy, as layers that torch can trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """A layer whose arrays and numbers are given by name."""

    def __init__(self, **given: Any) -> None:
        super().__init__()
        for name, value in given.items():
            if isinstance(value, np.ndarray):
                self.register_buffer(name, torch.from_numpy(np.array(value)))
            else:
                setattr(self, name, value)


class Floats(Layer):
    """Integers become float64, as in scikit-learn; other numbers stay what they are."""

    def forward(self, x: Tensor) -> Tensor:
        """The same values."""
        return x if x.is_floating_point() else x.double()


class InPlace(Layer):
    """``x *= value`` and its like: computed in the wider dtype, kept in that of x.

    With `cast`, the value is rounded to the dtype of x first.
    """

    value: Tensor
    operation: Callable[[Tensor, Tensor], Tensor]
    cast: bool

    def __init__(
        self,
        operation: Callable[[Tensor, Tensor], Tensor],
        value: np.ndarray,
        *,
        cast: bool = False,
    ) -> None:
        super().__init__(operation=operation, value=np.asarray(value), cast=cast)

    def forward(self, x: Tensor) -> Tensor:
        """A value for each of x, in the dtype of x."""
        value = self.value.to(x.dtype) if self.cast else self.value
        return self.operation(x, value).to(x.dtype)


class Clip(Layer):
    """Values between two bounds, `low` and `high`."""

    low: float
    high: float

    def forward(self, x: Tensor) -> Tensor:
        """Values of x, those beyond a bound at the bound."""
        return x.clamp(self.low, self.high)


class UnitRows(Layer):
    """Rows divided by their `norm`: "l1", "l2" or "max"."""

    norm: str

    def forward(self, x: Tensor) -> Tensor:
        """Rows of x of norm 1; rows of next to nothing stay as they are."""
        if self.norm == "l2":
            norms = (x * x).sum(1, keepdim=True).sqrt()
        elif self.norm == "l1":
            norms = x.abs().sum(1, keepdim=True)
        else:
            norms = x.abs().amax(1, keepdim=True)
        smallest = 10 * torch.finfo(x.dtype).eps  # as in scikit-learn
        return x / torch.where(norms < smallest, 1.0, norms)


class Fill(Layer):
    """Columns with their missing values filled in.

    Parameters
    ----------
    missing : float
        What marks a missing value; NaN marks itself.
    values : ndarray of shape (n_features,)
        What to fill in.
    columns : ndarray of shape (n_kept,), int64
        The columns that are kept.
    flagged : ndarray of shape (n_flagged,), int64
        Columns of which it is told, behind the others, whether they were missing.
    """

    missing: float
    values: Tensor
    columns: Tensor
    flagged: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Kept columns, then a column of 0 and 1 for each that is flagged."""
        if np.isnan(self.missing):
            absent = x != x if x.is_floating_point() else torch.zeros_like(x).bool()
        else:
            absent = x == self.missing
        filled = torch.where(absent, self.values.to(x.dtype), x)
        flags = absent[:, self.flagged].to(x.dtype)
        return torch.cat([filled[:, self.columns], flags], dim=1)


class Project(Layer):
    """A product with a matrix, in the wider dtype of the two."""

    matrix: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """``x @ matrix``, shape (n, n_columns)."""
        dtype = torch.promote_types(x.dtype, self.matrix.dtype)
        return x.to(dtype) @ self.matrix.to(dtype)


class Waves(Layer):
    """``sin(pi / 2 + frequency * x[direction])`` for each pair of these."""

    frequencies: Tensor
    directions: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, n_frequencies)."""
        return torch.sin(torch.pi / 2 + self.frequencies * x[:, self.directions])
