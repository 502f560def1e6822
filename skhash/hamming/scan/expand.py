"""From groups of equal codes to their items, in order of (distance, index)."""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.sorting import FEW, read_off, sort_keys
from skhash.hamming.simd.jit import kernel

# Of n items, more than this share are put in order by marking them: a bit each.
MARKED = 1 / 1024


@kernel
def marks_for(items: NDArray, most: int) -> NDArray:
    """A bit for each item; none where no more than `most` items are ever sorted."""
    few = most <= max(FEW, MARKED * items.size)
    return np.zeros(0 if few else (items.size >> 6) + 1, np.uint64)


@kernel
def fill_level(
    groups: NDArray, room: int, bounds: NDArray, items: NDArray, marks: NDArray
) -> NDArray:
    """Items of some groups, ascending; at most `room` of each group."""
    if groups.size == 1:
        first = bounds[groups[0]]
        return items[first : min(first + room, bounds[groups[0] + 1])]
    # All lists are touched first: one cache miss then need not wait for another.
    total, touched = 0, 0
    for j in range(groups.size):
        first = bounds[groups[j]]
        total += min(room, bounds[groups[j] + 1] - first)
        touched |= items[first]
    level = np.empty(total + (touched < 0), np.int64)
    at, marking = 0, total > max(FEW, MARKED * items.size)
    for j in range(groups.size):
        first = bounds[groups[j]]
        for i in range(first, min(first + room, bounds[groups[j] + 1])):
            if marking:
                marks[items[i] >> 6] |= np.uint64(1) << np.uint64(items[i] & 63)
            else:
                level[at] = items[i]
                at += 1
    if marking:
        read_off(marks, level)
    else:
        sort_keys(level, items.size)
    return level


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
    marks = marks_for(items, k * found.shape[1])
    for q in range(n_queries):
        filled, first = 0, 0
        while filled < k:
            # Groups at one distance share their places by index.
            distance, last, room = found[q, first], first, k - filled
            while last < found.shape[1] and found[q, last] == distance:
                last += 1
            level = fill_level(groups[q, first:last], room, bounds, items, marks)
            size = min(room, level.size)
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
    marks = marks_for(items, indices.size)
    at = 0
    for q in range(rows.size - 1):
        first = rows[q]
        while first < rows[q + 1]:
            last = first
            while last < rows[q + 1] and found[last] == found[first]:
                last += 1
            level = fill_level(groups[first:last], items.size, bounds, items, marks)
            indices[at : at + level.size] = level
            distances[at : at + level.size] = found[first]
            at += level.size
            first = last
