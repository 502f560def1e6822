"""Directions of codes, and what stands in their place where codes have one bit."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def directions(z: Tensor) -> Tensor:
    """Rows of `z` scaled to unit length; ``tanh(z)`` for one bit.

    Parameters
    ----------
    z : Tensor of shape (n, n_bits)
        Real outputs of the network.

    Returns
    -------
    r : Tensor of shape (n, n_bits)
    """
    return z.tanh() if z.shape[1] == 1 else unit_rows(z)


def code_directions(h: Tensor) -> Tensor:
    """Rows of `h` scaled to unit length; `h` itself for one bit.

    A vector of one number has no direction but its sign, whose slope is 0: by it, a
    network would learn nothing.

    Parameters
    ----------
    h : Tensor of shape (n, n_bits)
        Relaxed codes in [-1, 1].

    Returns
    -------
    r : Tensor of shape (n, n_bits)
    """
    return h if h.shape[1] == 1 else unit_rows(h)


def unit_rows(x: Tensor) -> Tensor:
    """Rows of `x` scaled to unit length; rows of 0 stay."""
    return F.normalize(x, dim=1, eps=1e-12)
