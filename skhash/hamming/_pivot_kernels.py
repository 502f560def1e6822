"""Kernels of the search by pivots."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming._distances import fill_distances
from skhash.hamming._ir import CHUNK
from skhash.hamming._jit import inlined, kernel
from skhash.hamming._select import INDEX_BITS, distance_at, near_ones
from skhash.hamming._vectors import lowest_bit

# Looking up a list costs as much as comparing so many codes.
LIST_COST = 24
# Lists that may be counted for a first bound.
FIRST_LISTS = 32
# Pivots whose lists are ruled out together.
GROUP = 64
# More than any distance.
FAR = 20000


@inlined
def annulus(offsets: NDArray, n_bins: int, p: int, distance: int, reach: int) -> Any:
    """Bounds of the codes in list `p` that may lie within `reach` of a query."""
    low = max(0, distance - reach)
    high = min(n_bins - 1, distance + reach)
    return offsets[p * n_bins + low], offsets[p * n_bins + high + 1]


@kernel
def least(values: NDArray) -> int:
    """Position of the least value; `argmin` does not become vectors."""
    smallest = np.uint16(65535)
    for i in range(values.size):
        smallest = min(smallest, values[i])
    for i in range(values.size):
        if values[i] == smallest:
            return i
    return 0


@kernel
def first_reach(
    lists: NDArray,
    offsets: NDArray,
    n_bins: int,
    near: NDArray,
    queries: NDArray,
    q: int,
    k: int,
    words: Any,
) -> int:
    """A distance that holds k codes: the k-th within the nearest pivots' lists."""
    left = near.copy()
    histogram = np.zeros(n_bins, np.int64)
    buffer = np.empty(512, np.uint16)
    counted = 0
    for _ in range(min(FIRST_LISTS, left.size)):
        p = least(left)
        left[p] = 65535
        first, last = offsets[p * n_bins], offsets[(p + 1) * n_bins]
        for at in range(first, last, 512):
            stop = min(last, at + 512)
            fill_distances(lists, at, stop, queries, q, buffer, words)
            for i in range(stop - at):
                histogram[buffer[i]] += 1
        counted += last - first
        if counted >= k:
            break
    reach, within = 0, histogram[0]
    while within < k and reach < n_bins - 1:
        reach += 1
        within += histogram[reach]
    return reach


@kernel
def work(
    offsets: NDArray,
    n_bins: int,
    near: NDArray,
    widest: NDArray,
    reach: int,
    limit: int,
    chosen: NDArray,
) -> tuple[int, int]:
    """Work for a reach: codes to compare, lists to look up; stops above the limit.

    Returns it and the number of lists, which `chosen` names.
    """
    total, n_chosen = 0, 0
    for start in range(0, near.size, GROUP):
        group, widths = near[start : start + GROUP], widest[start : start + GROUP]
        # Most groups have no list near enough: one vector comparison tells.
        nearest = np.int16(FAR)
        for i in range(group.size):
            nearest = min(nearest, np.int16(np.int16(group[i]) - widths[i]))
        if nearest > reach:
            continue
        for i in range(group.size):
            distance = np.int64(group[i])
            if distance - widths[i] > reach:
                continue
            first, last = annulus(offsets, n_bins, start + i, distance, reach)
            if last > first:
                total += last - first + LIST_COST
                chosen[n_chosen] = start + i
                n_chosen += 1
        if total > limit:
            break
    return total, n_chosen


@kernel
def nearest_by_pivots(
    lists: NDArray,
    rows: NDArray,
    offsets: NDArray,
    pivots: NDArray,
    widest: NDArray,
    queries: NDArray,
    first_query: int,
    last_query: int,
    k: int,
    limit: int,
    distances: NDArray,
    indices: NDArray,
    unanswered: NDArray,
    words: Any,
) -> None:
    """Answer those queries that need no more comparisons than the limit."""
    n_pivots = pivots.shape[0]
    n_bins = (offsets.size - 1) // n_pivots
    near = np.empty(n_pivots, np.uint16)
    histogram = np.empty(n_bins, np.int64)
    keys = np.empty(limit + CHUNK, np.int64)
    chosen = np.empty(n_pivots, np.int64)
    for q in range(first_query, last_query):
        fill_distances(pivots, 0, n_pivots, queries, q, near, words)
        reach = first_reach(lists, offsets, n_bins, near, queries, q, k, words)
        total, n_chosen = work(offsets, n_bins, near, widest, reach, limit, chosen)
        if total > limit:
            continue
        histogram[:] = 0
        stored, counted = 0, 0
        for c in range(n_chosen):
            p = chosen[c]
            distance = np.int64(near[p])
            if distance - reach > widest[p]:
                continue
            first, last = annulus(offsets, n_bins, p, distance, reach)
            for at in range(first, last, CHUNK):
                bits: Any = near_ones(
                    lists, at, at + CHUNK, queries, q, reach + 1, words
                )
                if last - at < CHUNK:
                    bits &= (np.uint64(1) << np.uint64(last - at)) - np.uint64(1)
                while bits:
                    i = at + np.int64(lowest_bit(bits))
                    bits &= bits - np.uint64(1)
                    found = distance_at(lists, i, queries, q, words)
                    # Codes come in no order of index: those at the reach all count.
                    if found <= reach:
                        keys[stored] = found << INDEX_BITS | rows[i]
                        stored += 1
                        histogram[found] += 1
                        counted += 1
                        while counted - histogram[reach] >= k:
                            counted -= histogram[reach]
                            reach -= 1
        kept = 0
        for j in range(stored):
            keys[kept] = keys[j]
            kept += keys[j] >> INDEX_BITS <= reach
        keys[:kept].sort()
        for j in range(k):
            distances[q, j] = keys[j] >> INDEX_BITS
            indices[q, j] = keys[j] & ((1 << INDEX_BITS) - 1)
        unanswered[q] = False


@kernel
def within_by_pivots(
    lists: NDArray,
    rows: NDArray,
    offsets: NDArray,
    pivots: NDArray,
    widest: NDArray,
    queries: NDArray,
    q: int,
    radius: int,
    limit: int,
    words: Any,
) -> Any:
    """Sorted keys of the codes within a radius, if that is within the limit."""
    n_pivots = pivots.shape[0]
    n_bins = (offsets.size - 1) // n_pivots
    near = np.empty(n_pivots, np.uint16)
    fill_distances(pivots, 0, n_pivots, queries, q, near, words)
    chosen = np.empty(n_pivots, np.int64)
    total, n_chosen = work(offsets, n_bins, near, widest, radius, limit, chosen)
    if total > limit:
        return False, np.empty(0, np.int64)
    keys = np.empty(total, np.int64)
    stored = 0
    for c in range(n_chosen):
        p = chosen[c]
        distance = np.int64(near[p])
        first, last = annulus(offsets, n_bins, p, distance, radius)
        for at in range(first, last, CHUNK):
            bits: Any = near_ones(lists, at, at + CHUNK, queries, q, radius + 1, words)
            if last - at < CHUNK:
                bits &= (np.uint64(1) << np.uint64(last - at)) - np.uint64(1)
            while bits:
                i = at + np.int64(lowest_bit(bits))
                bits &= bits - np.uint64(1)
                keys[stored] = (
                    distance_at(lists, i, queries, q, words) << INDEX_BITS | rows[i]
                )
                stored += 1
    return True, np.sort(keys[:stored])
