"""Kernels of the search by pivots.

`kept` is what they read of an index: the codes list by list, their rows in the
database, where each list's codes of a distance begin, the pivots, and the greatest
distance in each list.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.indexes.pivot_layout import COLUMNS, LIST_COST
from skhash.hamming.scan.distances import fill_distances
from skhash.hamming.scan.select import distance_at, near_ones, reduced
from skhash.hamming.scan.sorting import sort_keys, with_room, write_nearest
from skhash.hamming.simd.ir import CHUNK
from skhash.hamming.simd.jit import inlined, kernel
from skhash.hamming.simd.keys import key_of
from skhash.hamming.simd.vectors import lowest_bit, popcount

# The distance of a pivot that is out of the question: more than any other, and an int16
# holds it even with the number of bins added.
EXCLUDED = 20000


@inlined
def annulus(offsets: NDArray, n_bins: int, p: int, distance: int, reach: int) -> Any:
    """Bounds of the codes in list `p` that may lie within `reach` of a query."""
    low = max(0, distance - reach)
    high = min(n_bins - 1, distance + reach)
    return offsets[p * n_bins + low], offsets[p * n_bins + high + 1]


@kernel
def look_through(near: NDArray, widest: NDArray, least: NDArray, gap: NDArray) -> None:
    """Least distance to a pivot, and to the ball around one, in each column.

    The ball of a pivot holds its list: `widest` is its radius.
    """
    for c in range(np.uint64(COLUMNS)):
        least[c] = EXCLUDED
        gap[c] = EXCLUDED
    # Unsigned indices and whole columns let LLVM vectorize this loop.
    for start in range(np.uint64(0), np.uint64(near.size), np.uint64(COLUMNS)):
        for c in range(np.uint64(COLUMNS)):
            distance = near[start + c]
            least[c] = min(least[c], distance)
            gap[c] = min(gap[c], np.int16(distance - widest[start + c]))


@kernel
def take_nearest(near: NDArray, least: NDArray) -> Any:
    """The pivot nearest to the query, and its distance; it is then as if far."""
    column = 0
    for c in range(1, COLUMNS):
        if least[c] < least[column]:
            column = c
    pivot, second = column, np.int16(EXCLUDED)
    for p in range(column + COLUMNS, near.size, COLUMNS):
        if near[p] < near[pivot]:
            second = near[pivot]
            pivot = p
        else:
            second = min(second, near[p])
    distance = np.int64(near[pivot])
    near[pivot] = EXCLUDED
    least[column] = second
    return pivot, distance


@kernel
def choose(
    offsets: NDArray,
    n_bins: int,
    near: NDArray,
    widest: NDArray,
    gap: NDArray,
    reach: int,
    limit: int,
    chosen: NDArray,
) -> tuple[int, int]:
    """Find the lists that may hold codes within `reach`; stop above the limit.

    Returns the work (codes to compare, lists to look up) and the number of lists,
    which `chosen` names.
    """
    work, n_chosen = 0, 0
    for c in range(COLUMNS):
        # Most columns have no ball near enough.
        if gap[c] > reach:
            continue
        for p in range(c, near.size, COLUMNS):
            distance = np.int64(near[p])
            if distance - widest[p] > reach:
                continue
            first, last = annulus(offsets, n_bins, p, distance, reach)
            if last > first:
                work += last - first + LIST_COST
                chosen[n_chosen] = p
                n_chosen += 1
        if work > limit:
            break
    return work, n_chosen


@inlined
def hits(
    lists: NDArray, at: int, last: int, queries: NDArray, q: int, below: int, words: Any
) -> Any:
    """One bit for each of at most `CHUNK` codes up to `last` nearer than `below`."""
    bits: Any = near_ones(lists, at, at + CHUNK, queries, q, below, words)
    if last - at < CHUNK:
        bits &= (np.uint64(1) << np.uint64(last - at)) - np.uint64(1)
    return bits


@inlined
def scan_list(
    lists: NDArray,
    rows: NDArray,
    part: Any,
    queries: NDArray,
    q: int,
    k: int,
    keys: NDArray,
    stored: int,
    histogram: NDArray,
    counted: int,
    reach: int,
    words: Any,
) -> Any:
    """Add the keys of a list's codes within `reach`, and reduce it by them."""
    for at in range(part[0], part[1], CHUNK):
        bits = hits(lists, at, part[1], queries, q, reach + 1, words)
        while bits:
            i = at + np.int64(lowest_bit(bits))
            bits &= bits - np.uint64(1)
            found = distance_at(lists, i, queries, q, words)
            # Codes come in no order of index: those at the reach count too.
            if found <= reach:
                keys[stored] = key_of(found, rows[i])
                stored += 1
                counted, reach = reduced(k, found, histogram, counted, reach)
    return stored, counted, reach


