"""Precision, recall and hit rate of the first k ranks, from codes and labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._rank_rows import first_hit_rows, hits_at_rows, recall_rows
from skhash.metrics.averages import average_queries
from skhash.metrics.options import (
    TIES,
    check_averaging,
    check_option,
    check_rank,
)
from skhash.metrics.task import Retrieval, per_query


def precision_at_k(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Share of relevant items among the first `k` of the ranking by distance.

    Ranks beyond the end of a small database count as not relevant.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
            default=None
        Labels of any dtype, or multi-hot rows. Items are relevant to a query if their
        labels are equal, or share a class.
    k : int, default=10
        Number of first ranks.
    ties : {"expected", "optimistic", "pessimistic", "index"}, default="expected"
        The order inside equal distances, as in :func:`average_precision`.
    zero_relevant, relevance, exclude_self, n_jobs
        As in :func:`average_precision`.
    average : {"macro", "macro_class", None}, default="macro"
        The mean over queries; the mean over classes of the mean over the queries of a
        class; or, with None, one value per query.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean; None means equal ones.

    Returns
    -------
    score : float, or ndarray of shape (n_queries,), float64
        From 0 to 1; NaN for queries left out, and for the mean of none.

    Raises
    ------
    ValueError
        If codes, labels or weights do not fit together, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item in the database are left out.

    References
    ----------
    C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval",
    Cambridge University Press, 2008, chapter 8. Ties: F. McSherry and M. Najork, ECIR
    2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import precision_at_k
    >>> database = np.array([[0b00], [0b01], [0b10], [0b11]], dtype=np.uint8)
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> precision_at_k([[0]], database, ["cat"], labels, k=2)  # two items are tied
    0.75
    """
    k = check_rank("k", k)
    check_option("ties", ties, TIES)
    weight = check_averaging(
        zero_relevant, average, query_labels, queries, sample_weight
    )
    retrieval = Retrieval.of(
        queries,
        database,
        query_labels,
        database_labels,
        relevance,
        exclude_self,
        n_jobs,
    )
    rows_of = lambda n_total, n_relevant, ties: (
        hits_at_rows(n_total, n_relevant, k, ties) / k
    )
    values = per_query(rows_of, retrieval, zero_relevant, ties, k)
    return average_queries(values, query_labels, average, weight)


def recall_at_k(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Share of the relevant items that are among the first `k`.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
            default=None
        Labels of any dtype, or multi-hot rows. Items are relevant to a query if their
        labels are equal, or share a class.
    k : int, default=10
        Number of first ranks.
    ties : {"expected", "optimistic", "pessimistic", "index"}, default="expected"
        The order inside equal distances, as in :func:`average_precision`.
    zero_relevant, relevance, exclude_self, n_jobs
        As in :func:`average_precision`.
    average : {"macro", "macro_class", None}, default="macro"
        The mean over queries; the mean over classes of the mean over the queries of a
        class; or, with None, one value per query.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean; None means equal ones.

    Returns
    -------
    score : float, or ndarray of shape (n_queries,), float64
        From 0 to 1; NaN for queries left out, and for the mean of none.

    Raises
    ------
    ValueError
        If codes, labels or weights do not fit together, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item in the database are left out.

    References
    ----------
    C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval",
    Cambridge University Press, 2008, chapter 8. Ties: F. McSherry and M. Najork, ECIR
    2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import recall_at_k
    >>> database = np.array([[0b00], [0b01], [0b10], [0b11]], dtype=np.uint8)
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> recall_at_k([[0]], database, ["cat"], labels, k=2)
    0.75
    """
    k = check_rank("k", k)
    check_option("ties", ties, TIES)
    weight = check_averaging(
        zero_relevant, average, query_labels, queries, sample_weight
    )
    retrieval = Retrieval.of(
        queries,
        database,
        query_labels,
        database_labels,
        relevance,
        exclude_self,
        n_jobs,
    )
    rows_of = lambda n_total, n_relevant, ties: recall_rows(
        n_total, n_relevant, k, ties
    )
    values = per_query(rows_of, retrieval, zero_relevant, ties, k)
    return average_queries(values, query_labels, average, weight)


def hit_rate_at_k(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Share of queries that have a relevant item among the first `k`.

    Also called success at k. With tied items it is the chance of a hit.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
            default=None
        Labels of any dtype, or multi-hot rows. Items are relevant to a query if their
        labels are equal, or share a class.
    k : int, default=10
        Number of first ranks.
    ties : {"expected", "optimistic", "pessimistic", "index"}, default="expected"
        The order inside equal distances, as in :func:`average_precision`.
    zero_relevant, relevance, exclude_self, n_jobs
        As in :func:`average_precision`.
    average : {"macro", "macro_class", None}, default="macro"
        The mean over queries; the mean over classes of the mean over the queries of a
        class; or, with None, one value per query.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean; None means equal ones.

    Returns
    -------
    score : float, or ndarray of shape (n_queries,), float64
        From 0 to 1; NaN for queries left out, and for the mean of none.

    Raises
    ------
    ValueError
        If codes, labels or weights do not fit together, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item in the database are left out.

    References
    ----------
    C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval",
    Cambridge University Press, 2008, chapter 8. Ties: F. McSherry and M. Najork, ECIR
    2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import hit_rate_at_k
    >>> database = np.array([[0b00], [0b01], [0b10], [0b11]], dtype=np.uint8)
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> hit_rate_at_k([[1]], database, ["cat"], labels, k=2)
    0.5
    """
    k = check_rank("k", k)
    check_option("ties", ties, TIES)
    weight = check_averaging(
        zero_relevant, average, query_labels, queries, sample_weight
    )
    retrieval = Retrieval.of(
        queries,
        database,
        query_labels,
        database_labels,
        relevance,
        exclude_self,
        n_jobs,
    )
    rows_of = lambda n_total, n_relevant, ties: first_hit_rows(
        n_total, n_relevant, k, ties, reciprocal=False
    )
    values = per_query(rows_of, retrieval, zero_relevant, ties, k)
    return average_queries(values, query_labels, average, weight)
