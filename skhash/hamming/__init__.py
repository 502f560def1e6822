"""All that is known about bits: packing, exact search, distance histograms.

Codes are uint8 arrays of shape (n, ceil(n_bits / 8)). Distances are counts of
differing bits. Equal distances are ordered by database index, always.

numba kernels do the work. ``SKHASH_ENGINE=numpy`` in the environment, or
``NUMBA_DISABLE_JIT=1``, chooses the plain numpy twin, which returns the same arrays.

Behind these names, other parts of skhash rely on the modules `advice`, `arrays`,
`asymmetric`, `codes`, `columns`, `labels`, `merge`, `search`, `vectors` and
`indexes`. The storeys below, `engine`, `reading`, `real`, `scan`, `simd` and
`threads`, are for this package alone.
"""

from skhash.hamming.asymmetric import Factors, estimate_factors, nearest_real
from skhash.hamming.codes import check_codes, pack, unpack
from skhash.hamming.indexes.groups import GroupedCodes
from skhash.hamming.indexes.multi_index import MultiIndex
from skhash.hamming.indexes.pivots import PivotIndex
from skhash.hamming.indexes.torch import TorchCodes
from skhash.hamming.labels import Labels, check_labels
from skhash.hamming.merge import merge_nearest, merge_within
from skhash.hamming.search import (
    count_within,
    distances,
    histograms,
    nearest,
    within,
)
from skhash.hamming.warm import warm_up

__all__ = [
    "Factors",
    "GroupedCodes",
    "Labels",
    "MultiIndex",
    "PivotIndex",
    "TorchCodes",
    "check_codes",
    "check_labels",
    "count_within",
    "distances",
    "estimate_factors",
    "histograms",
    "merge_nearest",
    "merge_within",
    "nearest",
    "nearest_real",
    "pack",
    "unpack",
    "warm_up",
    "within",
]
