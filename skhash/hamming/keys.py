"""A distance and an index as one integer, which sorts as answers are ordered.

Equal distances are ordered by index, so keys in ascending order are an answer. The
three functions take numbers, numpy arrays and tensors alike; `skhash.hamming.simd.keys`
has them for kernels.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The low bits of a key, which hold the index.
INDEX_BITS = 40
# Keys that are taken apart at a time, so that they stay in the cache.
STEP = 1 << 16


def key_of(distance: Any, index: Any) -> Any:
    """The key of an item at a distance."""
    return distance << INDEX_BITS | index


def distance_of(key: Any) -> Any:
    """The distance that a key holds."""
    return key >> INDEX_BITS


def index_of(key: Any) -> Any:
    """The index that a key holds."""
    return key & ((1 << INDEX_BITS) - 1)


def joined_answers(
    counts: NDArray[np.int64],
    found: list[NDArray[np.int64]],
    rest: NDArray[np.bool_] | None = None,
    scanned: tuple[NDArray, NDArray, NDArray] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Join the keys of some queries, in order, and what a scan found for the `rest`.

    `counts` are the queries' numbers of answers, those of the rest excepted. The list
    of keys is used up, so that they do not lie beside all that is made of them.
    """
    if rest is not None and scanned is not None:
        counts[rest] = np.diff(scanned[0])
    indptr = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=indptr[1:])
    if rest is None and len(found) == 1 and len(found[0]) <= STEP:  # soonest
        keys = found.pop()
        return indptr, distance_of(keys).astype(np.int32), index_of(keys)
    distances = np.empty(indptr[-1], np.int32)
    indices = np.empty(indptr[-1], np.int64)
    if rest is None or scanned is None:
        fill(distances, indices, found)
        return indptr, distances, indices
    mine = np.repeat(rest, counts)
    distances[mine], indices[mine] = scanned[1:]
    np.logical_not(mine, out=mine)
    near = np.empty(len(mine) - len(scanned[1]), np.int32)
    items = np.empty(len(near), np.int64)
    fill(near, items, found)
    distances[mine], indices[mine] = near, items
    return indptr, distances, indices


def fill(
    distances: NDArray[np.int32],
    indices: NDArray[np.int64],
    found: list[NDArray[np.int64]],
) -> None:
    """Take keys apart into arrays of their length; the list is empty then."""
    at = 0
    found.reverse()
    while found:
        keys = found.pop()
        for first in range(0, len(keys), STEP):
            some = keys[first : first + STEP]
            distances[at : at + len(some)] = distance_of(some)
            indices[at : at + len(some)] = index_of(some)
            at += len(some)


def blocks(indptr: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Bounds of rows side by side with at most this many answers; or of one row."""
    first, n_rows = 0, len(indptr) - 1
    while first < n_rows:
        last = int(np.searchsorted(indptr, indptr[first] + most, side="right")) - 1
        last = max(first + 1, last)
        yield first, last
        first = last
