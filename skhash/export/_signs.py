"""Codes as vectors of -1 and +1, for engines that know no bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skhash.hamming import unpack

# Rows at a time: these take 32 times the memory of codes.
BLOCK = 1 << 10


def signs(codes: NDArray[np.uint8], n_bits: int) -> NDArray[np.float32]:
    """Vectors of shape (n, n_bits): +1 for a bit that is set, else -1."""
    return np.where(unpack(codes, n_bits), np.float32(1), np.float32(-1))
