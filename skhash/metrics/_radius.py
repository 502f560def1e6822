"""Precision and recall within a Hamming radius, from codes and labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming.search import check_radius
from skhash.metrics._radius_rows import precision_within_rows, recall_within_rows
from skhash.metrics.averages import average_queries
from skhash.metrics.options import EMPTY_BALL, check_averaging, check_option
from skhash.metrics.task import Retrieval, per_query


def precision_at_radius(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    radius: int = 2,
    *,
    empty_ball: Any = 0,
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Share of relevant items among the items within a Hamming radius.

    This is what a look-up of all codes at most `radius` bits away returns, which takes
    the same time whatever the size of the database.

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
    radius : int, default=2
        The largest distance in bits that is within.
    empty_ball : {0, "drop"}, default=0
        The precision of a query with nothing within the radius: 0, as the papers have
        it, or left out. Leaving them out rewards codes that find nothing.
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
    W. Liu et al., "Supervised hashing with kernels", CVPR 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import precision_at_radius
    >>> database = np.array([[0b00000], [0b00011], [0b11111]], dtype=np.uint8)
    >>> precision_at_radius([[0]], database, ["cat"], ["cat", "dog", "cat"])
    0.5
    """
    radius = check_radius(radius)
    check_option("empty_ball", empty_ball, EMPTY_BALL)
    weight = check_averaging(
        zero_relevant, average, query_labels, queries, sample_weight
    )
    rows_of = lambda n_total, n_relevant, _: precision_within_rows(
        n_total, n_relevant, radius, empty_ball
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
    values = per_query(rows_of, retrieval, zero_relevant)
    return average_queries(values, query_labels, average, weight)


def recall_at_radius(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    radius: int = 2,
    *,
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    """Share of the relevant items that lie within a Hamming radius.

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
    radius : int, default=2
        The largest distance in bits that is within.
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
    W. Liu et al., "Supervised hashing with kernels", CVPR 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import recall_at_radius
    >>> database = np.array([[0b00000], [0b00011], [0b11111]], dtype=np.uint8)
    >>> recall_at_radius([[0]], database, ["cat"], ["cat", "dog", "cat"])
    0.5
    """
    radius = check_radius(radius)
    weight = check_averaging(
        zero_relevant, average, query_labels, queries, sample_weight
    )
    rows_of = lambda n_total, n_relevant, _: recall_within_rows(
        n_total, n_relevant, radius
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
    values = per_query(rows_of, retrieval, zero_relevant)
    return average_queries(values, query_labels, average, weight)
