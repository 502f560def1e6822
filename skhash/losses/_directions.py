"""Directions of codes, and what takes their place where codes have a single bit."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def directions(z: Tensor) -> Tensor:
    """Rows of `z` scaled to unit length; ``tanh(z)`` for one bit."""
    return z.tanh() if z.shape[1] == 1 else unit_rows(z)


def code_directions(h: Tensor) -> Tensor:
    """Rows of `h`, in [-1, 1], scaled to unit length; `h` itself for one bit.

    The direction of a single number is its sign, whose slope is 0: a network could not
    learn from it.
    """
    return h if h.shape[1] == 1 else unit_rows(h)


def unit_rows(x: Tensor) -> Tensor:
    """Rows of `x` scaled to unit length; rows of zeros stay."""
    return F.normalize(x, dim=1, eps=1e-12)
