"""How far real codes are from the vertices of the cube, one number for each item."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def vertex_distance(z: Tensor) -> Tensor:
    """Squared distance of each item to its own code, ``|| z - sgn z ||^2``."""
    return (z.abs() - 1).square().sum(1)


def laplacian_prior(h: Tensor) -> Tensor:
    """Smooth form of ``|| |h| - 1 ||_1``: ``log cosh(|h| - 1)`` summed over bits."""
    return logcosh(h.abs() - 1).sum(1)


def logcosh(x: Tensor) -> Tensor:
    """log cosh x without overflow: ``|x| + log(1 + exp(-2|x|)) - log 2``."""
    magnitude = x.abs()
    return magnitude + torch.log1p(torch.exp(-2 * magnitude)) - math.log(2)
