"""All codes within a radius: counted exactly first, then collected into place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.counting import (
    bounds,
    clipped,
    count_within,
    query_spans,
    tiles_for,
)
from skhash.hamming.scan.select import distance_at, near_ones
from skhash.hamming.scan.tiles import STRIDE, block_size, next_chunk, to_lanes
from skhash.hamming.simd.ir import CHUNK
from skhash.hamming.simd.jit import inlined, kernel
from skhash.hamming.simd.keys import distance_of, index_of, key_of
from skhash.hamming.simd.vectors import any_below, lowest_bit
from skhash.hamming.simd.words import as_words
from skhash.hamming.threads.pool import run


def within(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    radius: int,
    n_threads: int = 1,
    counts: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Find the codes within a radius of each query.

    Their numbers need not be counted where they are known.
    """
    if counts is None:
        counts = count_within(queries, database, radius, n_threads)
    words, codes = as_words(queries), as_words(database)
    indptr = np.zeros(len(queries) + 1, np.int64)
    np.cumsum(counts, out=indptr[1:])
    distances = np.empty(indptr[-1], np.int32)
    indices = np.empty(indptr[-1], np.int64)
    tasks = [
        (codes, words, a, b, clipped(codes, radius), indptr, distances, indices, tag)
        for a, b, tag in query_spans(words, codes, n_threads)
    ]
    run(collect_span, tasks, n_threads)
    return indptr, distances, indices


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
    """Pass a block of codes by the queries of one tile."""
    n_lanes = in_lanes.shape[2]
    at: Any = first
    while at < last:
        at, hits = next_chunk(codes, at, last, in_lanes, tile, below, words)
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
    """Pass a block of codes by one query."""
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
