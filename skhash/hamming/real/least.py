"""Choosing the k least bounds among those that come in order of index.

Candidates are stored in that order until there is no more room; then the k least stay,
and later bounds must be below the last of them: at equal bounds the earlier index wins.
"""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.simd.jit import kernel

# Bounds that are asked together whether any is low enough.
RUN = 64


@kernel
def room_for(k: int) -> int:
    """Places for the candidates of a query, one of them for what is not kept."""
    return 2 * k + RUN + 1


@kernel
def take_low(
    bounds: NDArray,
    first: int,
    k: int,
    values: NDArray,
    indices: NDArray,
    state: NDArray,
) -> None:
    """Take the low ones among bounds of the items ``first, first + 1, ...``.

    ``state`` holds the number of candidates and, once k are known, the bound for more.
    """
    for start in range(0, bounds.size, RUN):
        some, top = bounds[start : start + RUN], state[1]
        near = 0
        for i in range(some.size):
            near += some[i] < top
        if near:
            stored = int(state[0])
            if stored + near >= values.size:
                stored = keep_least(values, indices, stored, k)
                top = values[:stored].max()
            for i in range(some.size):
                # Written always, and kept or not: a branch would be foretold wrongly.
                values[stored], indices[stored] = some[i], first + start + i
                stored += some[i] < top
            state[0], state[1] = stored, top


@kernel
def keep_least(values: NDArray, indices: NDArray, stored: int, k: int) -> int:
    """Drop candidates that are not among the k least; returns how many are left."""
    if stored <= k:
        return stored
    last = np.partition(values[:stored], k - 1)[k - 1]
    room = k
    for j in range(stored):
        room -= values[j] < last
    kept = 0
    for j in range(stored):
        value = values[j]
        room -= value == last
        values[kept], indices[kept] = value, indices[j]
        kept += value < last or (value == last and room >= 0)
    return kept


@kernel
def write_least(
    values: NDArray, indices: NDArray, stored: int, out: NDArray, places: NDArray
) -> None:
    """Write the k least candidates in order of (bound, index)."""
    kept = keep_least(values, indices, stored, out.size)
    # A stable sort orders equal bounds by index.
    order = np.argsort(values[:kept], kind="mergesort")
    for j in range(kept):
        out[j], places[j] = values[order[j]], indices[order[j]]
