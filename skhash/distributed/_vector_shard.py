"""One shard of vectors: built, fitted on and asked on the worker that holds it."""

from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from skhash.distributed._reading import Read, Searched, read_shard
from skhash.distributed._shard import Asked, Facts, ends_of
from skhash.hamming.arrays import as_array
from skhash.hamming.asymmetric import nearest_lower, within_lower
from skhash.hamming.vectors import read_all
from skhash.neighbors.shards import as_labels, check_ids
from skhash.neighbors.vector_shards import (
    TOGETHER,
    EmbeddingDatabase,
    Scanned,
    Vectors,
    encoded,
    kept,
    largest_norm,
    least_values,
    limit_of,
    part_of_mean,
    parts_of,
    real_outputs,
    seen_by,
    squares_of,
)


class Like(NamedTuple):
    """What a chunk of vectors must be like."""

    n_rows: int | float  # NaN where nobody knows
    n_features: int
    dtype: np.dtype


def checked_chunk(X, like: Like) -> np.ndarray:
    """A chunk of finite vectors in rows, in one piece."""
    X = as_array(X)
    if (
        X.ndim != 2
        or X.shape[1] != like.n_features
        or len(X)
        not in (
            like.n_rows,
            *([len(X)] if np.isnan(like.n_rows) else []),
        )
    ):
        raise ValueError(
            f"The chunk has shape {X.shape}, but the array says "
            f"{(like.n_rows, like.n_features)}."
        )
    if X.dtype != like.dtype:
        raise ValueError(
            f"The chunk is of dtype {X.dtype}, but the array says {like.dtype}."
        )
    return np.ascontiguousarray(check_array(X, dtype="numeric", ensure_min_samples=0))


class Learning:
    """Fits an encoder block by block."""

    def __init__(self, metric):
        self.metric = metric

    def __call__(self, encoder, rows):
        return deepcopy(encoder).partial_fit(seen_by(self.metric, rows))


class Mean:
    """Adds what blocks add to the mean of n vectors."""

    def __init__(self, metric, n):
        self.metric, self.n = metric, n

    def __call__(self, mean, rows):
        return mean + part_of_mean(rows, self.metric, self.n)


class Squares:
    """Adds squares of the factors of items up."""

    def __call__(self, sums, table):
        return sums + squares_of(table)


def table_of(shard: EmbeddingDatabase) -> np.ndarray:
    """The factors of a shard."""
    return shard.table


def farthest(X, metric: str, center) -> float:
    """The norm of the vector of a chunk that is farthest from a center."""
    return largest_norm(X, metric, center) if len(X) else 0.0


def rows_at(X, rows) -> np.ndarray:
    """Some vectors of a chunk."""
    return X[rows]


def build(X, y, ids, kind, model) -> EmbeddingDatabase:
    """The shard of a chunk of vectors, labels and ids."""
    encoder, bounds = model
    labels, ids = as_labels(y, X), check_ids(ids, len(X))
    codes, table = encoded(encoder, bounds, X, 0)
    vectors = None
    if kind is not None:
        vectors = Vectors.of(kept(X, kind, bounds.metric), kind, bounds.center)
    return EmbeddingDatabase(codes, table, vectors, labels, ids, encoder, bounds, 0.0)


def added(X, y, ids, vectors: Vectors | None, model) -> EmbeddingDatabase:
    """The shard of vectors that come later, kept as the former ones are.

    `vectors` holds none, in the dtype of the former ones.
    """
    labels, ids = as_labels(y, X), check_ids(ids, len(X))
    encoder, bounds = model
    codes, table = encoded(encoder, bounds, X[:1], 0)
    columns = codes[:0], table[:0], vectors, None, None
    none = EmbeddingDatabase(*columns, encoder, bounds, 0.0)
    return none.with_more(X, labels, ids)


def extended(shard: EmbeddingDatabase, X, labels, ids) -> EmbeddingDatabase:
    """A shard with vectors added at its end; memory set aside is nobody's twice."""
    vectors = shard.vectors and replace(shard.vectors, reserve=None)
    shard = replace(shard, vectors=vectors, reserves=(None, None))
    return shard.with_more(X, labels, ids)


def facts(shard: EmbeddingDatabase) -> Facts:
    """What is to be known of a shard where it does not lie."""
    kept_bytes = 0 if shard.vectors is None else shard.vectors.nbytes
    return Facts(
        len(shard),
        shard.codes.shape[1],
        None if shard.ids is None else ends_of(shard.ids),
        None if shard.labels is None else ends_of(shard.labels),
        shard.codes.nbytes,
        shard.table.nbytes + kept_bytes,
        "bounds",
    )


class Piece(NamedTuple):
    """Queries as they came, and what bounds want of them."""

    X: np.ndarray
    queries: Any
    query_bits: int


