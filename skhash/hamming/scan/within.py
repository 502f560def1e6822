"""All codes within a radius: counted exactly first, then collected into place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.distances import fill_distances
from skhash.hamming.scan.select import distance_at, near_ones
from skhash.hamming.scan.tiles import STRIDE, block_size, lanes, to_lanes
from skhash.hamming.simd.ir import CHUNK, UNROLL
from skhash.hamming.simd.jit import inlined, kernel
from skhash.hamming.simd.keys import distance_of, index_of, key_of
from skhash.hamming.simd.vectors import add_lanes_below, any_below, lowest_bit, next_hit
from skhash.hamming.simd.words import as_words, width_tag
from skhash.hamming.threads.count import useful
from skhash.hamming.threads.pool import run, spans


def within(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    radius: int,
    n_threads: int = 1,
    counts: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    words = as_words(queries), as_words(database)
    return within_words(*words, radius, n_threads, counts)


def within_words(
    queries: NDArray,
    codes: NDArray,
    radius: int,
    n_threads: int,
    counts: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Find the codes within a radius of each query, both given as words.

    Their numbers need not be counted where they are known.
    """
    if counts is None:
        counts = count_words(queries, codes, radius, n_threads)
    indptr = np.zeros(len(queries) + 1, np.int64)
    np.cumsum(counts, out=indptr[1:])
    distances = np.empty(indptr[-1], np.int32)
    indices = np.empty(indptr[-1], np.int64)
    tasks = [
        (codes, queries, a, b, reach(codes, radius), indptr, distances, indices, tag)
        for a, b, tag in _spans(queries, codes, n_threads)
    ]
    run(collect_span, tasks, n_threads)
    return indptr, distances, indices


def count_within(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    radius: int,
    n_threads: int = 1,
) -> NDArray[np.int64]:
    return count_words(as_words(queries), as_words(database), radius, n_threads)


def count_words(
    queries: NDArray, codes: NDArray, radius: int, n_threads: int
) -> NDArray[np.int64]:
    """Count the codes within a radius of each query, both given as words."""
    counts = np.zeros(len(queries), np.int64)
    tasks = [
        (codes, queries, a, b, reach(codes, radius), counts, tag)
        for a, b, tag in _spans(queries, codes, n_threads)
    ]
    run(count_span, tasks, n_threads)
    return counts


def reach(codes: NDArray, radius: int) -> int:
    """Clip a radius to the largest possible distance."""
    return min(radius, 8 * codes.shape[1] * codes.itemsize)


def _spans(queries: NDArray, codes: NDArray, n_threads: int) -> list:
    if not len(queries) or not len(codes):
        return []
    n_threads = useful(n_threads, len(queries) * codes.size)
    multiple = lanes(codes) if len(queries) > n_threads * lanes(codes) else 1
    parts = spans(0, len(queries), 4 * n_threads if n_threads > 1 else 1, multiple)
    return [(a, b, width_tag(codes)) for a, b in parts]


@kernel
def tiles_for(n_queries: int, codes: NDArray, words: Any) -> int:
    """Tiles that queries fill; none where they are faster one by one."""
    n_lanes = lanes(codes)
    if len(words) > 0 and n_queries <= n_lanes // 2:
        return 0
    return (n_queries + n_lanes - 1) // n_lanes


@kernel
def bounds(in_lanes: NDArray, radius: int) -> NDArray:
    """Thresholds that pass all distances up to the radius."""
    n_tiles, _, n_lanes = in_lanes.shape
    out = np.empty((n_tiles, n_lanes), in_lanes.dtype)
    out[:] = radius + 1
    return out


