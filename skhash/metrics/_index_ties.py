"""Average precision when ties are broken by database index, as a stable sort does."""

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming import check_codes, nearest
from skhash.hamming._labels import encode_labels

# Ranks written out at a time.
_CELLS = 1 << 22


def index_order_rows(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    n_relevant: np.ndarray,
    k: int | None,
    normalizer: str,
    exclude_self: bool,
    n_jobs: int | None,
) -> np.ndarray:
    """Average precision of each query; NaN where nothing is relevant.

    Parameters
    ----------
    n_relevant : ndarray of shape (n_queries,)
        Relevant items of each query in the whole database.
    k, normalizer, exclude_self
        As in :func:`skhash.metrics.average_precision`.
    """
    database = check_codes(database, name="database")
    queries = check_codes(queries, n_bytes=database.shape[1], name="queries")
    query_labels, database_labels = encode_labels(
        query_labels, database_labels, len(queries), len(database)
    )
    others = len(database) - bool(exclude_self)
    depth = others if k is None else min(k, others)
    value = np.full(len(queries), np.nan)
    if depth == 0:
        return value
    step = max(1, _CELLS // len(database))
    for start in range(0, len(queries), step):
        rows = slice(start, start + step)
        _, index = nearest(
            queries[rows], database, depth + bool(exclude_self), n_jobs=n_jobs
        )
        if exclude_self:
            index = _without_self(index, start)
        hit = _relevance(index, query_labels[rows], database_labels)
        value[rows] = _definite_order(hit, n_relevant[rows], k, normalizer)
    return value


def _without_self(index: np.ndarray, start: int) -> np.ndarray:
    """Drop each query's own item, or the last rank where it is not among the ranks."""
    own = index == np.arange(start, start + len(index))[:, None]
    own[~own.any(axis=1), -1] = True
    return index[~own].reshape(len(index), -1)


def _relevance(
    index: np.ndarray, query_labels: np.ndarray, database_labels: np.ndarray
) -> np.ndarray:
    if query_labels.ndim == 1:
        return database_labels[index] == query_labels[:, None]
    # One byte-wide product per chunk of queries instead of label rows for every rank.
    shared = query_labels.astype(np.float32) @ database_labels.T.astype(np.float32)
    return np.take_along_axis(shared > 0, index, axis=1)


def _definite_order(
    hit: np.ndarray, n_relevant: np.ndarray, k: int | None, normalizer: str
) -> np.ndarray:
    found = np.cumsum(hit, axis=1, dtype=np.float64)
    precision = found / np.arange(1, hit.shape[1] + 1)
    summed = (precision * hit).sum(axis=1)
    possible = n_relevant.astype(np.float64)
    if normalizer == "hits":
        possible = found[:, -1]
    elif normalizer == "min_k_r" and k is not None:
        possible = np.minimum(possible, k)
    value = summed / np.maximum(possible, 1)
    value[n_relevant == 0] = np.nan
    return value
