"""Codes for classes, far apart: chosen before any training takes place."""

from __future__ import annotations

import torch
from torch import Tensor


def hadamard_vertices(
    n_classes: int, n_bits: int, generator: torch.Generator | None = None
) -> Tensor:
    """One code for each class, made of rows of Hadamard matrices.

    Two rows of a Hadamard matrix differ in half of their places. Classes are rows
    drawn from the smallest matrix that has enough of them, without its constant
    column; several such blocks stand side by side when codes are longer. Of up to 200
    draws the one with the largest minimum distance is taken. No bit is the same for
    all classes, and two classes get opposite codes.

    Parameters
    ----------
    n_classes, n_bits : int
        Number and length of the codes.
    generator : torch.Generator, default=None
        Source of the draws.

    Returns
    -------
    codes : Tensor of shape (n_classes, n_bits)
        Of +1 and -1. All different only if ``2 ** n_bits >= n_classes``.
    """
    order = 1 << max(1, (n_classes - 1).bit_length())
    if n_bits & (n_bits - 1) == 0 and n_bits < n_classes <= 2 * n_bits:
        # Rows of [H; -H] keep half of the bits between any two of them.
        rows = torch.randperm(2 * n_bits, generator=generator)[:n_classes]
        codes = _hadamard(rows % n_bits, torch.arange(n_bits))
        return codes * torch.where(rows < n_bits, 1.0, -1.0)[:, None]
    best, codes = -1, torch.empty(0)
    # Comparing all classes costs n_classes^2 a draw; whole blocks are all alike.
    whole = n_bits % (order - 1) == 0
    n_draws = 1 if whole else max(1, min(200, 20_000_000 // n_classes**2))
    for _ in range(n_draws):
        draw = _draw_blocks(n_classes, n_bits, order, generator)
        distance = minimum_distance(draw)
        if distance > best:
            best, codes = distance, draw
    return codes


def _draw_blocks(
    n_classes: int, n_bits: int, order: int, generator: torch.Generator | None
) -> Tensor:
    blocks = []
    for start in range(0, n_bits, order - 1):
        width = min(order - 1, n_bits - start)
        rows = torch.randperm(order, generator=generator)[:n_classes]
        columns = 1 + torch.randperm(order - 1, generator=generator)[:width]
        flips = torch.randint(0, 2, (width,), generator=generator)
        blocks.append(_hadamard(rows, columns) * (1 - 2 * flips))
    return torch.cat(blocks, 1)


def _hadamard(rows: Tensor, columns: Tensor) -> Tensor:
    """Entries of Sylvester's matrix: the sign is the parity of ``row & column``."""
    parity = rows[:, None] & columns[None, :]
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
    """One random code for each class, each the best of many candidates.

    Parameters
    ----------
    n_classes, n_bits : int
        Number and length of the codes.
    generator : torch.Generator, default=None
        Source of the draws.
    n_candidates : int, default=256
        Each new code is the one of so many random codes whose distance to the
        nearest code chosen before is largest.

    Returns
    -------
    codes : Tensor of shape (n_classes, n_bits)
        Of +1 and -1.
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
    """One code of independent random bits for each class.

    Parameters
    ----------
    n_classes, n_bits : int
        Number and length of the codes.
    generator : torch.Generator, default=None
        Source of the draws.

    Returns
    -------
    codes : Tensor of shape (n_classes, n_bits)
        Of +1 and -1.
    """
    bits = torch.randint(0, 2, (n_classes, n_bits), generator=generator)
    return (2 * bits - 1).to(torch.get_default_dtype())


def minimum_distance(codes: Tensor) -> int:
    """The smallest Hamming distance between two of the codes.

    Parameters
    ----------
    codes : Tensor of shape (n_classes, n_bits)
        Of +1 and -1.

    Returns
    -------
    distance : int
        `n_bits` for a single code.
    """
    inner = codes @ codes.T
    inner.fill_diagonal_(-codes.shape[1])
    return int((codes.shape[1] - inner.max()) / 2)
