"""Nearest real vectors, exactly: what codes are measured against, and learn from.

Products in float32 say which items may be among the nearest; these alone are compared,
by float64 sums in a fixed order. So the answer depends neither on threads nor on
blocks, and equal vectors are ordered by index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.utils import check_array

# How near vectors are; greater is nearer in all that follows.
METRICS = ("cosine", "euclidean", "inner_product")
# Queries and items that are compared at a time, items that tell how near the nearest
# are at least, and values that are gathered at a time.
_QUERIES, _ITEMS, _FIRST, _VALUES = 2048, 8192, 2048, 1 << 21
# How many times longer than most an item is looked at by itself, and how many may be.
_FAR, _FEW = 8, 64
# Queries whose last place is contested that are compared with items at a time.
_TIED = 128
# Places of queries in a block, and items.
Pairs = tuple[np.ndarray, np.ndarray]
# What float32 and float64 round off, relative to a number.
_ROUND, _ROUND_64 = 2.0**-24, 2.0**-52


def check_vectors(
    vectors: ArrayLike, name: str, *, n: int | None = None, width: int | None = None
) -> np.ndarray:
    """Finite real vectors as a 2-D array in their own dtype; a memmap stays on disk.

    `n` and `width` are how many there must be, and of how many numbers.
    """
    checked: np.ndarray = check_array(vectors, dtype="numeric", input_name=name)
    if n is not None and len(checked) != n:
        raise ValueError(
            f"{name} has {len(checked)} rows for {n} codes: give one vector per code."
        )
    if width is not None and checked.shape[1] != width:
        raise ValueError(
            f"{name} has {checked.shape[1]} columns, but {width} were expected: give "
            "all vectors from the same space."
        )
    return checked


def nearest_vectors(
    queries: np.ndarray,
    database: np.ndarray,
    k: int,
    metric: str = "cosine",
    *,
    exclude_self: bool = False,
) -> Iterator[np.ndarray]:
    """Indices of the `k` nearest items of each query, a block of queries at a time.

    Parameters
    ----------
    queries, database : ndarray of shape (n_queries, d) and (n_items, d)
        Real vectors, checked.
    k : int
        How many; no more than there are items.
    metric : {"cosine", "euclidean", "inner_product"}, default="cosine"
        A zero vector has the cosine 0 with all others.
    exclude_self : bool, default=False
        Whether query i is item i, which is left out.

    Yields
    ------
    indices : ndarray of shape (n_block, k), int64
        The nearest first; equally near ones by index.
    """
    k = min(k, len(database) - exclude_self)
    space = _Space(database, queries, metric)
    for start in range(0, len(queries), _QUERIES):
        block = space.exact(queries[start : start + _QUERIES])
        yield _nearest(block, database, space, k, start if exclude_self else None)[1]


def true_neighbors(
    queries: np.ndarray,
    database: np.ndarray,
    k: int,
    metric: str = "cosine",
    *,
    exclude_self: bool = False,
) -> Iterator[tuple[slice, Pairs, Iterator[Pairs]]]:
    """The `k` nearest items of each query, none preferred among equally near ones.

    Parameters are those of :func:`nearest_vectors`.

    Yields
    ------
    rows : slice
        A block of queries.
    sure : tuple of two ndarrays of int64
        Pairs of a query, as its place in the block, and an item that is among its
        nearest however equally near ones are ordered.
    tied : iterator over the same
        Pairs of a query and an item as near as the last of its nearest, where there are
        more of these than places left.
    """
    n_others = len(database) - exclude_self
    k = min(k, n_others)
    space = _Space(database, queries, metric)
    for start in range(0, len(queries), _QUERIES):
        block = space.exact(queries[start : start + _QUERIES])
        rows, own = slice(start, start + len(block)), start if exclude_self else None
        # One more tells whether the last place is contested.
        more = min(k + 1, n_others)
        values, indices = _nearest(block, database, space, more, own)
        last = values[:, k - 1]
        contested = (values[:, k:] == last[:, None]).any(axis=1)
        sure = ~contested[:, None] | (values[:, :k] > last[:, None])
        row, place = np.nonzero(sure)
        asked = np.flatnonzero(contested)
        tied = _equally_near(block, database, space, last, asked, own)
        yield rows, (row, indices[row, place]), tied


def neighbor_matrix(
    queries: np.ndarray,
    database: np.ndarray,
    k: int,
    metric: str = "cosine",
    *,
    exclude_self: bool = False,
) -> sparse.csr_array:
    """The same as ones in a sparse matrix of shape (n_queries, n_items)."""
    blocks = nearest_vectors(queries, database, k, metric, exclude_self=exclude_self)
    indices = np.concatenate(list(blocks))
    starts = np.arange(len(indices) + 1) * indices.shape[1]
    ones = np.ones(indices.size, dtype=np.int8)
    shape = len(queries), len(database)
    return sparse.csr_array((ones, indices.ravel(), starts), shape=shape)


class _Space:
    """How near vectors are: roughly by products in float32, and exactly.

    Vectors are scaled by a power of two, so that no square overflows; under "cosine"
    each to length 1.
    """

    def __init__(self, database: np.ndarray, queries: np.ndarray, metric: str) -> None:
        self.metric = metric
        self.scale, self.center = 1.0, np.zeros(database.shape[1])
        if metric == "cosine":
            return
        largest = max(_largest(database), _largest(queries))
        self.scale = 2.0 ** -np.ceil(np.log2(largest)) if largest else 1.0
        if metric == "euclidean":  # products of what is left round off less
            # The median of some: a single far item would move the mean.
            some = database[:: -(-len(database) // _FIRST)]
            self.center = np.median(self.exact(some), axis=0)

    def exact(self, rows: np.ndarray) -> np.ndarray:
        """Scaled vectors in float64."""
        if self.metric != "cosine":
            return rows.astype(np.float64) * self.scale
        rows = rows.astype(np.float64)
        rows /= np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-300)
        length = np.sqrt(_dots(rows, rows))[:, None]
        return np.divide(rows, length, out=rows, where=length > 0)

    def rough(
        self, queries: np.ndarray, items: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rough nearness of exact vectors in float32, what to add to it, its error.

        And the items that this leaves out: a few that are far longer than the others,
        whose error would be that of all.
        """
        queries, items = queries - self.center, items - self.center
        near = queries.astype(np.float32) @ items.astype(np.float32).T
        own, others = _dots(queries, queries), _dots(items, items)
        long, lengths = np.sqrt(own), np.sqrt(others)
        far = lengths > _FAR * np.median(lengths)
        far &= far.sum() <= _FEW
        longest = lengths[~far].max()
        width = items.shape[1]
        error = (width + 8) * _ROUND * (long * longest + 2.0**-100)
        if self.metric != "euclidean":
            return near, np.zeros(len(queries)), error, far
        near *= 2
        near -= others.astype(np.float32)
        error = 2 * error + 8 * _ROUND * (long + longest) ** 2
        # The centre is not subtracted exactly; scaled numbers are at most 1.
        error += 8 * np.sqrt(width) * _ROUND_64 * (long + longest)
        return near, -own, error, far

    def nearness(self, queries: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Nearness of pairs of exact vectors, in float64."""
        if self.metric == "euclidean":
            apart = queries - items
            return -_dots(apart, apart)
        return _dots(queries, items)


def _nearest(
    queries: np.ndarray, database: np.ndarray, space: _Space, k: int, own: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """How near the nearest items of a block are, and which; query 0 is item `own`."""
    n = len(queries)
    values, indices = np.full((n, k), -np.inf), np.full((n, k), len(database))
    for start in range(0, len(database), _ITEMS):
        items = space.exact(database[start : start + _ITEMS])
        near, shift, error, far = space.rough(queries, items)
        near[:, far] = near[:, _late_copies(items, k)] = -np.inf
        if space.metric != "euclidean":  # to a vector of zeros all are equally near
            near[~queries.any(axis=1), k + 1 :] = -np.inf
        if own is not None:
            row = np.arange(max(own, start), min(own + n, start + len(items)))
            near[row - own, row - start] = -np.inf
        limit = values[:, -1] - shift - error
        first = near[:, : max(_FIRST, k)]
        if k <= first.shape[1] and np.isneginf(limit).any():
            kth = np.partition(first, first.shape[1] - k, axis=1)[:, -k]
            limit = np.maximum(limit, kth - 2 * error)
        low = np.nextafter(limit.astype(np.float32), np.float32(-np.inf))
        near[:, far] = np.inf
        row, col = np.divmod(np.flatnonzero(near >= low[:, None]), len(items))
        if own is not None:
            other = row + own != col + start
            row, col = row[other], col[other]
        if len(row):
            found = _compared(queries, items, space, row, col)
            values, indices = _merge(values, indices, row, found, col + start)
    return values, indices


def _equally_near(
    queries: np.ndarray,
    database: np.ndarray,
    space: _Space,
    values: np.ndarray,
    asked: np.ndarray,
    own: int | None,
) -> Iterator[Pairs]:
    """Pairs of the queries that are asked and the items exactly as near as `values`."""
    for first in range(0, len(asked), _TIED):
        some = asked[first : first + _TIED]
        block, value = queries[some], values[some]
        for start in range(0, len(database), _ITEMS):
            items = space.exact(database[start : start + _ITEMS])
            copies, starts = _copies(items)
            items = items[copies[starts[:-1]]]
            near, shift, error, far = space.rough(block, items)
            near[:, far] = np.inf
            limit = (value - shift - error).astype(np.float32)
            low = np.nextafter(limit, np.float32(-np.inf))
            row, col = np.nonzero(near >= low[:, None])
            equal = _compared(block, items, space, row, col) == value[row]
            row, col = row[equal], col[equal]
            # All copies of an item are as near as the first of them.
            counts = np.diff(starts)[col]
            ends = np.cumsum(counts)
            places = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
            row = some[np.repeat(row, counts)]
            col = start + copies[np.repeat(starts[col], counts) + places]
            other = slice(None) if own is None else row + own != col
            yield row[other], col[other]


def _copies(items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Items in an order in which equal ones are together, and where each lot starts."""
    keys = _keys(items)
    order = np.argsort(keys, kind="stable")
    same = np.equal(keys[order[1:]], keys[order[:-1]])
    same[same] = (items[order[1:][same]] == items[order[:-1][same]]).all(axis=1)
    starts = np.flatnonzero(np.concatenate([[True], ~same, [True]]))
    return order, starts


def _compared(
    queries: np.ndarray,
    items: np.ndarray,
    space: _Space,
    row: np.ndarray,
    col: np.ndarray,
) -> np.ndarray:
    """Nearness of pairs of queries and items, not all gathered at once."""
    step = max(1, _VALUES // items.shape[1])
    values = np.zeros(len(row))
    # To a vector of zeros all are equally near, unless distances count.
    some = np.arange(len(row))
    if space.metric != "euclidean":
        some = some[np.asarray(queries.any(axis=1))[row]]
    for start in range(0, len(some), step):
        part = some[start : start + step]
        values[part] = space.nearness(queries[row[part]], items[col[part]])
    return values


def _late_copies(items: np.ndarray, k: int) -> np.ndarray:
    """Places of items that cannot be among k: they equal as many and one before them.

    Empty texts, black images: without this, all would be compared with all.
    """
    keys = _keys(items)
    order = np.argsort(keys, kind="stable")
    if k + 1 >= len(order):
        return order[:0]
    # Those of equal keys lie together; an item whose (k + 1)-th before it is equal.
    later, before = order[k + 1 :], order[: -(k + 1)]
    maybe = keys[later] == keys[before]
    later, before = later[maybe], before[maybe]
    return later[(items[later] == items[before]).all(axis=1)]


def _keys(items: np.ndarray) -> np.ndarray:
    """A number of each item, the same for equal ones and seldom for others."""
    return _dots(items, np.broadcast_to(np.cos(np.arange(items.shape[1])), items.shape))


def _merge(
    values: np.ndarray,
    indices: np.ndarray,
    row: np.ndarray,
    found: np.ndarray,
    index: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The best of each row among those so far and those found, by (value, index)."""
    n, k = values.shape
    rows = np.concatenate([np.repeat(np.arange(n), k), row])
    all_values = np.concatenate([values.ravel(), found])
    all_indices = np.concatenate([indices.ravel(), index])
    order = np.lexsort((all_indices, -all_values, rows))
    starts = np.searchsorted(rows[order], np.arange(n))
    kept = order[starts[:, None] + np.arange(k)]
    return all_values[kept], all_indices[kept]


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products of rows, each summed in the same order wherever it lies."""
    return np.einsum("ij,ij->i", a, b)


def _runs(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of an array, some at a time."""
    return (vectors[i : i + _ITEMS] for i in range(0, len(vectors), _ITEMS))


def _largest(vectors: np.ndarray) -> float:
    """The largest size of any value."""
    sizes: Any = (np.abs(rows.astype(np.float64)).max() for rows in _runs(vectors))
    return float(max(sizes, default=0.0))
