"""From groups of equal codes to their items, in order of (distance, index)."""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming._jit import kernel


@kernel
def expand_nearest(
    found: NDArray,
    groups: NDArray,
    bounds: NDArray,
    items: NDArray,
    distances: NDArray,
    indices: NDArray,
) -> None:
    """Fill rows of the k nearest items from rows of the nearest groups."""
    n_queries, k = indices.shape
    for q in range(n_queries):
        filled, first = 0, 0
        while filled < k:
            # Groups at one distance share their places by index.
            distance, last, room = found[q, first], first, k - filled
            total = 0
            while last < found.shape[1] and found[q, last] == distance:
                group = groups[q, last]
                total += min(room, bounds[group + 1] - bounds[group])
                last += 1
            level = np.empty(total, np.int64)
            at = 0
            for j in range(first, last):
                start = bounds[groups[q, j]]
                size = min(room, bounds[groups[q, j] + 1] - start)
                level[at : at + size] = items[start : start + size]
                at += size
            if last - first > 1:
                level.sort()
            size = min(room, total)
            indices[q, filled : filled + size] = level[:size]
            distances[q, filled : filled + size] = distance
            filled += size
            first = last


@kernel
def expand_within(
    rows: NDArray,
    found: NDArray,
    groups: NDArray,
    bounds: NDArray,
    items: NDArray,
    distances: NDArray,
    indices: NDArray,
) -> None:
    """Fill the items within a radius, query by query, from the groups within it."""
    at = 0
    for q in range(rows.size - 1):
        first = rows[q]
        while first < rows[q + 1]:
            last, start = first, at
            while last < rows[q + 1] and found[last] == found[first]:
                group = groups[last]
                size = bounds[group + 1] - bounds[group]
                indices[at : at + size] = items[bounds[group] : bounds[group + 1]]
                at += size
                last += 1
            distances[start:at] = found[first]
            if last - first > 1:
                indices[start:at].sort()
            first = last
