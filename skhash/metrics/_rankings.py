"""Metrics of the whole ranking by Hamming distance, from codes and labels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics import from_histograms
from skhash.metrics.options import AVERAGES, check_option
from skhash.metrics.task import Retrieval


def average_precision(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    k: int | None = None,
    ties: str = "expected",
    normalizer: str = "min_k_r",
    zero_relevant: Any = "drop",
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> np.ndarray:
    r"""Average precision of each query's ranking of the database.

    The database is ranked by Hamming distance. An item is relevant to a query if their
    labels are equal, or share a class where items have several. With P(i) the share of
    relevant items among the first i ranks,

    .. math:: AP@k = \frac{1}{Z} \sum_{i=1}^{k} P(i) \, rel(i).

    Codes of b bits have only b + 1 distances, so that most items are tied with many
    others. By default the value is the exact expectation over all orders of tied
    items; no sorting algorithm and no order of the database has a say in it.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes)
        Labels of any dtype, or multi-hot rows for several classes an item. They may
        be left out when `relevance` is a matrix.
    k : int, default=None
        Only the first `k` ranks count; None means the whole ranking.
    ties : {"expected", "optimistic", "pessimistic", "index"}, default="expected"
        What the order inside equal distances is: the expectation over all orders;
        relevant items first; relevant items last; or the order of the database, as a
        stable sort gives it. The second and third bound all orders from above and
        below, except with ``normalizer="hits"``, where fewer hits may score more.
    normalizer : {"min_k_r", "hits", "relevant"}, default="min_k_r"
        The divisor Z, with R relevant items in the database: min(k, R); the relevant
        items among the first k, as most deep-hashing papers have it; or R. They agree
        when `k` is None. For relevances 1, 0, 0, 1, 1, 0 and k = 4 they give .50, .75
        and .50.
    zero_relevant : {"drop", 0, 1, "raise"}, default="drop"
        For queries without any relevant item in the database: NaN and a warning, this
        value, or an error. A query that has relevant items, but none among the first
        `k`, scores 0.
    relevance : callable or sparse matrix of shape (n_queries, n_items), default=None
        What is relevant, if not equal labels or shared classes. A function gets some
        queries' labels and all database labels (or their indices, when no labels are
        given), and returns a matrix of one row per query and one column per item,
        dense or sparse. Values above 0 are relevant.
    exclude_self : bool, default=False
        Query i is item i of the database and does not find itself. Its duplicates do
        count.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        From 0 to 1; NaN for queries left out.

    Raises
    ------
    ValueError
        If codes or labels do not fit together, an option is unknown, or a query has
        no relevant item and ``zero_relevant="raise"``.

    Warns
    -----
    UndefinedMetricWarning
        If queries are left out.

    See Also
    --------
    mean_average_precision : The mean over queries.
    skhash.metrics.from_histograms.average_precision : The same from histograms, which
        add up over the parts of a database.

    References
    ----------
    F. McSherry and M. Najork, "Computing information retrieval performance measures
    efficiently in the presence of tied scores", ECIR 2008.

    Examples
    --------
    >>> from skhash.metrics import average_precision
    >>> database = [[0b00], [0b01], [0b10], [0b11]]
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> average_precision([[0]], database, ["cat"], labels)  # items 1 and 2 are tied
    array([0.91666667])
    >>> average_precision([[0]], database, ["cat"], labels, ties="optimistic")
    array([1.])
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs)
    metric = from_histograms.average_precision
    return task.per_query(metric, zero_relevant, k=k, ties=ties, normalizer=normalizer)


def mean_average_precision(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    k: int | None = None,
    ties: str = "expected",
    normalizer: str = "min_k_r",
    zero_relevant: Any = "drop",
    average: str = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float:
    """Mean average precision (mAP) of queries against a database.

    All else is as in :func:`average_precision`, which has one value per query.

    Parameters
    ----------
    average : {"macro", "macro_class"}, default="macro"
        The mean over queries, or the mean over classes of the mean over the queries
        of a class, in which rare classes weigh as much as frequent ones.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean; None means equal ones.

    Returns
    -------
    score : float
        From 0 to 1; NaN if no query has a relevant item and those are dropped.

    Examples
    --------
    >>> from skhash.metrics import mean_average_precision
    >>> codes = [[0b000], [0b001], [0b110], [0b111]]
    >>> labels = ["cat", "cat", "dog", "dog"]
    >>> mean_average_precision(codes, codes, labels, labels, exclude_self=True)
    1.0
    """
    check_option("average", average, AVERAGES[:2])
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    metric = partial(from_histograms.average_precision, normalizer=normalizer)
    return float(task.mean(metric, zero_relevant, average, k=k, ties=ties))


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

    R is the query's number of relevant items in the database. All else is as in
    :func:`precision_at_k` and :func:`average_precision`.

    References
    ----------
    K. Musgrave, S. Belongie and S.-N. Lim, "A metric learning reality check", ECCV
    2020.

    Examples
    --------
    >>> from skhash.metrics import mean_average_precision_at_r
    >>> database = [[0b00], [0b01], [0b10], [0b11]]
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> mean_average_precision_at_r([[0]], database, ["cat"], labels)
    0.75
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.average_precision_at_r, zero_relevant, average, ties=ties
    )


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

    All else is as in :func:`precision_at_k` and :func:`average_precision`.

    Parameters
    ----------
    k : int, default=None
        A first relevant item beyond this rank scores 0; None means no limit.

    References
    ----------
    E. M. Voorhees, "The TREC-8 question answering track report", TREC 1999. Ties: F.
    McSherry and M. Najork, ECIR 2008.

    Examples
    --------
    >>> from skhash.metrics import mean_reciprocal_rank
    >>> database = [[0b00], [0b01], [0b10], [0b11]]
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> round(mean_reciprocal_rank([[1]], database, ["cat"], labels), 4)  # 1/2 or 1/3
    0.4167
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.reciprocal_rank, zero_relevant, average, k=k, ties=ties
    )


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

    All else is as in :func:`precision_at_k` and :func:`average_precision`.

    Examples
    --------
    >>> from skhash.metrics import r_precision
    >>> database = [[0b00], [0b01], [0b10], [0b11]]
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> r_precision([[0]], database, ["cat"], labels)
    0.75
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(from_histograms.r_precision, zero_relevant, average, ties=ties)
