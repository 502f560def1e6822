"""Items that have each bit, or each two of them: counts, which add up over parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skhash.hamming import unpack
from skhash.hamming.simd.words import as_words
from skhash.metrics.elsewhere import located
from skhash.metrics.options import check_bits

__all__ = ["CountedBits", "counted_bits", "n_distinct"]

# Cells of unpacked float32 bits held at a time; counts up to here are exact in float32.
_CELLS = 1 << 22


@dataclass(frozen=True)
class CountedBits:
    """Counts of the bits of packed codes."""

    packed: np.ndarray
    n_bits: int

    @property
    def n_items(self) -> int:
        """Number of codes."""
        return len(self.packed)

    def ones(self) -> np.ndarray:
        """Items that have each bit, float64 of shape (n_bits,)."""
        total = np.zeros(self.n_bits)
        for bits in self._unpacked():
            total += bits.sum(axis=0, dtype=np.float64)
        return total

    def both(self, chosen: np.ndarray) -> np.ndarray:
        """Items that have each two of the chosen bits, float64 of shape (n, n)."""
        both = np.zeros((len(chosen), len(chosen)))
        for bits in self._unpacked():
            some = bits if len(chosen) == self.n_bits else bits[:, chosen]
            both += some.T @ some
        return both

    def n_distinct(self) -> int:
        """Number of different codes."""
        return n_distinct(self.packed)

    def _unpacked(self) -> Iterator[np.ndarray]:
        """Bits of some codes at a time, as float32."""
        step = max(1, _CELLS // self.n_bits)
        for start in range(0, len(self.packed), step):
            part = self.packed[start : start + step]
            yield unpack(part, self.n_bits).astype(np.float32)


def counted_bits(codes: Any, n_bits: int | None) -> Any:
    """`CountedBits` of checked codes; codes that lie elsewhere have their own."""
    codes, _ = located(codes)
    if hasattr(type(codes), "__skhash_bits__"):
        return codes.__skhash_bits__(n_bits)
    return CountedBits(*check_bits(codes, n_bits))


def n_distinct(packed: np.ndarray) -> int:
    """Number of different rows of packed codes."""
    if packed.shape[1] <= 8:
        return len(np.unique(as_words(packed)))
    rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1])))
    return len(np.unique(rows))
