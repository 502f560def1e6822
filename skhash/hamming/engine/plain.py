"""The search written plainly in numpy: the meaning of the fast kernels.

Every function takes checked codes, uint8 of equal width. The kernels must return the
same arrays, bit for bit. It also serves where numba cannot compile.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skhash.hamming.real.queries import GridQueries, on_grid

__all__ = [
    "count_within",
    "distances",
    "expand_nearest",
    "expand_within",
    "histograms",
    "nearest",
    "nearest_lower",
    "on_grid",
    "relevant_histograms",
    "set_histograms",
    "within",
    "within_lower",
]

# Bytes of intermediate arrays: a chunk of queries at a time.
BUDGET = 1 << 26


def _words(codes: NDArray[np.uint8]) -> NDArray:
    """View codes as the largest unsigned integers that divide their width."""
    for dtype in (np.uint64, np.uint32, np.uint16):
        if codes.shape[1] % np.dtype(dtype).itemsize == 0:
            return codes.view(dtype)
    return codes


def _chunks(n_queries: int, n_items: int, n_bytes: int) -> Iterator[slice]:
    """Slices of the queries whose distances to all codes fit the budget."""
    step = max(1, BUDGET // max(1, n_items * (n_bytes + 10)))
    for start in range(0, n_queries, step):
        yield slice(start, start + step)


def distances(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    n_threads: int = 1,
    dtype: DTypeLike = np.uint16,
) -> NDArray:
    """All distances between queries and database."""
    out = np.empty((len(queries), len(database)), dtype)
    query_words, database_words = _words(queries), _words(database)
    for rows in _chunks(*out.shape, queries.shape[1]):
        different = query_words[rows, None, :] ^ database_words[None, :, :]
        np.bitwise_count(different).sum(axis=2, dtype=dtype, out=out[rows])
    return out


def nearest(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    k: int,
    n_threads: int = 1,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the k nearest codes of each query."""
    indices = np.empty((len(queries), k), dtype=np.int64)
    found = np.empty((len(queries), k), dtype=np.int32)
    for rows in _chunks(len(queries), len(database), queries.shape[1]):
        dist = distances(queries[rows], database)
        # A stable sort orders equal distances by index.
        order = np.argsort(dist, axis=1, kind="stable")[:, :k]
        indices[rows] = order
        found[rows] = np.take_along_axis(dist, order, axis=1)
    return found, indices


