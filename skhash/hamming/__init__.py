"""All that is known about bits: packing, exact search, distance histograms.

Codes are uint8 arrays of shape (n, ceil(n_bits / 8)). Distances are counts of
differing bits. Equal distances are ordered by database index, always.

numba kernels do the work. ``SKHASH_ENGINE=numpy`` in the environment, or
``NUMBA_DISABLE_JIT=1``, chooses the plain numpy twin, which returns the same arrays.
"""

from skhash.hamming._codes import check_codes, pack, unpack
from skhash.hamming._groups import GroupedCodes
from skhash.hamming._pivots import PivotIndex
from skhash.hamming._search import (
    count_within,
    distances,
    histograms,
    nearest,
    within,
)
from skhash.hamming._warm import warm_up

__all__ = [
    "GroupedCodes",
    "PivotIndex",
    "check_codes",
    "count_within",
    "distances",
    "histograms",
    "nearest",
    "pack",
    "unpack",
    "warm_up",
    "within",
]
