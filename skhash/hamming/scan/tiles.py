"""One pass over the database for a group of queries, for their k nearest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.distances import fill_distances
from skhash.hamming.scan.select import BELOW, N_FIELDS, begin, collect, finish
from skhash.hamming.simd.ir import CHUNK
from skhash.hamming.simd.jit import inlined, kernel
from skhash.hamming.simd.vectors import any_below, lowest_bit, next_hit
from skhash.hamming.simd.words import lanes

# Codes of a block stay in the second-level cache while several tiles pass over them.
BLOCK_BYTES = 1 << 17
# Codes of a chunk that a single query passes over at once.
STRIDE = 4 * CHUNK

lanes_of = inlined(lanes)


@kernel
def nearest_by_scan(
    codes: NDArray,
    first: int,
    last: int,
    all_queries: NDArray,
    first_query: int,
    last_query: int,
    k: int,
    all_distances: NDArray,
    all_indices: NDArray,
    words: Any,
) -> None:
    """Search ``codes[first:last]`` for some queries.

    Rows of the answers are filled with -1 where there are fewer than k codes.
    """
    queries = all_queries[first_query:last_query]
    n_queries, n_words = queries.shape
    n_bins = 8 * n_words * codes.itemsize + 1
    capacity = min(max(2 * k, k + 512), last - first) + CHUNK
    keys = np.empty((n_queries, capacity), np.int64)
    histogram = np.empty((n_queries, n_bins), np.int64)
    state = np.empty((n_queries, N_FIELDS), np.int64)
    sample = take_sample(codes, first, last, k)
    for q in range(n_queries):
        reach = guess_reach(sample, queries, q, k, last - first, histogram[q], words)
        begin(state[q], histogram[q], reach)
    scan(codes, first, last, queries, k, keys, histogram, state, words)
    for q in range(n_queries):
        distances = all_distances[first_query + q]
        indices = all_indices[first_query + q]
        found = finish(keys, state, q, k, distances, indices)
        if found < min(k, last - first):
            # The guess was too low, which is rare: scan again without one.
            begin(state[q], histogram[q], n_bins - 1)
            again = slice(q, q + 1)
            scan(
                codes, first, last, queries[again], k,
                keys[again], histogram[again], state[again], words,
            )  # fmt: skip
            found = finish(keys, state, q, k, distances, indices)
        distances[found:] = -1
        indices[found:] = -1


@kernel
def scan(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    k: int,
    keys: NDArray,
    histogram: NDArray,
    state: NDArray,
    words: Any,
) -> None:
    """Pass the codes by the queries, block by block."""
    n_queries = queries.shape[0]
    n_lanes = lanes_of(codes)
    # Queries that fill less of a vector are faster one by one, codes in the lanes.
    n_tiles = (n_queries + n_lanes // 4) // n_lanes
    if len(words) == 0:
        n_tiles = (n_queries + n_lanes - 1) // n_lanes
    in_lanes = to_lanes(queries, n_tiles, codes)
    below = np.zeros((n_tiles, n_lanes), codes.dtype)
    for q in range(min(n_queries, n_tiles * n_lanes)):
        below[q // n_lanes, q % n_lanes] = state[q, BELOW]
    step = block_size(codes)
    for block in range(first, last, step):
        stop = min(last, block + step)
        for tile in range(n_tiles):
            scan_tile(
                codes, block, stop, queries, in_lanes, tile, k,
                keys, histogram, state, below, words,
            )  # fmt: skip
        for q in range(n_tiles * n_lanes, n_queries):
            scan_one(codes, block, stop, queries, q, k, keys, histogram, state, words)


@kernel
def block_size(codes: NDArray) -> int:
    """Codes of a block: whole strides, as many as `BLOCK_BYTES` hold."""
    row_bytes = codes.shape[1] * codes.itemsize
    return max(STRIDE, BLOCK_BYTES // row_bytes // STRIDE * STRIDE)


@kernel
def to_lanes(queries: NDArray, n_tiles: int, codes: NDArray) -> NDArray:
    """Lay queries out as tiles of (words, lanes)."""
    n_queries, n_words = queries.shape
    n_lanes = lanes_of(codes)
    out = np.zeros((n_tiles, n_words, n_lanes), codes.dtype)
    for q in range(min(n_queries, n_tiles * n_lanes)):
        for w in range(n_words):
            out[q // n_lanes, w, q % n_lanes] = queries[q, w]
    return out


@kernel
def scan_tile(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    in_lanes: NDArray,
    tile: int,
    k: int,
    keys: NDArray,
    histogram: NDArray,
    state: NDArray,
    below: NDArray,
    words: Any,
) -> None:
    """Pass a block of codes by the queries of one tile."""
    n_lanes = in_lanes.shape[2]
    at: Any = first
    while at < last:
        at, hits = next_chunk(codes, at, last, in_lanes, tile, below, words)
        stop = min(last, at + CHUNK)
        while hits:
            lane = np.int64(lowest_bit(hits))
            hits &= hits - np.uint64(1)
            q = tile * n_lanes + lane
            if q < queries.shape[0]:
                collect(codes, at, stop, queries, q, k, keys, histogram, state, words)
                below[tile, lane] = state[q, BELOW]
        at = stop


@inlined
def next_chunk(
    codes: NDArray,
    at: Any,
    last: int,
    in_lanes: NDArray,
    tile: int,
    below: NDArray,
    words: Any,
) -> tuple[int, np.uint64]:
    """Where the next chunk with a code near to any query begins, and those lanes.

    A last chunk that is not whole is near to all; behind it there is none.
    """
    every: Any = np.uint64((1 << in_lanes.shape[2]) - 1)
    whole = last - (last - at) % CHUNK
    if at < whole:
        found = next_hit(codes, at, whole, in_lanes, tile, below, words)
        at += CHUNK * np.int64(found >> np.uint64(16))
        if at < whole:
            return at, found & every
    return at, every if at < last else np.uint64(0)


@kernel
def scan_one(
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
    """Pass a block of codes by one query."""
    for at in range(first, last, STRIDE):
        stop = min(last, at + STRIDE)
        if stop - at < STRIDE or any_below(
            codes, at, STRIDE, queries, q, state[q, BELOW], words
        ):
            for chunk in range(at, stop, CHUNK):
                end = min(stop, chunk + CHUNK)
                collect(codes, chunk, end, queries, q, k, keys, histogram, state, words)


@kernel
def take_sample(codes: NDArray, first: int, last: int, k: int) -> NDArray:
    """Copy runs of 16 codes from all over the range, where guessing pays."""
    n = last - first
    # More neighbours are worth more guessing; one needs none.
    size = min(n // (256 if k >= 50 else 1024), 8192) // 16 * 16 if k > 1 else 0
    sample = np.empty((size, codes.shape[1]), codes.dtype)
    stride = n // max(1, size // 16)
    for i in range(size):
        for w in range(codes.shape[1]):
            sample[i, w] = codes[first + i // 16 * stride + i % 16, w]
    return sample


@kernel
def guess_reach(
    sample: NDArray,
    queries: NDArray,
    q: int,
    k: int,
    n: int,
    histogram: NDArray,
    words: Any,
) -> int:
    """Guess, from a sample, a distance within which k of n codes lie.

    Low enough to keep candidates few, high enough to be wrong rarely.
    """
    size, n_bins = sample.shape[0], histogram.size
    if size < 64:
        return n_bins - 1
    histogram[:] = 0
    near = np.empty(size, np.uint16)
    fill_distances(sample, 0, size, queries, q, near, words)
    for i in range(size):
        histogram[near[i]] += 1
    expected = k * size / n
    needed = expected + 3 * np.sqrt(expected) + 3
    counted = 0
    for distance in range(n_bins):
        counted += histogram[distance]
        if counted >= needed:
            return distance
    return n_bins - 1