def piece_of(X, model, noise: float, epsilon: float, query_bits: int) -> Piece:
    """Queries made ready, in the parts in which one process does it."""
    encoder, bounds = model
    made = []
    for start in range(0, len(X) or 1, TOGETHER):
        seen = seen_by(bounds.metric, X[start : start + TOGETHER])
        z = real_outputs(encoder, seen)
        made.append(bounds.queries(z, seen, epsilon, query_bits, noise))
    columns = (np.concatenate(each) for each in list(zip(*made, strict=True))[:-1])
    return Piece(X, type(made[0])(*columns, made[0].scale), query_bits)


def stored_rows(shard: EmbeddingDatabase, start: int, stop: int) -> np.ndarray:
    """Some vectors of a shard as queries, in float64."""
    return shard.vectors.rows(np.arange(start, stop))


def nearest(shard: EmbeddingDatabase, piece: Piece, k: int, asked: Asked) -> Read:
    """What is read of a shard for the k nearest."""
    searched = _searched(shard, asked)
    offsets, bounds, values, rows = read_shard(
        searched, piece.X, piece.queries, k, piece.query_bits
    )
    named = _named(shard, rows, asked)
    lows, scale = piece.queries.lows, piece.queries.scale
    return Read(offsets, bounds, values, *named, lows, scale)


def estimated(shard: EmbeddingDatabase, piece: Piece, k: int, asked: Asked) -> tuple:
    """The k least estimates of a shard, as the scan gives them, and rows and ids."""
    searched, queries = _searched(shard, asked), piece.queries
    bounds, items = nearest_lower(
        queries.outputs,
        searched.codes,
        searched.factors,
        min(k, len(searched.codes)),
        queries.shifts,
        query_bits=piece.query_bits,
        n_jobs=1,
    )
    rows, ids = _named(shard, searched.rows[items], asked)
    return (bounds, rows) if ids is None else (bounds, rows, ids)


def within(shard: EmbeddingDatabase, piece: Piece, value, asked: Asked) -> tuple:
    """What lies within a value: indptr, values, rows of the whole, and ids."""
    searched = _searched(shard, asked)
    n_queries = len(piece.X)
    found = [
        _within_some(searched, piece, part, value)
        for part in parts_of(np.arange(n_queries), len(searched.codes))
    ] or [(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))]
    counts, values, rows = map(np.concatenate, zip(*found, strict=True))
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    rows, ids = _named(shard, rows, asked)
    return (indptr, values, rows) if ids is None else (indptr, values, rows, ids)


def _within_some(searched, piece, part, value):
    """The same of a few queries: their numbers of items, values and stored rows."""
    queries = piece.queries
    exact = searched.stored is not None
    if not exact:
        queries = queries._replace(lows=queries.constants, widths=queries.shifts)
    bounds, items, offsets = within_lower(
        queries.outputs[part],
        searched.codes,
        searched.factors,
        limit_of(np.full(len(part), value), queries, part),
        queries.widths[part],
        query_bits=piece.query_bits,
        n_jobs=1,
    )
    of_query = np.repeat(np.arange(len(part)), np.diff(offsets))
    rows = searched.rows[items]
    if exact:
        X = np.asarray(piece.X[part], np.float64)
        vectors = searched.stored, searched.metric
        values = read_all(X, *vectors, rows, offsets, n_jobs=1)
    else:
        values = bounds * queries.scale + queries.lows[part][of_query]
    inside = np.flatnonzero(values <= value)
    order = np.lexsort((rows[inside], values[inside], of_query[inside]))
    inside = inside[order]
    counts = np.bincount(of_query[inside], minlength=len(part))
    return counts, values[inside], rows[inside]


def least(shard: EmbeddingDatabase, piece: Piece, k: int, asked: Asked) -> tuple:
    """Exact values of the k nearest, of all vectors as they are kept."""
    options = 0.0, piece.query_bits, 1
    scanned = Scanned(shard, shard.codes, shard.factors, None, *options)
    values = least_values(scanned, piece.X, min(k, len(shard)))
    return values, np.zeros(values.shape, np.int64)


def _searched(shard, asked):
    """What is searched of a shard."""
    codes, factors, rows = shard.codes, shard.factors, np.arange(len(shard))
    if asked.rows is not None:
        codes, factors = codes[asked.rows], factors.subset(asked.rows)
        rows = asked.rows
    stored = None if shard.vectors is None else shard.vectors.stored
    return Searched(codes, factors, rows, stored, shard.bounds.metric)


def _named(shard, rows, asked):
    """Rows of the whole database, and the ids of those where they are wanted."""
    ids = None
    if asked.ids_dtype is not None:
        ids = shard.ids[rows].astype(asked.ids_dtype, copy=False)
    return rows + asked.first, ids
