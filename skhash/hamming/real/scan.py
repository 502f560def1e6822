"""Searches by real queries: every query passes over all codes, block by block."""

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.real.bounds import (
    Items,
    Queries,
    as_items,
    as_queries,
    lay_out,
    lower_bounds,
    make_room,
)
from skhash.hamming.real.least import room_for, take_low, write_least
from skhash.hamming.real.queries import GridQueries
from skhash.hamming.simd.jit import kernel
from skhash.hamming.threads.count import useful
from skhash.hamming.threads.pool import run, spans

# Queries that share a pass over the database; their tables stay in the second cache.
QUERIES = 32


def nearest_lower(
    queries: GridQueries,
    codes: NDArray[np.uint8],
    factors: NDArray[np.float32],
    constants: NDArray[np.float64],
    widths: NDArray[np.float64],
    k: int,
    n_threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The k least lower bounds of each real query, ordered by (bound, index)."""
    asked, items = as_queries(queries, constants, widths), as_items(codes, factors)
    n_threads = useful(n_threads, len(widths) * codes.size)
    groups = query_spans(len(widths), n_threads)
    # Each of few queries is shared by threads: parts of k items or more.
    n_parts = max(1, min(n_threads // max(1, len(groups)), len(codes) // k))
    bounds = [len(codes) * part // n_parts for part in range(n_parts + 1)]
    values = np.empty((n_parts, len(widths), k))
    indices = np.empty((n_parts, len(widths), k), np.int64)
    tasks = [
        (items, bounds[p], bounds[p + 1], asked, a, b, values[p], indices[p])
        for p in range(n_parts)
        for a, b in groups
    ]
    run(nearest_of_span, tasks, n_threads)
    return _merged(values, indices, k)


def within_lower(
    queries: GridQueries,
    codes: NDArray[np.uint8],
    factors: NDArray[np.float32],
    constants: NDArray[np.float64],
    widths: NDArray[np.float64],
    limits: NDArray[np.float64],
    n_threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The items of each real query whose lower bound is at most its limit."""
    asked, items = as_queries(queries, constants, widths), as_items(codes, factors)
    n_threads = useful(n_threads, len(widths) * codes.size)
    groups = query_spans(len(widths), n_threads)
    # Counted first, then collected into place.
    counts = np.zeros(len(widths), np.int64)
    nowhere = np.empty(0), np.empty(0, np.int64)
    tasks = [(items, asked, a, b, limits, counts, *nowhere) for a, b in groups]
    run(within_of_span, tasks, n_threads)
    offsets = np.zeros(len(widths) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    places, found = offsets[:-1].copy(), np.empty(offsets[-1])
    indices = np.empty(offsets[-1], np.int64)
    if len(found):
        tasks = [(*task[:5], places, found, indices) for task in tasks]
        run(within_of_span, tasks, n_threads)
    return found, indices, offsets


def query_spans(n_queries: int, n_threads: int) -> list[tuple[int, int]]:
    """The queries of each task."""
    n_tasks = max(min(n_threads, n_queries), -(-n_queries // QUERIES))
    return spans(0, n_queries, n_tasks, 1)


def _merged(
    values: NDArray[np.float64], indices: NDArray[np.int64], k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The k least of the answers of all parts; earlier parts have lower indices."""
    if len(values) == 1:
        return values[0], indices[0]
    joined, places = np.concatenate(values, axis=1), np.concatenate(indices, axis=1)
    order = np.argsort(joined, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(joined, order, axis=1),
        np.take_along_axis(places, order, axis=1),
    )


@kernel
def nearest_of_span(
    items: Items,
    first: int,
    last: int,
    queries: Queries,
    first_query: int,
    last_query: int,
    values: NDArray,
    indices: NDArray,
) -> None:
    """Search ``items[first:last]``, k or more of them, for some queries."""
    codes, room = items[0], make_room(items, queries, first_query, last_query)
    columns, bounds = room[0], room[3]
    step = bounds.size
    n_queries, k = last_query - first_query, values.shape[1]
    capacity = min(room_for(k), last - first + 1)
    candidates = np.empty((n_queries, capacity))
    numbers = np.empty((n_queries, capacity), np.int64)
    state = np.full((n_queries, 2), np.inf)
    state[:, 0] = 0
    for block in range(first, last, step):
        stop = min(last, block + step)
        lay_out(codes, block, stop, columns)
        for at in range(n_queries):
            lower_bounds(items, block, stop, queries, first_query + at, at, room)
            low = bounds[: stop - block]
            take_low(low, block, k, candidates[at], numbers[at], state[at])
    for at in range(n_queries):
        q, stored = first_query + at, int(state[at, 0])
        write_least(candidates[at], numbers[at], stored, values[q], indices[q])


@kernel
def within_of_span(
    items: Items,
    queries: Queries,
    first_query: int,
    last_query: int,
    limits: NDArray,
    places: NDArray,
    found: NDArray,
    indices: NDArray,
) -> None:
    """Write the items of each query from its place on, which moves behind them.

    Where there is no room at all, places only move.
    """
    codes, room = items[0], make_room(items, queries, first_query, last_query)
    columns, bounds = room[0], room[3]
    step, n = bounds.size, codes.shape[0]
    for block in range(0, n, step):
        stop = min(n, block + step)
        lay_out(codes, block, stop, columns)
        for q in range(first_query, last_query):
            lower_bounds(items, block, stop, queries, q, q - first_query, room)
            place = places[q]
            for i in range(stop - block):
                if bounds[i] <= limits[q]:
                    if found.size:
                        found[place], indices[place] = bounds[i], block + i
                    place += 1
            places[q] = place
