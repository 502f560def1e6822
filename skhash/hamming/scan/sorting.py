"""Sorting of items, and of keys."""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.keys import INDEX_BITS
from skhash.hamming.simd.jit import inlined, kernel
from skhash.hamming.simd.keys import distance_of, index_of
from skhash.hamming.simd.vectors import lowest_bit

# Bits that one pass sorts by: its counters stay in the first-level cache.
DIGIT = 11
# Fewer keys are sorted by comparison, which needs no counters.
FEW = 512


@kernel
def sort_keys(keys: NDArray, n: int) -> None:
    """Sort keys of items 0 to n - 1 in place, many of them by counting digits.

    Only as many digits are looked at as indices below n, and the distances, have.
    """
    if keys.size < FEW:
        keys.sort()
        return
    largest = np.int64(0)
    for i in range(keys.size):
        largest = max(largest, distance_of(keys[i]))
    source, target = keys, np.empty_like(keys)
    counts = np.empty((1 << DIGIT) + 1, np.int64)
    mask = (1 << DIGIT) - 1
    for part in range(2):
        shift, most = (0, np.int64(n - 1)) if part == 0 else (INDEX_BITS, largest)
        while most > 0:
            counts[:] = 0
            for i in range(source.size):
                counts[((source[i] >> shift) & mask) + 1] += 1
            for digit in range(1 << DIGIT):
                counts[digit + 1] += counts[digit]
            for i in range(source.size):
                digit = (source[i] >> shift) & mask
                target[counts[digit]] = source[i]
                counts[digit] += 1
            source, target = target, source
            most >>= DIGIT
            shift += DIGIT
    keys[:] = source


@kernel
def read_off(marks: NDArray, out: NDArray) -> None:
    """Write the positions of ones, ascending, and clear them."""
    at = 0
    for word in range(marks.size):
        bits = marks[word]
        if bits:
            marks[word] = 0
        while bits:
            out[at] = word << 6 | np.int64(lowest_bit(bits))
            bits &= bits - np.uint64(1)
            at += 1


@kernel
def write_nearest(
    keys: NDArray, reach: int, n_items: int, distances: NDArray, indices: NDArray
) -> None:
    """Write the nearest of the keys, in order; those beyond `reach` are not among them.

    The keys are overwritten. There are seldom many more than asked for.
    """
    kept = 0
    for j in range(keys.size):
        keys[kept] = keys[j]
        kept += distance_of(keys[j]) <= reach
    if kept > 64:
        sort_keys(keys[:kept], n_items)
    else:
        insert_in_order(keys[:kept])
    for j in range(distances.size):
        distances[j] = distance_of(keys[j])
        indices[j] = index_of(keys[j])


@inlined
def with_room(keys: NDArray, stored: int, more: int) -> NDArray:
    """The keys, moved to an array twice as long where `more` would not fit."""
    if stored + more > keys.size:
        grown = np.empty(2 * (stored + more), np.int64)
        grown[:stored] = keys[:stored]
        keys = grown
    return keys


@kernel
def insert_in_order(keys: NDArray) -> None:
    """Sort a few keys."""
    for j in range(1, keys.size):
        key, i = keys[j], j
        while i > 0 and keys[i - 1] > key:
            keys[i] = keys[i - 1]
            i -= 1
        keys[i] = key
