"""Metrics that find their own cut-off in the ranking, from codes and labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._average_precision import average_precision_rows
from skhash.metrics._rank_rows import first_hit_rows, r_precision_rows
from skhash.metrics.averages import average_queries
from skhash.metrics.options import (
    TIES,
    check_averaging,
    check_option,
    check_rank,
)
from skhash.metrics.task import Retrieval, per_query


def mean_reciprocal_rank(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    k: int | None = None,
    ties: str = "expected",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Mean of 1 / rank of the first relevant item (MRR).

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
    k : int, default=None
        A first relevant item beyond this rank scores 0; None means no limit.
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
    E. M. Voorhees, "The TREC-8 question answering track report", TREC 1999. Ties: F.
    McSherry and M. Najork, ECIR 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import mean_reciprocal_rank
    >>> database = np.array([[0b00], [0b01], [0b10], [0b11]], dtype=np.uint8)
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> round(mean_reciprocal_rank([[1]], database, ["cat"], labels), 4)  # 1/2 or 1/3
    0.4167
    """
    k = None if k is None else check_rank("k", k)
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
        n_total, n_relevant, k, ties, reciprocal=True
    )
    values = per_query(rows_of, retrieval, zero_relevant, ties, k)
    return average_queries(values, query_labels, average, weight)


def r_precision(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Precision among the first R ranks, R being the query's number of relevant items.

    Where precision and recall are equal. A perfect ranking has 1 whatever R is.

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
    >>> from skhash.metrics import r_precision
    >>> database = np.array([[0b00], [0b01], [0b10], [0b11]], dtype=np.uint8)
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> r_precision([[0]], database, ["cat"], labels)
    0.75
    """
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
    rows_of = lambda n_total, n_relevant, ties: r_precision_rows(
        n_total, n_relevant, ties
    )
    values = per_query(rows_of, retrieval, zero_relevant, ties, None)
    return average_queries(values, query_labels, average, weight)


def mean_average_precision_at_r(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Average precision of the first R ranks, divided by R (mAP@R).

    R is the query's number of relevant items in the database.

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
    K. Musgrave, S. Belongie and S.-N. Lim, "A metric learning reality check", ECCV
    2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import mean_average_precision_at_r
    >>> database = np.array([[0b00], [0b01], [0b10], [0b11]], dtype=np.uint8)
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> mean_average_precision_at_r([[0]], database, ["cat"], labels)
    0.75
    """
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
    rows_of = lambda n_total, n_relevant, ties: average_precision_rows(
        n_total, n_relevant, n_relevant.sum(axis=1), ties, "relevant"
    )
    values = per_query(rows_of, retrieval, zero_relevant, ties, None)
    return average_queries(values, query_labels, average, weight)
