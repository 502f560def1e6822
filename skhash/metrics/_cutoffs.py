"""Metrics of the first k ranks, or of a Hamming radius, from codes and labels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics import from_histograms
from skhash.metrics.task import Retrieval


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

    Ranks beyond the end of a small database count as not relevant. All else is as in
    :func:`average_precision`.

    Parameters
    ----------
    k : int, default=10
        Number of first ranks.
    average : {"macro", "macro_class", None}, default="macro"
        The mean over queries; the mean over classes of the mean over the queries of a
        class; or, with None, one value per query.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean; None means equal ones.

    Returns
    -------
    score : float, or ndarray of shape (n_queries,), float64
        From 0 to 1; NaN for queries left out, and for the mean of none.

    References
    ----------
    C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval",
    2008, chapter 8. Ties: F. McSherry and M. Najork, ECIR 2008.

    Examples
    --------
    >>> from skhash.metrics import precision_at_k
    >>> database = [[0b00], [0b01], [0b10], [0b11]]
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> precision_at_k([[0]], database, ["cat"], labels, k=2)  # two items are tied
    0.75
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.precision_at_k, zero_relevant, average, k=k, ties=ties
    )


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

    All else is as in :func:`precision_at_k` and :func:`average_precision`.

    Examples
    --------
    >>> from skhash.metrics import recall_at_k
    >>> database = [[0b00], [0b01], [0b10], [0b11]]
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> recall_at_k([[0]], database, ["cat"], labels, k=2)
    0.75
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.recall_at_k, zero_relevant, average, k=k, ties=ties
    )


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

    All else is as in :func:`precision_at_k` and :func:`average_precision`.

    Examples
    --------
    >>> from skhash.metrics import hit_rate_at_k
    >>> database = [[0b00], [0b01], [0b10], [0b11]]
    >>> labels = ["cat", "dog", "cat", "dog"]
    >>> hit_rate_at_k([[1]], database, ["cat"], labels, k=2)
    0.5
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.hit_rate_at_k, zero_relevant, average, k=k, ties=ties
    )


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

    All else is as in :func:`precision_at_k` and :func:`average_precision`.

    Parameters
    ----------
    radius : int, default=2
        The largest distance in bits that is within.
    empty_ball : {0, "drop"}, default=0
        The precision of a query with nothing within the radius: 0, as the papers have
        it, or left out. Leaving them out rewards codes that find nothing.

    References
    ----------
    W. Liu et al., "Supervised hashing with kernels", CVPR 2012.

    Examples
    --------
    >>> from skhash.metrics import precision_at_radius
    >>> database = [[0b00000], [0b00011], [0b11111]]
    >>> precision_at_radius([[0]], database, ["cat"], ["cat", "dog", "cat"])
    0.5
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    metric = partial(from_histograms.precision_at_radius, empty_ball=empty_ball)
    return task.mean(metric, zero_relevant, average, radius=radius)


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

    All else is as in :func:`precision_at_radius`, :func:`precision_at_k` and
    :func:`average_precision`.

    Examples
    --------
    >>> from skhash.metrics import recall_at_radius
    >>> database = [[0b00000], [0b00011], [0b11111]]
    >>> recall_at_radius([[0]], database, ["cat"], ["cat", "dog", "cat"])
    0.5
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.recall_at_radius, zero_relevant, average, radius=radius
    )


def f1_at_radius(
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
    """Harmonic mean of precision and recall within a Hamming radius.

    It is that of each query, 0 where nothing relevant lies within the radius.

    All else is as in :func:`precision_at_radius`, :func:`precision_at_k` and
    :func:`average_precision`.

    References
    ----------
    C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval",
    2008, chapter 8.

    Examples
    --------
    >>> from skhash.metrics import f1_at_radius
    >>> database = [[0b00000], [0b00011], [0b11111]]
    >>> f1_at_radius([[0]], database, ["cat"], ["cat", "dog", "cat"])
    0.5
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.f1_at_radius, zero_relevant, average, radius=radius
    )


def fall_out_at_radius(
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
    """Share of the irrelevant items that lie within a Hamming radius; less is better.

    A query without irrelevant items has 0.

    All else is as in :func:`precision_at_radius`, :func:`precision_at_k` and
    :func:`average_precision`.

    References
    ----------
    C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval",
    2008, chapter 8.

    Examples
    --------
    >>> from skhash.metrics import fall_out_at_radius
    >>> database = [[0b00000], [0b00011], [0b11111]]
    >>> fall_out_at_radius([[0]], database, ["cat"], ["cat", "dog", "cat"])
    1.0
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return task.mean(
        from_histograms.fall_out_at_radius, zero_relevant, average, radius=radius
    )
