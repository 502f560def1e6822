"""Items that are queries and in the database at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.utils.validation import _num_samples

from skhash.metrics.elsewhere import part_for


def find_duplicates(X_queries: ArrayLike, X_database: ArrayLike) -> np.ndarray:
    """Find queries whose very item is in the database too.

    Published splits leak more often than one thinks, and every leaked query finds
    itself at distance zero. Compare the items themselves (pixels, features), not their
    codes: different items may well share a short code.

    Parameters
    ----------
    X_queries : array-like or sparse matrix of shape (n_queries, ...)
        Items, of any dtype and number of axes.
    X_database : array-like or sparse matrix of shape (n_items, ...)
        Items of the same shape; a dask array is read by its workers.

    Returns
    -------
    pairs : ndarray of shape (n_duplicates, 2), int64
        Index of the query and of its first equal in the database, ascending.

    Raises
    ------
    ValueError
        If the items of the two have different shapes.
    TypeError
        If codes in shards are given, which are no items.

    Examples
    --------
    >>> from skhash.metrics import find_duplicates
    >>> find_duplicates([[1, 2], [3, 4]], [[3, 4], [5, 6], [3, 4]])
    array([[1, 0]])
    """
    refuse_codes(X_queries, X_database)
    if (part := part_for(X_database)) is not None:
        return np.asarray(part.find_duplicates(X_queries, X_database))
    queries, database = _comparable(X_queries, X_database)
    first: dict[bytes, int] = {}
    for i, item in enumerate(database):
        first.setdefault(_key(item), i)
    keys = enumerate(map(_key, queries))
    pairs = [(i, first[key]) for i, key in keys if key in first]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def count_leaks(X_queries: Any, X_database: Any, exclude_self: bool) -> int:
    """Queries that have an equal item in the database.

    With `exclude_self` query i is item i, and only equal other items count.
    """
    refuse_codes(X_queries, X_database)
    if (part := part_for(X_database)) is not None:
        return part.count_leaks(X_queries, X_database, exclude_self)
    queries, database = _comparable(X_queries, X_database)
    asked, items = [_key(item) for item in queries], [_key(item) for item in database]
    equal = Counter(items)
    if exclude_self:
        return sum(equal[q] > (q == own) for q, own in zip(asked, items, strict=True))
    return sum(q in equal for q in asked)


def refuse_codes(*sides: Any) -> None:
    """Raise if codes in shards are given for the items that were encoded."""
    if any(hasattr(type(X), "__skhash_retrieval__") for X in sides):
        raise TypeError(
            "Duplicates are found by the items themselves, since different items may "
            "share a code: give a dask array of the items, not the codes in shards."
        )


def check_items(name: str, X: Any, n: int) -> None:
    """Raise unless there is one item per code, or none are given."""
    if X is not None and _num_samples(X) != n:
        raise ValueError(
            f"{name} must hold the items that were encoded, one per code: got "
            f"{_num_samples(X)} items for {n} codes."
        )


def _comparable(X_queries: Any, X_database: Any) -> tuple[np.ndarray, np.ndarray]:
    """Items as dense arrays of one dtype, so that equal ones have equal bytes."""
    queries, database = (
        X.toarray() if sparse.issparse(X) else np.asarray(X)
        for X in (X_queries, X_database)
    )
    if queries.shape[1:] != database.shape[1:]:
        raise ValueError(
            "Queries and database must hold items of the same shape, got "
            f"{queries.shape[1:]} and {database.shape[1:]}."
        )
    if queries.dtype != database.dtype:
        common = np.result_type(queries, database)
        queries, database = queries.astype(common), database.astype(common)
    return queries, database


def _key(item: np.ndarray) -> bytes:
    """The same bytes for equal items."""
    # Adding zero turns -0.0 into 0.0, which is equal but has other bytes.
    return (item + 0 if item.dtype.kind == "f" else item).tobytes()
