"""Nearest vectors and vectors within a radius: a scan of codes, then reading.

The scan gives a bound below each distance. Vectors are read in the order of bounds,
until no unread one can be among those asked for.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skhash.hamming.asymmetric import nearest_lower, within_lower
from skhash.hamming.vectors import read_all, read_nearest
from skhash.progress import followed

# Queries that are searched for together.
TOGETHER = 256
# Vectors that the first scan makes ready to be read: most queries need no second one.
READY = 256
# Candidates of queries that are listed at a time, at most, of more queries than one.
LISTED = 1 << 22


class Found(NamedTuple):
    """Nearest neighbours: distances, rows and how many vectors were read."""

    distances: np.ndarray  # (n_queries, k), float64
    indices: np.ndarray  # (n_queries, k), int64
    n_read: np.ndarray  # (n_queries,), int64


class Scanned(NamedTuple):
    """What is searched: a database, or the rows of it that a filter lets through."""

    database: object
    codes: np.ndarray
    factors: object
    rows: np.ndarray | None
    epsilon: float
    query_bits: int
    n_jobs: int | None

    @classmethod
    def of(cls, database, estimator, rows=None):
        """What an estimator's options search."""
        codes, factors = database.codes, database.factors
        if rows is not None:
            codes, factors = codes[rows], factors.subset(rows)
        options = estimator.epsilon, estimator.query_bits, estimator.n_jobs
        return cls(database, codes, factors, rows, *options)

    @property
    def options(self):
        """Options of a scan of codes."""
        return {"query_bits": self.query_bits, "n_jobs": self.n_jobs}

    @property
    def metric(self):
        """What is measured."""
        return self.database.bounds.metric

    def named(self, indices):
        """Rows of the database."""
        return indices if self.rows is None else self.rows[indices]

    def queries(self, X):
        """Queries for bounds."""
        return self.database.queries(X, self.epsilon, self.query_bits)


def nearest(scanned, X, k, verbose=0):
    """The k nearest vectors of each query, ordered by (distance, index)."""
    parts = [slice(i, i + TOGETHER) for i in range(0, len(X), TOGETHER)]
    find = estimated if scanned.database.vectors is None else exact
    found = [
        find(scanned, X[part], k)
        for part in followed(
            parts, "searching", len(parts), size=lambda part: 1, verbose=verbose
        )
    ]
    values, indices, n_read = map(np.concatenate, zip(*found, strict=True))
    return Found(as_distances(values, scanned.metric), indices, n_read)


def estimated(scanned, X, k):
    """The k least estimates of each query."""
    queries = scanned.queries(X)
    values, indices = nearest_lower(
        queries.outputs,
        scanned.codes,
        scanned.factors,
        k,
        queries.shifts,
        **scanned.options,
    )
    values = values * queries.scale + queries.constants[:, None]
    return values, scanned.named(indices), np.zeros(len(X), np.int64)


def exact(scanned, X, k):
    """The k nearest of each query: those of the least bounds are read first."""
    queries, n = scanned.queries(X), len(scanned.codes)
    ready = min(n, max(READY, 4 * k))
    task = queries.outputs, scanned.codes, scanned.factors
    bounds, indices = nearest_lower(*task, ready, queries.widths, **scanned.options)
    last = bounds[:, -1]
    bounds = bounds * queries.scale + queries.lows[:, None]
    offsets = np.arange(len(X) + 1) * ready
    found = read(scanned, X, k, bounds.ravel(), indices.ravel(), offsets)
    if ready < n:
        open_ = np.flatnonzero(found.n_read == ready)
        for part in parts_of(open_, n):
            limits = limit_above(found.distances[part, -1], queries, part)
            # What was read stays: it may be nearer than its bound, where that errs.
            limits = np.maximum(limits, last[part])
            more = read(scanned, X[part], k, *listed(scanned, queries, part, limits))
            for all_rows, mine in zip(found, more, strict=True):
                all_rows[part] = mine
    return found


