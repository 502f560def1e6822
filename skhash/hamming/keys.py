"""Answers that come as keys, ``distance << 40 | index``, as distances and indices."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# That many keys are taken apart at a time.
STEP = 1 << 16
INDEX_BITS = 40


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
        distances = (keys >> INDEX_BITS).astype(np.int32)
        return indptr, distances, keys & ((1 << INDEX_BITS) - 1)
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
            distances[at : at + len(some)] = some >> INDEX_BITS
            indices[at : at + len(some)] = some & ((1 << INDEX_BITS) - 1)
            at += len(some)


def blocks(indptr: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Rows side by side, as bounds, that have so many answers at most; or one row."""
    first, n_rows = 0, len(indptr) - 1
    while first < n_rows:
        last = int(np.searchsorted(indptr, indptr[first] + most, side="right")) - 1
        last = max(first + 1, last)
        yield first, last
        first = last
