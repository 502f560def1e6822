"""Codes for classes, far apart, chosen before any training takes place."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from skhash.warn import warn

TargetChoice = Literal["hadamard", "far", "balanced", "random"]


def hadamard_vertices(
    n_classes: int, n_bits: int, generator: torch.Generator | None = None
) -> Tensor:
    """One code for each class, made of rows of Hadamard matrices.

    Two rows of a Hadamard matrix differ in half of their places. Classes are rows
    drawn from the smallest matrix that has enough of them, without its constant
    column; where codes are longer, several such blocks stand side by side. Of up to 200
    draws, the one with the largest minimum distance is taken. No bit is the same for
    all classes, and two classes get opposite codes. All codes differ if
    ``2 ** n_bits >= n_classes``.
    """
    order = 1 << max(1, (n_classes - 1).bit_length())
    if n_bits & (n_bits - 1) == 0 and n_bits < n_classes <= 2 * n_bits:
        # Rows of [H; -H] keep half of the bits between any two of them.
        rows = torch.randperm(2 * n_bits, generator=generator)[:n_classes]
        codes = _hadamard(rows % n_bits, torch.arange(n_bits))
        return codes * torch.where(rows < n_bits, 1.0, -1.0)[:, None]
    # Draws are compared in one go; those of whole blocks are equally good.
    size = n_classes * max(n_classes, n_bits)
    n_draws = 1 if n_bits % (order - 1) == 0 else max(1, min(200, 1_000_000 // size))
    draws = _draw_blocks(n_draws, n_classes, n_bits, order, generator)
    inner = draws @ draws.mT
    inner.diagonal(dim1=1, dim2=2).fill_(-n_bits)
    return draws[inner.amax((1, 2)).argmin()]


def _draw_blocks(
    n_draws: int,
    n_classes: int,
    n_bits: int,
    order: int,
    generator: torch.Generator | None,
) -> Tensor:
    """Draws of codes made of blocks, shape (n_draws, n_classes, n_bits)."""
    blocks = []
    for start in range(0, n_bits, order - 1):
        width = min(order - 1, n_bits - start)
        rows = _draw(n_draws, order, generator)[:, :n_classes]
        columns = 1 + _draw(n_draws, order - 1, generator)[:, :width]
        flips = torch.randint(0, 2, (n_draws, 1, width), generator=generator)
        blocks.append(_hadamard(rows, columns) * (1 - 2 * flips))
    return torch.cat(blocks, 2)


def _draw(n_draws: int, n: int, generator: torch.Generator | None) -> Tensor:
    """Random orders of n numbers, shape (n_draws, n)."""
    return torch.rand(n_draws, n, generator=generator).argsort(1)


def _hadamard(rows: Tensor, columns: Tensor) -> Tensor:
    """Entries of Sylvester's matrix: the sign is the parity of ``row & column``."""
    parity = rows[..., :, None] & columns[..., None, :]
    n_digits = max(int(rows.max()), int(columns.max()), 1).bit_length()
    shift = (1 << (n_digits - 1).bit_length()) >> 1
    while shift:
        parity = parity ^ (parity >> shift)
        shift //= 2
    return (1 - 2 * (parity & 1)).to(torch.get_default_dtype())


def far_vertices(
    n_classes: int,
    n_bits: int,
    generator: torch.Generator | None = None,
    n_candidates: int = 256,
) -> Tensor:
    """One random code for each class, each the best of `n_candidates`.

    The best is the one farthest from its nearest neighbour among the codes chosen so
    far.
    """
    codes = random_vertices(1, n_bits, generator)
    for _ in range(n_classes - 1):
        candidates = random_vertices(n_candidates, n_bits, generator)
        nearest = (candidates @ codes.T).amax(1)
        codes = torch.cat([codes, candidates[nearest.argmin()][None]])
    return codes


def random_vertices(
    n_classes: int, n_bits: int, generator: torch.Generator | None = None
) -> Tensor:
    """One code of independent random bits, +1 or -1, for each class."""
    bits = torch.randint(0, 2, (n_classes, n_bits), generator=generator)
    return (2 * bits - 1).to(torch.get_default_dtype())


def balanced_vertices(
    n_classes: int, n_bits: int, generator: torch.Generator | None = None
) -> Tensor:
    """One random code for each class, with half of its bits +1 (rounded down)."""
    ranks = torch.rand(n_classes, n_bits, generator=generator).argsort(1)
    return torch.where(ranks < n_bits // 2, 1.0, -1.0)


def target_codes(
    choice: TargetChoice,
    n_classes: int,
    n_bits: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Codes of +1 and -1 that a family gives its classes to aim at.

    Warns if classes share a code although there are enough codes for all.
    """
    makers = {
        "hadamard": hadamard_vertices,
        "far": far_vertices,
        "balanced": balanced_vertices,
        "random": random_vertices,
    }
    codes = makers[choice](n_classes, n_bits, generator)
    n_different = len(torch.unique(codes, dim=0))
    if n_different < n_classes <= 2**n_bits:
        advice = "" if choice == "hadamard" else "targets='hadamard', or "
        warn(
            f"With targets={choice!r}, {n_classes} classes share codes of {n_bits} "
            f"bits (different codes: {n_different}) and cannot be told apart: choose "
            f"{advice}more bits."
        )
    return codes


def minimum_distance(codes: Tensor) -> int:
    """The smallest Hamming distance between two codes; `n_bits` for a single one."""
    inner = codes @ codes.T
    inner.fill_diagonal_(-codes.shape[1])
    return int((codes.shape[1] - inner.max()) / 2)
