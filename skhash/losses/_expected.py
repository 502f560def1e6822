"""Expected exponential of a code product over random bits, in n x n memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

# Values of a (group, n, n) product of bits that stays in the processor's cache.
GROUP_SIZE = 2**17


def expected_exponential(h: Tensor, sign: Tensor, gamma: float) -> Tensor:
    """``prod_k [cosh(gamma) - sign_ij h_ik h_jk sinh(gamma)]`` for all pairs.

    The expectation of ``exp(-gamma sign_ij <b_i, b_j>)`` over independent bits of +1
    and -1 with means h. `sign` is +1 for similar and -1 for dissimilar pairs. The
    memory kept for the gradient does not grow with the number of bits.
    """
    return _ExpectedExponential.apply(h, sign, gamma)


class _ExpectedExponential(torch.autograd.Function):
    @staticmethod
    def forward(h: Tensor, sign: Tensor, gamma: float) -> Tensor:
        product = torch.ones_like(sign)
        for _, factors in _factors(h, sign, gamma):
            product *= factors.prod(0)
        return product

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        h, sign, ctx.gamma = inputs
        ctx.save_for_backward(h, sign, output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        h, sign, product = ctx.saved_tensors
        # Each code belongs to a row and to a column of pairs.
        outer = (grads[0] + grads[0].T) * product * sign * -math.sinh(ctx.gamma)
        slopes = [
            (outer / factors @ bits[:, :, None]).squeeze(2)
            for bits, factors in _factors(h, sign, ctx.gamma)
        ]
        return torch.cat(slopes).T, None, None


def _factors(h: Tensor, sign: Tensor, gamma: float) -> Iterator[tuple[Tensor, Tensor]]:
    """Groups of bits, shape (group, n), and their factors, shape (group, n, n)."""
    scale, shrink = math.exp(gamma) / 2, math.exp(-2 * gamma)
    group = max(1, GROUP_SIZE // max(1, sign.numel()))
    for bits in h.T.contiguous().split(group):
        agreement = bits[:, :, None] * bits[:, None, :] * sign
        # cosh - agreement * sinh would lose digits where bits agree.
        yield bits, scale * ((1 - agreement) + shrink * (1 + agreement))