@kernel
def count_span(
    codes: NDArray,
    queries: NDArray,
    first: int,
    last: int,
    radius: int,
    counts: NDArray,
    words: Any,
) -> None:
    n = codes.shape[0]
    n_tiles = tiles_for(last - first, codes, words)
    if n_tiles == 0:
        for q in range(first, last):
            counts[q] = count_one(codes, queries, q, radius, words)
        return
    in_lanes = to_lanes(queries[first:last], n_tiles, codes)
    n_lanes = in_lanes.shape[2]
    below = bounds(in_lanes, radius)
    counted = np.zeros((n_tiles, n_lanes), codes.dtype)
    whole, step = n // UNROLL * UNROLL, block_size(codes)
    for block in range(0, whole, step):
        size = min(whole - block, step)
        for tile in range(n_tiles):
            add_lanes_below(codes, block, size, in_lanes, tile, below, counted, words)
    for q in range(first, last):
        total = np.int64(counted[(q - first) // n_lanes, (q - first) % n_lanes])
        for i in range(whole, n):
            total += distance_at(codes, i, queries, q, words) <= radius
        counts[q] = total


@kernel
def count_one(codes: NDArray, queries: NDArray, q: int, radius: int, words: Any) -> int:
    n, total = codes.shape[0], 0
    buffer = np.empty(STRIDE, np.uint16)
    for at in range(0, n, STRIDE):
        stop = min(n, at + STRIDE)
        # Where hits are dense, the question whether there is any costs little.
        if stop - at < STRIDE or any_below(
            codes, at, STRIDE, queries, q, radius + 1, words
        ):
            fill_distances(codes, at, stop, queries, q, buffer, words)
            for i in range(stop - at):
                total += buffer[i] <= radius
    return total


def count_items(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    radius: int,
    n_threads: int = 1,
) -> NDArray[np.int64]:
    """Count the items within a radius, where each code stands for a number of them."""
    words, codes = as_words(queries), as_words(database)
    counts = np.zeros(len(words), np.int64)
    tasks = [
        (codes, sizes, words, a, b, reach(codes, radius), counts, tag)
        for a, b, tag in _spans(words, codes, n_threads)
    ]
    run(count_items_span, tasks, n_threads)
    return counts


@kernel
def count_items_span(
    codes: NDArray,
    sizes: NDArray,
    queries: NDArray,
    first: int,
    last: int,
    radius: int,
    counts: NDArray,
    words: Any,
) -> None:
    n = codes.shape[0]
    buffer = np.empty(STRIDE, np.uint16)
    for q in range(first, last):
        total: Any = np.int64(0)
        for at in range(0, n, STRIDE):
            stop = min(n, at + STRIDE)
            if stop - at < STRIDE or any_below(
                codes, at, STRIDE, queries, q, radius + 1, words
            ):
                fill_distances(codes, at, stop, queries, q, buffer, words)
                some = sizes[at:stop]
                for i in range(some.size):
                    total += some[i] & -np.int64(buffer[i] <= radius)
        counts[q] = total


@kernel
def collect_span(
    codes: NDArray,
    queries: NDArray,
    first: int,
    last: int,
    radius: int,
    indptr: NDArray,
    distances: NDArray,
    indices: NDArray,
    words: Any,
) -> None:
    """Write each query's neighbours between its bounds in `indptr`."""
    n, step = codes.shape[0], block_size(codes)
    position = indptr[first:last].copy()
    n_tiles = tiles_for(last - first, codes, words)
    in_lanes = to_lanes(queries[first:last], n_tiles, codes)
    below = bounds(in_lanes, radius)
    for block in range(0, n, step):
        stop = min(n, block + step)
        for tile in range(n_tiles):
            take_tile(
                codes, block, stop, queries[first:last], in_lanes, tile, below,
                radius, indices, position, words,
            )  # fmt: skip
        if n_tiles == 0:
            for q in range(first, last):
                take_one(
                    codes, block, stop, queries[first:last], q - first, radius,
                    indices, position, words,
                )  # fmt: skip
    for q in range(first, last):
        row = slice(indptr[q], indptr[q + 1])
        order_row(distances[row], indices[row], radius)


@kernel
def take_tile(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    in_lanes: NDArray,
    tile: int,
    below: NDArray,
    radius: int,
    keys: NDArray,
    position: NDArray,
    words: Any,
) -> None:
    n_lanes = in_lanes.shape[2]
    whole = last - (last - first) % CHUNK
    at: Any = first
    while at < last:
        hits: Any = np.uint64((1 << n_lanes) - 1)
        if at < whole:
            found = next_hit(codes, at, whole, in_lanes, tile, below, words)
            at += CHUNK * np.int64(found >> np.uint64(16))
            hits &= found
            if not hits:
                continue
        stop = min(last, at + CHUNK)
        while hits:
            q = tile * n_lanes + np.int64(lowest_bit(hits))
            hits &= hits - np.uint64(1)
            if q < queries.shape[0]:
                take(codes, at, stop, queries, q, radius, keys, position, words)
        at = stop


@kernel
def take_one(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    q: int,
    radius: int,
    keys: NDArray,
    position: NDArray,
    words: Any,
) -> None:
    for at in range(first, last, STRIDE):
        stop = min(last, at + STRIDE)
        if stop - at < STRIDE or any_below(
            codes, at, STRIDE, queries, q, radius + 1, words
        ):
            for chunk in range(at, stop, CHUNK):
                end = min(stop, chunk + CHUNK)
                take(codes, chunk, end, queries, q, radius, keys, position, words)


@inlined
def take(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    q: int,
    radius: int,
    keys: NDArray,
    position: NDArray,
    words: Any,
) -> None:
    """Append the keys of the near codes of a chunk."""
    at = position[q]
    bits: Any = near_ones(codes, first, last, queries, q, radius + 1, words)
    while bits:
        i = first + np.int64(lowest_bit(bits))
        bits &= bits - np.uint64(1)
        keys[at] = key_of(distance_at(codes, i, queries, q, words), i)
        at += 1
    position[q] = at


@kernel
def order_row(distances: NDArray, indices: NDArray, radius: int) -> None:
    """Turn the keys in `indices` into a row ordered by (distance, index)."""
    keys = indices.copy()
    start = np.zeros(radius + 2, np.int64)
    for j in range(keys.size):
        start[distance_of(keys[j]) + 1] += 1
    for distance in range(radius + 1):
        start[distance + 1] += start[distance]
    for j in range(keys.size):
        distance = distance_of(keys[j])
        at = start[distance]
        start[distance] = at + 1
        distances[at] = distance
        indices[at] = index_of(keys[j])
