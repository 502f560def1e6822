"""The k nearest codes by a scan of the whole database."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming._jit import kernel
from skhash.hamming._pool import run, spans
from skhash.hamming._select import (
    N_FIELDS,
    collect,
    distance_at,
    finish,
    start,
)
from skhash.hamming._vectors import (
    UNROLL,
    any_below,
    lanes_below,
    lowest_bit,
)
from skhash.hamming._words import as_words, lanes, width_tag

# Codes of a block stay in the second-level cache while several tiles pass over them.
BLOCK_BYTES = 1 << 17
# Tiles of queries (a vector each) that share a pass over the database.
TILES = 4
# A scan of fewer words than this is not worth a second thread.
THREAD_WORDS = 1 << 19
# Neighbours beyond this share of the database are found by counting.
COUNTING_SHARE = 16


def nearest(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    k: int,
    n_threads: int = 1,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    return nearest_words(as_words(queries), as_words(database), k, n_threads)


def nearest_words(
    queries: NDArray, codes: NDArray, k: int, n_threads: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the k nearest of `codes`, both given as machine words."""
    n_queries, n = len(queries), len(codes)
    distances = np.empty((n_queries, k), np.int32)
    indices = np.empty((n_queries, k), np.int64)
    if n_queries == 0:
        return distances, indices
    words = width_tag(codes)
    n_threads = min(n_threads, 1 + n_queries * codes.size // THREAD_WORDS)
    group = TILES * lanes(codes)
    tasks: list[tuple]
    if k * COUNTING_SHARE > n > 4096:
        parts = spans(0, n_queries, 4 * n_threads, 1)
        tasks = [(codes, queries, a, b, k, distances, indices, words) for a, b in parts]
        run(nearest_by_counting, tasks, n_threads)
    elif n_queries >= n_threads * lanes(codes) or n_threads == 1 or k * n_threads > n:
        parts = spans(0, n_queries, n_threads, lanes(codes))
        parts = [
            span for a, b in parts for span in spans(a, b, -(-(b - a) // group), 1)
        ]
        tasks = [
            (codes, 0, n, queries, a, b, k, distances, indices, words) for a, b in parts
        ]
        run(nearest_by_scan, tasks, n_threads)
    else:
        _split_database(codes, queries, k, distances, indices, words, n_threads)
    return distances, indices


def _split_database(
    codes: NDArray,
    queries: NDArray,
    k: int,
    distances: NDArray,
    indices: NDArray,
    words: Any,
    n_threads: int,
) -> None:
    """Answer few queries with many threads: each searches a part of the database."""
    n_queries = len(queries)
    parts = spans(0, len(codes), n_threads, 256)
    part_distances = np.empty((len(parts), n_queries, k), np.int32)
    part_indices = np.empty((len(parts), n_queries, k), np.int64)
    tasks = [
        (codes, a, b, queries, 0, n_queries, k, part_d, part_i, words)
        for (a, b), part_d, part_i in zip(
            parts, part_distances, part_indices, strict=True
        )
    ]
    run(nearest_by_scan, tasks, n_threads)
    merge(part_distances, part_indices, distances, indices)


@kernel
def merge(
    part_distances: NDArray,
    part_indices: NDArray,
    distances: NDArray,
    indices: NDArray,
) -> None:
    """Merge the answers of parts; at equal distance the earlier part comes first.

    A part with fewer than k codes has distance -1 after its last.
    """
    n_parts, n_queries, k = part_distances.shape
    at = np.zeros(n_parts, np.int64)
    for q in range(n_queries):
        at[:] = 0
        for j in range(k):
            best, best_distance = -1, 1 << 30
            for part in range(n_parts):
                if at[part] < k:
                    distance = part_distances[part, q, at[part]]
                    if 0 <= distance < best_distance:
                        best, best_distance = part, distance
            distances[q, j] = best_distance
            indices[q, j] = part_indices[best, q, at[best]]
            at[best] += 1


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
    """Search ``codes[first:last]`` for a few tiles of queries."""
    queries = all_queries[first_query:last_query]
    n_queries, n_words = queries.shape
    n_bins = 8 * n_words * codes.itemsize + 1
    chunk = 128 if k < 50 else 32
    n_lanes = 64 // codes.itemsize
    n_tiles = (n_queries + n_lanes - 1) // n_lanes
    capacity = min(max(2 * k, k + 512) + chunk, last - first + chunk)
    keys = np.empty((n_queries, capacity), np.int64)
    histogram = np.empty((n_queries, n_bins), np.int64)
    state = np.empty((n_queries, N_FIELDS), np.int64)
    reaches = np.empty(n_queries, np.int64)
    for q in range(n_queries):
        reaches[q] = guess_reach(codes, first, last, queries[q], k, words, histogram[q])
        start(state[q], histogram[q], reaches[q])
    few = len(words) > 0 and 2 * n_queries <= n_lanes
    if few:
        for block in block_starts(codes, first, last):
            stop = min(last, block + block_size(codes))
            for q in range(n_queries):
                scan_one(
                    codes, block, stop, queries[q], k, chunk,
                    keys[q], histogram[q], state[q], words,
                )  # fmt: skip
    else:
        in_lanes = to_lanes(queries, codes)
        below = np.zeros((n_tiles, n_lanes), codes.dtype)
        for q in range(n_queries):
            below[q // n_lanes, q % n_lanes] = state[q, 3]
        for block in block_starts(codes, first, last):
            stop = min(last, block + block_size(codes))
            for tile in range(n_tiles):
                scan_tile(
                    codes, block, stop, queries, in_lanes, tile, k, chunk,
                    keys, histogram, state, below, words,
                )  # fmt: skip
    for q in range(n_queries):
        distances = all_distances[first_query + q]
        indices = all_indices[first_query + q]
        found = finish(keys[q], state[q], k, distances, indices)
        if found < min(k, last - first):
            # The guess was too low, which is rare: scan again without one.
            start(state[q], histogram[q], n_bins - 1)
            collect_all(
                codes, first, last, queries[q], k,
                keys[q], histogram[q], state[q], words,
            )  # fmt: skip
            found = finish(keys[q], state[q], k, distances, indices)
        distances[found:] = -1
        indices[found:] = -1


@kernel
def block_size(codes: NDArray) -> int:
    return max(128, BLOCK_BYTES // (codes.shape[1] * codes.itemsize) // 128 * 128)


@kernel
def block_starts(codes: NDArray, first: int, last: int) -> Any:
    return range(first, last, block_size(codes))


@kernel
def to_lanes(queries: NDArray, codes: NDArray) -> NDArray:
    """Lay queries out as tiles of (words, lanes)."""
    n_queries, n_words = queries.shape
    n_lanes = 64 // codes.itemsize
    n_tiles = (n_queries + n_lanes - 1) // n_lanes
    out = np.zeros((n_tiles, n_words, n_lanes), codes.dtype)
    for q in range(n_queries):
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
    chunk: int,
    keys: NDArray,
    histogram: NDArray,
    state: NDArray,
    below: NDArray,
    words: Any,
) -> None:
    """Pass a block of codes by the queries of one tile."""
    n_lanes = in_lanes.shape[2]
    for at in range(first, last, chunk):
        stop = min(last, at + chunk)
        whole = (stop - at) // UNROLL * UNROLL
        hits: Any = lanes_below(codes, at, whole, in_lanes, tile, below, words)
        if stop - at != whole:
            hits = np.uint64((1 << n_lanes) - 1)
        while hits:
            lane = np.int64(lowest_bit(hits))
            hits &= hits - np.uint64(1)
            q = tile * n_lanes + lane
            if q < queries.shape[0]:
                collect(
                    codes, at, stop, queries[q], k,
                    keys[q], histogram[q], state[q], words,
                )  # fmt: skip
                below[tile, lane] = state[q, 3]


@kernel
def scan_one(
    codes: NDArray,
    first: int,
    last: int,
    query: NDArray,
    k: int,
    chunk: int,
    keys: NDArray,
    histogram: NDArray,
    state: NDArray,
    words: Any,
) -> None:
    """Pass a block of codes by one query."""
    step = UNROLL * (64 // codes.itemsize)
    whole = first + (last - first) // step * step
    chunk = max(chunk, step)
    for at in range(first, whole, chunk):
        stop = min(whole, at + chunk)
        if any_below(codes, at, stop - at, query, state[3], words):
            collect(codes, at, stop, query, k, keys, histogram, state, words)
    collect(codes, whole, last, query, k, keys, histogram, state, words)


@kernel
def collect_all(
    codes: NDArray,
    first: int,
    last: int,
    query: NDArray,
    k: int,
    keys: NDArray,
    histogram: NDArray,
    state: NDArray,
    words: Any,
) -> None:
    for at in range(first, last, 32):
        stop = min(last, at + 32)
        collect(codes, at, stop, query, k, keys, histogram, state, words)


@kernel
def guess_reach(
    codes: NDArray,
    first: int,
    last: int,
    query: NDArray,
    k: int,
    words: Any,
    histogram: NDArray,
) -> int:
    """Guess, from a sample, a distance within which k codes lie.

    Low enough to keep candidates few, high enough to be wrong rarely.
    """
    n_bins, n = histogram.size, last - first
    sample = min(n // 256, 8192) // 16 * 16
    if sample < 64:
        return n_bins - 1
    histogram[:] = 0
    stride = n // (sample // 16)
    for group in range(sample // 16):
        for i in range(first + group * stride, first + group * stride + 16):
            histogram[distance_at(codes, i, query, words)] += 1
    expected = k * sample / n
    needed = expected + 3 * np.sqrt(expected) + 3
    counted = 0
    for distance in range(n_bins):
        counted += histogram[distance]
        if counted >= needed:
            return distance
    return n_bins - 1


@kernel
def nearest_by_counting(
    codes: NDArray,
    queries: NDArray,
    first_query: int,
    last_query: int,
    k: int,
    all_distances: NDArray,
    all_indices: NDArray,
    words: Any,
) -> None:
    """Order many neighbours by counting: one pass counts, the next one places."""
    n_bins = 8 * codes.shape[1] * codes.itemsize + 1
    position = np.empty(n_bins + 1, np.int64)
    for q in range(first_query, last_query):
        query, distances, indices = queries[q], all_distances[q], all_indices[q]
        position[:] = 0
        for i in range(codes.shape[0]):
            position[distance_at(codes, i, query, words) + 1] += 1
        for distance in range(n_bins):
            position[distance + 1] += position[distance]
        for i in range(codes.shape[0]):
            distance = distance_at(codes, i, query, words)
            at = position[distance]
            if at < k:
                position[distance] = at + 1
                distances[at] = distance
                indices[at] = i
