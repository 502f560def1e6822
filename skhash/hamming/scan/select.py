"""Choosing the k nearest among distances that come in order of index.

A candidate is one integer, its key (see `skhash.hamming.keys`). A query's histogram of
candidates gives its threshold: the least distance within which k candidates are
known. Later codes must be nearer than that, since at equal distance the earlier index
wins; so no heap is needed, and the final order is a counting sort.
"""

from typing import Any

from numpy import int64, uint64, zeros
from numpy.typing import NDArray

from skhash.hamming.simd.ir import CHUNK
from skhash.hamming.simd.jit import inlined, kernel
from skhash.hamming.simd.keys import distance_of, index_of, key_of
from skhash.hamming.simd.vectors import chunk_below, lowest_bit, popcount

# Fields of a query's state: candidates stored; those within `REACH`, where `REACH` is
# a distance known to hold k (or the guess that it does); the bound for later codes.
STORED, COUNTED, REACH, BELOW = 0, 1, 2, 3
N_FIELDS = 4


@inlined
def distance_at(codes: NDArray, i: int, queries: NDArray, q: int, words: Any) -> Any:
    """Distance in bits between database code `i` and query `q`."""
    total = int64(0)
    if len(words) == 1:
        return int64(popcount(codes[i, 0] ^ queries[q, 0]))
    for w in range(len(words) if len(words) else codes.shape[1]):
        total += int64(popcount(codes[i, w] ^ queries[q, w]))
    return total


@kernel
def begin(state: NDArray, histogram: NDArray, reach: int) -> None:
    """Begin a query whose k nearest lie within `reach`, for all that is known."""
    histogram[:] = 0
    state[STORED] = 0
    state[COUNTED] = 0
    state[REACH] = reach
    state[BELOW] = reach + 1


@inlined
def near_ones(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    q: int,
    below: int,
    words: Any,
) -> Any:
    """One bit for each code of a chunk nearer to query `q` than `below`."""
    if len(words) > 0 and last - first == CHUNK:
        return chunk_below(codes, first, queries, q, below, words)
    bits = uint64(0)
    for i in range(first, last):
        near = distance_at(codes, i, queries, q, words) < below
        bits |= uint64(near) << uint64(i - first)
    return bits


@inlined
def compact(keys: NDArray, state: NDArray, q: int, k: int) -> None:
    """Drop query `q`'s candidates that are no longer among the k nearest."""
    stored, reach = state[q, STORED], state[q, REACH]
    nearer = 0
    for j in range(stored):
        nearer += distance_of(keys[q, j]) < reach
    room = k - nearer
    kept = 0
    for j in range(stored):
        key = keys[q, j]
        distance = distance_of(key)
        room -= distance == reach
        keys[q, kept] = key
        kept += distance < reach or (distance == reach and room >= 0)
    state[q, STORED] = kept


@inlined
def collect(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    q: int,
    k: int,
    keys: NDArray,
    histogram: NDArray,
    state: NDArray,
    words: Any,
) -> None:
    """Take query `q`'s candidates in a chunk of codes and tighten its threshold.

    Whole arrays come in, since taking a row of each would cost more than the rest.
    """
    if state[q, STORED] + CHUNK > keys.shape[1]:
        compact(keys, state, q, k)
    stored, counted = state[q, STORED], state[q, COUNTED]
    reach, below = state[q, REACH], state[q, BELOW]
    bits: Any = near_ones(codes, first, last, queries, q, below, words)
    while bits:
        i = first + int64(lowest_bit(bits))
        bits &= bits - uint64(1)
        distance = distance_at(codes, i, queries, q, words)
        if distance < below:
            keys[q, stored] = key_of(distance, i)
            stored += 1
            histogram[q, distance] += 1
            counted += 1
            while counted - histogram[q, reach] >= k:
                counted -= histogram[q, reach]
                reach -= 1
            if counted >= k:
                below = reach
    state[q, STORED], state[q, COUNTED] = stored, counted
    state[q, REACH], state[q, BELOW] = reach, below


@inlined
def reduced(k: int, found: int, histogram: NDArray, counted: int, reach: int) -> Any:
    """Count a key at distance `found`; how many lie within the reach, and the reach.

    It is the least distance that holds k of the keys counted.
    """
    histogram[found] += 1
    counted += 1
    while counted - histogram[reach] >= k:
        counted -= histogram[reach]
        reach -= 1
    return counted, reach


@kernel
def finish(
    keys: NDArray,
    state: NDArray,
    q: int,
    k: int,
    distances: NDArray,
    indices: NDArray,
) -> int:
    """Write query `q`'s k nearest in order of (distance, index).

    Returns how many there are; fewer than k where the threshold was too low.
    """
    compact(keys, state, q, k)
    stored, reach = state[q, STORED], state[q, REACH]
    position = zeros(reach + 2, int64)
    for j in range(stored):
        position[distance_of(keys[q, j]) + 1] += 1
    for distance in range(reach + 1):
        position[distance + 1] += position[distance]
    for j in range(stored):
        distance = distance_of(keys[q, j])
        at = position[distance]
        position[distance] = at + 1
        distances[at] = distance
        indices[at] = index_of(keys[q, j])
    return stored