def read(scanned, X, k, bounds, indices, offsets):
    """The k nearest of candidates in ascending order of bounds, by values."""
    return Found(
        *read_nearest(
            np.asarray(X, np.float64),
            scanned.database.vectors.stored,
            scanned.metric,
            bounds,
            scanned.named(indices),
            offsets,
            k,
            n_jobs=scanned.n_jobs,
        )
    )


def listed(scanned, queries, part, limits):
    """All candidates below a limit, in ascending order of bounds, query by query."""
    bounds, indices, offsets = within_lower(
        queries.outputs[part],
        scanned.codes,
        scanned.factors,
        limits,
        queries.widths[part],
        **scanned.options,
    )
    for q, (start, stop) in enumerate(pairwise(offsets)):
        order = start + np.argsort(bounds[start:stop], kind="stable")
        bounds[start:stop], indices[start:stop] = (
            bounds[order] * queries.scale + queries.lows[part[q]],
            indices[order],
        )
    return bounds, indices, offsets


def limit_of(values, queries, part):
    """The least estimate whose bound is above a value."""
    return (values - queries.lows[part]) / queries.scale


def limit_above(values, queries, part):
    """A limit that leaves out no bound of at most a value, however that is rounded."""
    lows = queries.lows[part]
    rounding = 2.0**-50 * (np.abs(values) + np.abs(lows))
    return (values - lows + rounding) / queries.scale


def parts_of(rows, n):
    """Queries, a few at a time where each may have n candidates."""
    step = min(TOGETHER, max(1, LISTED // max(1, n)))
    return [rows[i : i + step] for i in range(0, len(rows), step)]


def within(scanned, X, radius, verbose=0):
    """All vectors within a radius: indptr, distances and rows, ordered as `nearest`."""
    counts, distances, indices = [np.zeros(1, np.int64)], [np.empty(0)], []
    indices.append(np.empty(0, np.int64))
    value = radius**2 if scanned.metric == "euclidean" else radius
    parts = parts_of(np.arange(len(X)), len(scanned.codes))
    for rows in followed(
        parts, "searching", len(parts), size=lambda part: 1, verbose=verbose
    ):
        found = within_value(scanned, X[rows], value)
        for mine, more in zip((counts, distances, indices), found, strict=True):
            mine.append(more)
    indptr = np.cumsum(np.concatenate(counts))
    values = np.concatenate(distances)
    return indptr, as_distances(values, scanned.metric), np.concatenate(indices)


def within_value(scanned, X, value):
    """Counts of each query, values and rows of what is at most at a value."""
    queries, n_queries = scanned.queries(X), len(X)
    everyone, limit = np.arange(n_queries), np.full(n_queries, value)
    if scanned.database.vectors is None:
        lows, widths = queries.constants, queries.shifts
    else:
        lows, widths = queries.lows, queries.widths
    queries = queries._replace(lows=lows, widths=widths)
    limits = limit_of(limit, queries, everyone)
    values, indices, offsets = listed(scanned, queries, everyone, limits)
    indices = scanned.named(indices)
    if scanned.database.vectors is not None:
        values = read_all(
            np.asarray(X, np.float64),
            scanned.database.vectors.stored,
            scanned.metric,
            indices,
            offsets,
            n_jobs=scanned.n_jobs,
        )
    of_query = np.repeat(everyone, np.diff(offsets))
    inside = np.flatnonzero(values <= value)
    order = np.lexsort((indices[inside], values[inside], of_query[inside]))
    inside = inside[order]
    counts = np.bincount(of_query[inside], minlength=n_queries)
    return counts, values[inside], indices[inside]


def as_distances(values, metric):
    """Distances of values; estimates may be beyond what distances can be."""
    if metric == "euclidean":
        return np.sqrt(np.maximum(values, 0))
    return np.clip(values, 0, 2) if metric == "cosine" else values
