"""Compile the kernels before the first real call."""

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_array

from skhash.hamming.asymmetric import Factors, nearest_real
from skhash.hamming.codes import check_n_bits
from skhash.hamming.engine.choose import compiled
from skhash.hamming.indexes.groups import GroupedCodes
from skhash.hamming.indexes.multi_index import MultiIndex
from skhash.hamming.indexes.pivots import PivotIndex
from skhash.hamming.search import count_within, distances, histograms, nearest, within


def warm_up(
    n_bits: int | Iterable[int] = (32, 64, 128), *, indexes: bool = False
) -> None:
    """Compile or load the kernels for codes of some widths.

    The first call of each function with codes of a new width compiles its kernel,
    some seconds; later processes load it from numba's cache in a fraction of a second
    (``NUMBA_CACHE_DIR`` says where the cache is, if not beside the package or in the
    user's cache directory). Call this at the start of a server, or when building its
    image, to have that behind you.

    Parameters
    ----------
    n_bits : int or iterable of int, default=(32, 64, 128)
        Widths of codes. Kernels are shared by all widths up to 32 bits, from 33 to
        64, from 65 to 128, from 193 to 256, and by all others.
    indexes : bool, default=False
        Whether to compile the kernels of the indexes, too.

    Raises
    ------
    TypeError
        If a width is no integer.
    ValueError
        If a width is not 1 to 4096.

    Examples
    --------
    >>> from skhash.hamming import warm_up
    >>> warm_up(16)
    """
    widths = n_bits if isinstance(n_bits, Iterable) else [n_bits]
    for bits in [check_n_bits(width) for width in widths]:
        # An index of fewer codes would leave all to a scan.
        codes = np.zeros((512, -(-bits // 8)), np.uint8)
        few, labels = codes[:2], np.zeros(2, np.int64)
        distances(few, few)
        nearest(few, few, 1)
        within(few, few, 0)
        count_within(few, few, 0)
        histograms(few, few, labels, labels)
        sets = labels[:, None] == [0, 1]
        histograms(few, few, sets, sets)
        histograms(few, few, csr_array(sets), csr_array(sets))
        factors = Factors(np.zeros((2, 3), np.float32), "euclidean")
        nearest_real(np.zeros((1, bits)), few, factors, 1)
        if indexes and compiled():
            for index in (GroupedCodes(codes), MultiIndex(codes), PivotIndex(codes)):
                index.nearest(~few, 1)
                index.within(~few, 0)