@kernel
def nearest_by_pivots(
    kept: Any,
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
    lists, rows, offsets, pivots, widest = kept
    n_pivots = pivots.shape[0]
    n_bins = (offsets.size - 1) // n_pivots
    near = np.full(widest.size, EXCLUDED, np.int16)
    least = np.empty(COLUMNS, np.int16)
    gap = np.empty(COLUMNS, np.int16)
    histogram = np.empty(n_bins, np.int64)
    keys = np.empty(limit + CHUNK, np.int64)
    chosen = np.empty(n_pivots, np.int64)
    for q in range(first_query, last_query):
        fill_distances(pivots, 0, n_pivots, queries, q, near, words)
        look_through(near, widest, least, gap)
        histogram[:] = 0
        reach, stored, counted = n_bins - 1, 0, 0
        work, n_chosen = 0, 0
        while True:
            # The nearest pivots' lists, until k codes give a bound; then all others
            # that the bound leaves.
            begun = counted < k
            if begun:
                p, distance = take_nearest(near, least)
                chosen[0], n_chosen = p, 1
                work += offsets[(p + 1) * n_bins] - offsets[p * n_bins] + LIST_COST
            else:
                rest, n_chosen = choose(
                    offsets, n_bins, near, widest, gap, reach, limit - work, chosen
                )
                work += rest
            if work > limit:
                break
            for c in range(n_chosen):
                p = chosen[c]
                if not begun:
                    distance = np.int64(near[p])
                    if distance - reach > widest[p]:
                        continue
                stored, counted, reach = scan_list(
                    lists, rows, annulus(offsets, n_bins, p, distance, reach),
                    queries, q, k, keys, stored, histogram, counted, reach, words,
                )  # fmt: skip
            if not begun:
                break
        if work <= limit:
            write_nearest(keys[:stored], reach, rows.size, distances[q], indices[q])
            unanswered[q] = False


@kernel
def within_by_pivots(
    kept: Any,
    queries: NDArray,
    first_query: int,
    last_query: int,
    radius: int,
    limit: int,
    keep: bool,
    counts: NDArray,
    words: Any,
) -> NDArray:
    """Sorted keys of the codes within a radius, query after query; none unless `keep`.

    `counts` tells how many each query has; -1 where it needs more comparisons than the
    limit, and has none.
    """
    lists, rows, offsets, pivots, widest = kept
    n_pivots = pivots.shape[0]
    n_bins = (offsets.size - 1) // n_pivots
    near = np.full(widest.size, EXCLUDED, np.int16)
    least = np.empty(COLUMNS, np.int16)
    gap = np.empty(COLUMNS, np.int16)
    chosen = np.empty(n_pivots, np.int64)
    keys = np.empty(1024, np.int64)
    stored = 0
    for q in range(first_query, last_query):
        fill_distances(pivots, 0, n_pivots, queries, q, near, words)
        look_through(near, widest, least, gap)
        work, n_chosen = choose(
            offsets, n_bins, near, widest, gap, radius, limit, chosen
        )
        counts[q] = -1
        if work > limit:
            continue
        if keep:
            keys = with_room(keys, stored, work)
        n_hits: Any = 0
        begin = stored
        for c in range(n_chosen):
            p = chosen[c]
            first, last = annulus(offsets, n_bins, p, np.int64(near[p]), radius)
            for at in range(first, last, CHUNK):
                bits = hits(lists, at, last, queries, q, radius + 1, words)
                n_hits += np.int64(popcount(bits))
                while keep and bits:
                    i = at + np.int64(lowest_bit(bits))
                    bits &= bits - np.uint64(1)
                    found = distance_at(lists, i, queries, q, words)
                    keys[stored] = key_of(found, rows[i])
                    stored += 1
        sort_keys(keys[begin:stored], rows.size)
        counts[q] = n_hits
    return keys[:stored].copy()
