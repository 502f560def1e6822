"""How pivots and their lists are laid out, for `pivots` and for its kernels.

Apart from both, since kernels are loaded late: numba takes longer than all the rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Codes that lists compare in the time it takes to look one up.
LIST_COST = 24
# Kernels look through pivots in columns: pivot i stands in column i % COLUMNS.
COLUMNS = 64


class Lists(NamedTuple):
    """What kernels read of an index: the codes, list by list.

    Codes at distance d from pivot p, in a list of their own, are `codes` from
    ``offsets[p * n_bins + d]`` to the next offset, and `rows` tells whose they are. No
    code in the list of pivot p is farther from it than ``widest[p]``.
    """

    codes: NDArray
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    pivots: NDArray
    widest: NDArray[np.int16]
