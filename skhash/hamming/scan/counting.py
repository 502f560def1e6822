"""How many codes lie within a radius, or how many items of which they are the codes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.distances import fill_distances
from skhash.hamming.scan.select import distance_at
from skhash.hamming.scan.tiles import STRIDE, block_size, lanes_of, to_lanes
from skhash.hamming.simd.ir import UNROLL
from skhash.hamming.simd.jit import kernel
from skhash.hamming.simd.vectors import add_lanes_below, any_below
from skhash.hamming.simd.words import as_words, lanes, width_tag
from skhash.hamming.threads.count import useful
from skhash.hamming.threads.pool import run, spans


def count_within(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    radius: int,
    n_threads: int = 1,
    sizes: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Count the codes within a radius; each stands for a number of items, `sizes`."""
    words, codes = as_words(queries), as_words(database)
    counts = np.zeros(len(words), np.int64)
    if sizes is None:
        sizes = np.empty(0, np.int64)
    tasks = [
        (codes, sizes, words, a, b, clipped(codes, radius), counts, tag)
        for a, b, tag in query_spans(words, codes, n_threads)
    ]
    run(count_span, tasks, n_threads)
    return counts


def clipped(codes: NDArray, radius: int) -> int:
    """Clip a radius to the largest possible distance."""
    return min(radius, 8 * codes.shape[1] * codes.itemsize)


def query_spans(queries: NDArray, codes: NDArray, n_threads: int) -> list:
    """Bounds of the queries of each task, and the tag that tells kernels the width."""
    if not len(queries) or not len(codes):
        return []
    n_threads = useful(n_threads, len(queries) * codes.size)
    multiple = lanes(codes) if len(queries) > n_threads * lanes(codes) else 1
    parts = spans(0, len(queries), 4 * n_threads if n_threads > 1 else 1, multiple)
    return [(a, b, width_tag(codes)) for a, b in parts]


@kernel
def tiles_for(n_queries: int, codes: NDArray, words: Any) -> int:
    """Tiles that queries fill; none where they are faster one by one."""
    n_lanes = lanes_of(codes)
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
    sizes: NDArray,
    queries: NDArray,
    first: int,
    last: int,
    radius: int,
    counts: NDArray,
    words: Any,
) -> None:
    """Count for some queries; in tiles where these are enough, and codes are items."""
    n = codes.shape[0]
    n_tiles = tiles_for(last - first, codes, words)
    if n_tiles == 0 or sizes.size:
        for q in range(first, last):
            counts[q] = count_one(codes, sizes, queries, q, radius, words)
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
def count_one(
    codes: NDArray, sizes: NDArray, queries: NDArray, q: int, radius: int, words: Any
) -> int:
    """Count for one query: codes or, where there are `sizes`, their items."""
    n: Any = codes.shape[0]
    total: Any = np.int64(0)
    buffer = np.empty(STRIDE, np.uint16)
    for at in range(0, n, STRIDE):
        stop = min(n, at + STRIDE)
        # Where hits are dense, the question whether there is any costs little.
        if stop - at < STRIDE or any_below(
            codes, at, STRIDE, queries, q, radius + 1, words
        ):
            fill_distances(codes, at, stop, queries, q, buffer, words)
            if sizes.size:
                some = sizes[at:stop]
                for i in range(some.size):
                    total += some[i] & -np.int64(buffer[i] <= radius)
            else:
                for i in range(stop - at):
                    total += buffer[i] <= radius
    return total
