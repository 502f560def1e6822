"""The order in which vectors are read, kept over shards, so that it ends alike.

Reading stops at the first bound above the k-th value found so far, and what was read by
then decides the answer. A shard knows fewer values, so it reads on for longer: what one
search reads of it comes first among what it reads. So shards tell all that they read,
and whoever merges them goes through it again in the order of one search.
"""

from typing import Any, NamedTuple

import numpy as np

from skhash.hamming.asymmetric import nearest_lower, within_lower
from skhash.hamming.vectors import StoredVectors, read_all, read_nearest
from skhash.neighbors.vector_shards import READY, TOGETHER, limit_above, parts_of


class Read(NamedTuple):
    """What was read for each query, in ascending order of (bound, row).

    That of query q stands at ``offsets[q]:offsets[q + 1]``.
    """

    offsets: np.ndarray
    bounds: np.ndarray  # as the scan gives them: a value is scale * bound + low
    values: np.ndarray
    rows: np.ndarray  # of the whole database
    ids: np.ndarray | None
    lows: np.ndarray  # one for each query
    scale: float


class Searched(NamedTuple):
    """Codes and what belongs to them, of a shard or of those that a filter leaves."""

    codes: np.ndarray
    factors: Any
    rows: np.ndarray  # where the vectors of these codes are stored
    stored: StoredVectors
    metric: str


def read_shard(searched: Searched, X, queries, k: int, query_bits: int) -> tuple:
    """What a shard reads for queries: offsets, bounds, values and stored rows."""
    found = [
        _read_some(searched, X[part], _of_some(queries, part), k, query_bits)
        for part in _parts(len(X))
    ]
    counts, *columns = map(np.concatenate, zip(*found, strict=True))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    bounds, stored_rows = columns
    exact = np.asarray(X, np.float64), searched.stored, searched.metric
    values = read_all(*exact, stored_rows, offsets, n_jobs=1)
    return offsets, bounds, values, stored_rows


def _read_some(searched, X, queries, k, query_bits):
    """Numbers of what is read, bounds and stored rows, for queries of one scan."""
    n, n_queries = len(searched.codes), len(X)
    ready = min(n, max(READY, 4 * k))
    options = {"query_bits": query_bits, "n_jobs": 1}
    task = searched.codes, searched.factors
    bounds, items = nearest_lower(
        queries.outputs, *task, ready, queries.widths, **options
    )
    offsets = np.arange(n_queries + 1) * ready
    values, n_read = _read(searched, X, queries, k, bounds.ravel(), items, offsets)
    is_open = (n_read == ready) & (ready < n)
    # All items are at one distance from a zero query: its first ones are nearest.
    unbounded = np.isneginf(queries.lows)
    n_read[unbounded], is_open[unbounded] = min(k, n), False
    bounds[unbounded], items[unbounded] = 0, np.arange(ready)
    closed = (np.arange(ready) < n_read[:, None]) & ~is_open[:, None]
    parts = [(np.nonzero(closed)[0], bounds[closed], items[closed])]
    for part in parts_of(np.flatnonzero(is_open), n):
        limits = limit_above(values[part], queries, part)
        limits = np.maximum(limits, bounds[part, -1])
        some = _of_some(queries, part)
        low, item, at = within_lower(
            some.outputs, *task, limits, some.widths, **options
        )
        of_query = np.repeat(np.arange(len(part)), np.diff(at))
        order = np.lexsort((item, low, of_query))
        low, item = low[order], item[order]
        _, more = _read(searched, X[part], some, k, low, item, at)
        kept = _first(at, more)
        parts.append((part[of_query[kept]], low[kept], item[kept]))
    of_query, bounds, items = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(of_query, kind="stable")
    counts = np.bincount(of_query, minlength=n_queries)
    return counts, bounds[order], searched.rows[items[order]]


def _read(searched, X, queries, k, bounds, items, offsets):
    """The k-th value of each query, and how many candidates are read for it."""
    lows = np.repeat(queries.lows, np.diff(offsets))
    values, _, n_read = read_nearest(
        np.asarray(X, np.float64),
        searched.stored,
        searched.metric,
        bounds * queries.scale + lows,
        searched.rows[items.ravel()],
        offsets,
        k,
        n_jobs=1,
    )
    return values[:, -1], n_read


class Reading:
    """Merges what shards read for the k nearest into what one search reads at most."""

    def __init__(self, k):
        self.k = k

    def __call__(self, parts):
        joined = _joined(parts)
        _, n_read = _again(joined, self.k)
        kept = _first(joined.offsets, n_read)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(n_read)])
        columns = {
            name: None if column is None else column[kept]
            for name, column in joined._asdict().items()
            if name in ("bounds", "values", "rows", "ids")
        }
        return joined._replace(offsets=offsets, **columns)

    def __dask_tokenize__(self):
        return type(self).__name__, self.k


def nearest_read(read: Read, k: int) -> tuple:
    """The k nearest of what was read: values, rows and, where there are any, ids."""
    at, _ = _again(read, k)
    found = read.values[at], read.rows[at]
    return found if read.ids is None else (*found, read.ids[at])


def numbers_read(read: Read, k: int) -> np.ndarray:
    """How many vectors one search reads for each query."""
    return _again(read, k)[1]


def _joined(parts):
    """What all parts read, in one order."""
    n_queries = len(parts[0].lows)
    of_query = [np.repeat(np.arange(n_queries), np.diff(p.offsets)) for p in parts]
    of_query = np.concatenate(of_query)
    bounds, values, rows = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("bounds", "values", "rows")
    )
    order = np.lexsort((rows, bounds, of_query))
    ids = parts[0].ids
    if ids is not None:
        ids = np.concatenate([part.ids for part in parts])[order]
    return parts[0]._replace(
        offsets=sum(part.offsets for part in parts),
        bounds=bounds[order],
        values=values[order],
        rows=rows[order],
        ids=ids,
    )


def _again(read, k):
    """Where the k nearest of each query are, and how many are read for them.

    The reader of vectors does it: a value v is read as -<v, -1>, which rounds nothing.
    """
    counts = np.diff(read.offsets)
    of_query = np.repeat(np.arange(len(counts)), counts)
    # Equal values are in order of their rows.
    by_row = np.lexsort((read.rows, of_query))
    place = np.empty(len(by_row), np.int64)
    place[by_row] = np.arange(len(by_row))
    values = read.values[by_row][:, None]
    _, found, n_read = read_nearest(
        np.full((len(counts), 1), -1.0),
        StoredVectors(values, values[:0]),
        "inner_product",
        read.bounds * read.scale + read.lows[of_query],
        place,
        read.offsets,
        k,
        n_jobs=1,
    )
    return by_row[found] if len(by_row) else found, n_read


def _first(offsets, counts):
    """Where the first items of each query are, so many of them."""
    starts = np.repeat(offsets[:-1], counts)
    own = np.cumsum(counts) - counts
    return starts + np.arange(counts.sum()) - np.repeat(own, counts)


def _of_some(queries, part):
    """Some of the queries."""
    return type(queries)(*(each[part] for each in queries[:-1]), queries.scale)


def _parts(n):
    """Slices of queries that are scanned together."""
    return [slice(i, i + TOGETHER) for i in range(0, n, TOGETHER)] or [slice(0, 0)]
