"""Compile the kernels before the first real call."""

from collections.abc import Iterable

import numpy as np

from skhash.hamming._search import count_within, distances, histograms, nearest, within


def warm_up(n_bits: int | Iterable[int] = (32, 64, 128)) -> None:
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

    Examples
    --------
    >>> from skhash.hamming import warm_up
    >>> warm_up(16)
    """
    for bits in [n_bits] if isinstance(n_bits, int) else n_bits:
        codes = np.zeros((2, -(-bits // 8)), np.uint8)
        labels = np.zeros(2, np.int64)
        distances(codes, codes)
        nearest(codes, codes, 1)
        within(codes, codes, 0)
        count_within(codes, codes, 0)
        histograms(codes, codes, labels, labels)
        histograms(codes, codes, labels[:, None] == [0, 1], labels[:, None] == [0, 1])
