"""Items of a dask array that equal queries: their keys are compared where they lie."""

from hashlib import blake2b

import numpy as np
from scipy.sparse import issparse

from skhash.distributed._chunks import check_array, is_dask, row_chunks
from skhash.distributed._cluster import Cluster
from skhash.distributed._tree import in_a_tree

# Bytes of a key, so many that two items do not share one by chance.
_BYTES = 16
# More than any row.
_NOWHERE = np.iinfo(np.int64).max


def find_duplicates(X_queries, X_database):
    """What `skhash.metrics.find_duplicates` returns, of a database of chunks."""
    first, _, _ = _compared(X_queries, X_database)
    queries = np.flatnonzero(first != _NOWHERE)
    return np.stack([queries, first[queries]], axis=1)


def count_leaks(X_queries, X_database, exclude_self):
    """Queries that have an equal item in the database; with `exclude_self` another."""
    _, n_equal, own = _compared(X_queries, X_database)
    return int((n_equal > own).sum() if exclude_self else (n_equal > 0).sum())


def _compared(X_queries, X_database):
    """Of each query its first equal item, how many there are, and if it is its own."""
    check_array(X_database, "X_database")
    if not (is_dask(X_queries) or issparse(X_queries)):
        X_queries = np.asarray(X_queries)
    if X_queries.shape[1:] != X_database.shape[1:]:
        raise ValueError(
            "Queries and database must hold items of the same shape, got "
            f"{X_queries.shape[1:]} and {X_database.shape[1:]}."
        )
    dtype = np.result_type(X_queries.dtype, X_database.dtype)
    cluster = Cluster()
    key = cluster.dask.delayed(keys, pure=True)
    if is_dask(X_queries):
        check_array(X_queries, "X_queries")
        parts = [key(chunk, dtype) for chunk in row_chunks(X_queries)[0]]
        asked = np.concatenate(cluster.compute(parts))
    else:
        asked = keys(X_queries, dtype)
    chunks, sizes = row_chunks(X_database)
    firsts = (np.cumsum(sizes) - sizes).tolist()
    equal = cluster.dask.delayed(_equal, pure=True)
    task = cluster.dask.delayed(asked, pure=True)
    given = zip(chunks, firsts, strict=True)
    parts = [equal(task, key(chunk, dtype), first) for chunk, first in given]
    (found,) = cluster.compute([in_a_tree(cluster.dask, _merged, parts)])
    return found


def keys(X, dtype):
    """A key of each item, bytes of shape (n,); those of equal items are equal."""
    X = np.asarray(X.toarray() if issparse(X) else X).astype(dtype, copy=False)
    if X.dtype.kind == "f":
        X = X + 0  # -0.0 equals 0.0, but has other bytes
    found = [blake2b(item.tobytes(), digest_size=_BYTES).digest() for item in X]
    return np.frombuffer(b"".join(found), f"S{_BYTES}")


def _equal(asked, items, first):
    """The same of the items of one chunk, which begins at a row."""
    if not len(items):
        no = np.zeros(len(asked), bool)
        return np.where(no, 0, _NOWHERE), no.astype(np.int64), no
    values, index, counts = np.unique(items, return_index=True, return_counts=True)
    at = np.minimum(np.searchsorted(values, asked), len(values) - 1)
    is_there = values[at] == asked
    row = np.where(is_there, index[at] + first, _NOWHERE)
    own = np.zeros(len(asked), bool)
    last = max(first, min(len(asked), first + len(items)))
    own[first:last] = asked[first:last] == items[: last - first]
    return row, np.where(is_there, counts[at], 0), own


def _merged(parts):
    """The same of several chunks."""
    first, n_equal, own = zip(*parts, strict=True)
    return np.minimum.reduce(first), sum(n_equal), np.logical_or.reduce(own)