def within(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    radius: int,
    n_threads: int = 1,
    known: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Find the codes within a radius of each query; `known` numbers are not needed."""
    counts, found, indices = [0], [], []
    for rows in _chunks(len(queries), len(database), queries.shape[1]):
        for dist in distances(queries[rows], database):
            inside = np.flatnonzero(dist <= radius)
            inside = inside[np.argsort(dist[inside], kind="stable")]
            counts.append(len(inside))
            found.append(dist[inside])
            indices.append(inside)
    indptr = np.cumsum(counts, dtype=np.int64)
    if not found:
        return indptr, np.empty(0, np.int32), np.empty(0, np.int64)
    return (
        indptr,
        np.concatenate(found).astype(np.int32),
        np.concatenate(indices).astype(np.int64),
    )


def count_within(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    radius: int,
    n_threads: int = 1,
    sizes: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Count the codes within a radius; each stands for a number of items, `sizes`."""
    if sizes is None:
        sizes = np.ones(len(database), np.int64)
    counts = np.zeros(len(queries), np.int64)
    for rows in _chunks(len(queries), len(database), queries.shape[1]):
        for at, dist in enumerate(distances(queries[rows], database), rows.start):
            counts[at] = sizes[dist <= radius].sum()
    return counts


def histograms(
    queries: NDArray[np.uint8], database: NDArray[np.uint8], n_threads: int = 1
) -> NDArray[np.int64]:
    """Count, for each query, the codes at every distance."""
    n_bins = 8 * queries.shape[1] + 1
    out = np.zeros((len(queries), n_bins), dtype=np.int64)
    for rows in _chunks(len(queries), len(database), queries.shape[1]):
        for row, dist in zip(
            out[rows], distances(queries[rows], database), strict=True
        ):
            row[:] = np.bincount(dist, minlength=n_bins)
    return out


def relevant_histograms(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    query_labels: NDArray,
    database_labels: NDArray,
    n_threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Histograms of all items, and of those that share a label with the query.

    Labels are integer classes of shape (n,), or bool of shape (n, n_classes).
    """
    n_bins = 8 * queries.shape[1] + 1
    n_total = np.zeros((len(queries), n_bins), dtype=np.int64)
    n_relevant = np.zeros_like(n_total)
    for rows in _chunks(len(queries), len(database), queries.shape[1]):
        dist = distances(queries[rows], database)
        for i, (row, label) in enumerate(zip(dist, query_labels[rows], strict=True)):
            if database_labels.ndim == 1:
                relevant = database_labels == label
            else:
                relevant = (database_labels & label).any(axis=1)
            at = rows.start + i
            n_total[at] = np.bincount(row, minlength=n_bins)
            n_relevant[at] = np.bincount(row[relevant], minlength=n_bins)
    return n_total, n_relevant


def set_histograms(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    sets: Any,
    lists: Any,
    n_threads: int = 1,
) -> NDArray[np.int64]:
    """Histograms of items that share a label: `sets` are CSR rows of the queries,
    `lists` those of the classes.
    """
    n_bins = 8 * queries.shape[1] + 1
    out = np.zeros((len(queries), n_bins), np.int64)
    for q in range(len(queries)):
        classes = sets.indices[sets.indptr[q] : sets.indptr[q + 1]]
        relevant = np.unique(lists[classes].indices)
        dist = distances(queries[q : q + 1], database[relevant])[0]
        out[q] = np.bincount(dist, minlength=n_bins)
    return out


def expand_nearest(
    found: NDArray,
    groups: NDArray,
    bounds: NDArray,
    items: NDArray,
    distances: NDArray,
    indices: NDArray,
) -> None:
    """Fill rows of the k nearest items from rows of the nearest groups."""
    k = indices.shape[1]
    for q in range(len(found)):
        sizes = np.diff(bounds)[groups[q]]
        listed = [items[bounds[group] : bounds[group + 1]] for group in groups[q]]
        near = np.repeat(found[q], sizes)
        order = np.lexsort((np.concatenate(listed), near))[:k]
        distances[q], indices[q] = near[order], np.concatenate(listed)[order]


def expand_within(
    rows: NDArray,
    found: NDArray,
    groups: NDArray,
    bounds: NDArray,
    items: NDArray,
    distances: NDArray,
    indices: NDArray,
) -> None:
    """Fill the items within a radius, query by query, from the groups within it."""
    at = 0
    for first, last in pairwise(rows):
        listed = [items[bounds[g] : bounds[g + 1]] for g in groups[first:last]]
        near = np.repeat(found[first:last], [len(part) for part in listed])
        mine = slice(at, at + len(near))
        if len(near):
            order = np.lexsort((np.concatenate(listed), near))
            distances[mine] = near[order]
            indices[mine] = np.concatenate(listed)[order]
        at += len(near)


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
    indices = np.empty((len(widths), k), np.int64)
    found = np.empty((len(widths), k))
    for q, bounds in enumerate(_lower(queries, codes, factors, constants, widths)):
        indices[q] = np.argsort(bounds, kind="stable")[:k]
        found[q] = bounds[indices[q]]
    return found, indices


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
    offsets, found, indices = [0], [np.empty(0)], [np.empty(0, np.int64)]
    for q, bounds in enumerate(_lower(queries, codes, factors, constants, widths)):
        inside = np.flatnonzero(bounds <= limits[q])
        offsets.append(offsets[-1] + len(inside))
        found.append(bounds[inside])
        indices.append(inside)
    return np.concatenate(found), np.concatenate(indices), np.array(offsets)


def _lower(
    queries: GridQueries,
    codes: NDArray[np.uint8],
    factors: NDArray[np.float32],
    constants: NDArray[np.float64],
    widths: NDArray[np.float64],
) -> Iterator[NDArray[np.float64]]:
    """Lower bounds of all items, query by query.

    A query of B bits a value is B codes, and its product with the signs of a code is a
    weighted sum of Hamming distances.
    """
    slope, offset, error = factors.astype(np.float64).T
    n_bits = queries.levels.shape[1]
    if n_bits % 8:  # what stands in the last byte behind the bits does not count
        bits = np.unpackbits(codes, axis=1, count=n_bits)
        codes = np.packbits(bits, axis=1)
    for q, levels in enumerate(queries.levels):
        planes = levels >> np.arange(queries.n_planes, dtype=np.uint8)[:, None] & 1
        apart = distances(np.packbits(planes, axis=1), codes, dtype=np.int64)
        total = (apart << np.arange(queries.n_planes)[:, None]).sum(axis=0)
        products = queries.steps[q] * (queries.most * n_bits / 2 - total)
        yield slope * products + offset + constants[q] - widths[q] * error
