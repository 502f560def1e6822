"""The public search functions: check, choose an engine, search."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.engine.choose import engine
from skhash.hamming.labels import compared_labels
from skhash.hamming.threads.count import n_threads


def distances(
    queries: ArrayLike, database: ArrayLike, *, n_jobs: int | None = None
) -> NDArray[np.int32]:
    """Count the differing bits of every query and every database code.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes (see :func:`check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.

    Returns
    -------
    distances : ndarray of shape (n_queries, n_items), int32
        In bits.

    Raises
    ------
    ValueError
        If either array holds no codes, or their widths differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import distances
    >>> distances(np.array([[0b0011]], np.uint8), np.array([[3], [4]], np.uint8))
    array([[0, 3]], dtype=int32)
    """
    queries, database = _check_pair(queries, database)
    return engine().distances(queries, database, n_threads(n_jobs), np.int32)


def nearest(
    queries: ArrayLike, database: ArrayLike, k: int, *, n_jobs: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the `k` nearest database codes of every query, exactly.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes (see :func:`check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    k : int
        Number of neighbours, from 1 to n_items.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use. The answer
        does not depend on it.

    Returns
    -------
    distances : ndarray of shape (n_queries, k), int32
        In bits, ascending.
    indices : ndarray of shape (n_queries, k), int64
        Rows of `database`; equal distances in ascending order of index.

    Raises
    ------
    ValueError
        If either array holds no codes, their widths differ, or `k` is not an integer
        from 1 to n_items.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import nearest
    >>> database = np.array([[7], [0], [1], [0]], np.uint8)
    >>> dist, ind = nearest(np.array([[0]], np.uint8), database, 3)
    >>> dist, ind
    (array([[0, 0, 1]], dtype=int32), array([[1, 3, 2]]))
    """
    queries, database = _check_pair(queries, database)
    k = check_k(k, len(database), queries)
    threads = n_threads(n_jobs, len(queries) * database.size)
    return engine().nearest(queries, database, k, threads)


def within(
    queries: ArrayLike, database: ArrayLike, radius: int, *, n_jobs: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Find all database codes at most `radius` bits from each query.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes (see :func:`check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    radius : int
        The largest distance that counts as within, in bits.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.

    Returns
    -------
    indptr : ndarray of shape (n_queries + 1,), int64
        The neighbours of query i are at ``indptr[i]:indptr[i + 1]``.
    distances : ndarray of shape (indptr[-1],), int32
        In bits, ascending for each query.
    indices : ndarray of shape (indptr[-1],), int64
        Rows of `database`; equal distances in ascending order of index.

    Raises
    ------
    ValueError
        If either array holds no codes, their widths differ, or `radius` is negative
        or no whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import within
    >>> database = np.array([[7], [0], [1], [0]], np.uint8)
    >>> within(np.array([[0], [6]], np.uint8), database, 1)
    (array([0, 3, 4]), array([0, 0, 1, 1], dtype=int32), array([1, 3, 2, 0]))
    """
    queries, database = _check_pair(queries, database)
    radius, threads = check_radius(radius), n_threads(n_jobs)
    return engine().within(queries, database, radius, threads)


@overload
def histograms(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: None = None,
    database_labels: None = None,
    *,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> NDArray[np.int64]:
    """Without labels: all items at each distance."""


@overload
def histograms(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """With labels: all items at each distance, and the relevant ones."""


def histograms(
    queries: Any,
    database: Any,
    query_labels: Any = None,
    database_labels: Any = None,
    *,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> Any:
    """Count, for each query, the database codes at every distance.

    Two such histograms, of all items and of the relevant ones, hold all that ranking
    metrics need; they add up over parts of a database.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes (see :func:`check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
            default=None
        Labels of any dtype, or multi-hot rows (a sparse matrix will do). An item is
        relevant to a query if their labels are equal, or share a class.
    exclude_self : bool, default=False
        Query i is item i of the database, and is not counted for itself.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.

    Returns
    -------
    n_total : ndarray of shape (n_queries, 8 * n_bytes + 1), int64
        Number of items at each distance in bits.
    n_relevant : ndarray of shape (n_queries, 8 * n_bytes + 1), int64
        Number of relevant items at each distance. Only with labels.

    Raises
    ------
    ValueError
        If either array holds no codes, their widths differ, the labels do not fit,
        or `exclude_self` is asked of arrays of different lengths.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import histograms
    >>> database = np.array([[7], [0], [1], [0]], np.uint8)
    >>> n_total, n_relevant = histograms(
    ...     database[1:2], database, ["cat"], ["cat", "cat", "dog", "dog"]
    ... )
    >>> n_total
    array([[2, 1, 0, 1, 0, 0, 0, 0, 0]])
    >>> n_relevant
    array([[1, 0, 0, 1, 0, 0, 0, 0, 0]])
    """
    queries, database = _check_pair(queries, database)
    if exclude_self and len(queries) != len(database):
        raise ValueError(
            "exclude_self takes query i for item i of the database, but there are "
            f"{len(queries)} queries and {len(database)} items."
        )
    if (query_labels is None) != (database_labels is None):
        raise ValueError("Give both query_labels and database_labels, or neither.")
    threads = n_threads(n_jobs)
    if query_labels is None:
        n_total = engine().histograms(queries, database, threads)
        if exclude_self:
            rows = np.arange(len(queries))
            n_total[rows, _own_distances(queries, database)] -= 1
        return n_total
    asked, items = compared_labels(
        query_labels, database_labels, len(queries), len(database)
    )
    if asked.sparse:
        n_total = engine().histograms(queries, database, threads)
        n_relevant = engine().set_histograms(
            queries, database, asked.values, items.lists, threads
        )
    else:
        n_total, n_relevant = engine().relevant_histograms(
            queries, database, asked.values, items.values, threads
        )
    if exclude_self:
        rows, own = np.arange(len(queries)), _own_distances(queries, database)
        n_total[rows, own] -= 1
        n_relevant[rows, own] -= asked.matches(items)
    return n_total, n_relevant


def count_within(
    queries: ArrayLike, database: ArrayLike, radius: int, *, n_jobs: int | None = None
) -> NDArray[np.int64]:
    """Count the database codes at most `radius` bits from each query.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes (see :func:`check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    radius : int
        The largest distance that counts as within, in bits.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.

    Returns
    -------
    counts : ndarray of shape (n_queries,), int64

    Raises
    ------
    ValueError
        If either array holds no codes, their widths differ, or `radius` is negative
        or no whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import count_within
    >>> database = np.array([[7], [0], [1], [0]], np.uint8)
    >>> count_within(np.array([[0], [6]], np.uint8), database, 1)
    array([3, 1])
    """
    queries, database = _check_pair(queries, database)
    return engine().count_within(
        queries, database, check_radius(radius), n_threads(n_jobs)
    )


def check_k(k: Any, n_items: int, queries: Any) -> int:
    """Return `k` as an int, or say what is wrong with it."""
    if type(k) is int and 1 <= k <= n_items:  # soonest
        return k
    if isinstance(k, bool) or not isinstance(k, Integral):
        raise TypeError(f"k does not take {type(k)} value, enter integer value")
    number = int(k)
    if number < 1:
        raise ValueError(f"Expected k > 0. Got {k}")
    if number > n_items:
        raise ValueError(
            f"Expected k <= n_samples_fit, but k = {k}, n_samples_fit = "
            f"{n_items}, n_samples = {len(queries)}"
        )
    return number


def check_radius(radius: Any) -> int:
    """Return `radius` as an int, or say what is wrong with it."""
    if isinstance(radius, bool) or not isinstance(radius, Real):
        raise TypeError(f"radius must be a number of bits, got {radius!r}.")
    bits = float(radius)
    if not bits >= 0 or not bits.is_integer():
        raise ValueError(
            f"radius must be a whole number of bits, 0 or more, got {radius!r}."
        )
    # Beyond every possible distance all codes are within.
    return int(min(bits, 1 << 16))


def _check_pair(
    queries: ArrayLike, database: ArrayLike
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Codes of queries and database, of one width."""
    database = check_codes(database, name="database")
    return (
        check_codes(queries, n_bytes=database.shape[1], name="queries"),
        database,
    )


def _own_distances(
    queries: NDArray[np.uint8], database: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """The distance of query i to item i."""
    return np.bitwise_count(queries ^ database).sum(axis=1, dtype=np.int64)
