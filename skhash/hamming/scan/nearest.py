"""The k nearest codes by a scan of the whole database."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.select import distance_at
from skhash.hamming.scan.tiles import nearest_by_scan
from skhash.hamming.simd.jit import kernel
from skhash.hamming.simd.words import as_words, lanes, width_tag
from skhash.hamming.threads.count import useful
from skhash.hamming.threads.pool import run, spans

# Tiles of queries (a vector each) that share a pass over the database.
TILES = 4
# Neighbours beyond this share of the database are found by counting.
COUNTING_SHARE = 16


def nearest(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    k: int,
    n_threads: int = 1,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the k nearest codes of each query."""
    queries, codes = as_words(queries), as_words(database)
    n_queries, n = len(queries), len(codes)
    distances = np.empty((n_queries, k), np.int32)
    indices = np.empty((n_queries, k), np.int64)
    if n_queries == 0:
        return distances, indices
    words = width_tag(codes)
    n_threads = useful(n_threads, n_queries * codes.size)
    group = TILES * lanes(codes)
    tasks: list[tuple]
    if k * COUNTING_SHARE > n > 4096:
        parts = spans(0, n_queries, 4 * n_threads, 1)
        tasks = [(codes, queries, a, b, k, distances, indices, words) for a, b in parts]
        run(nearest_by_counting, tasks, n_threads)
    elif n_threads == 1 and n_queries <= group:
        nearest_by_scan(
            codes, 0, n, queries, 0, n_queries, k, distances, indices, words
        )
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
        distances, indices = all_distances[q], all_indices[q]
        position[:] = 0
        for i in range(codes.shape[0]):
            position[distance_at(codes, i, queries, q, words) + 1] += 1
        for distance in range(n_bins):
            position[distance + 1] += position[distance]
        for i in range(codes.shape[0]):
            distance = distance_at(codes, i, queries, q, words)
            at = position[distance]
            if at < k:
                position[distance] = at + 1
                distances[at] = distance
                indices[at] = i
