"""All that is known about bits: packing, exact search, distance histograms.

Codes are uint8 arrays of shape (n, ceil(n_bits / 8)). Distances are counts of
differing bits. Equal distances are ordered by database index, always.

numba kernels do the work. ``SKHASH_ENGINE=numpy`` in the environment, or
``NUMBA_DISABLE_JIT=1``, chooses the plain numpy twin, which returns the same arrays.
"""

from skhash.hamming._codes import check_codes, pack, unpack
from skhash.hamming._search import distances, histograms, nearest, within

__all__ = [
    "check_codes",
    "distances",
    "histograms",
    "nearest",
    "pack",
    "unpack",
    "within",
]
