"""Precision-recall curves of each query, from histograms."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._curves import check_ranks, radius_curve_rows, rank_curve_rows
from skhash.metrics.from_histograms._check import check_histograms
from skhash.metrics.options import EMPTY_BALL, TIES, check_option


def precision_recall_by_radius(
    n_total: ArrayLike, n_relevant: ArrayLike, *, empty_ball: Any = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of each query within each radius.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    empty_ball : {0, "drop"}, default=0
        Precision of a query with nothing within a radius: 0 or NaN.

    Returns
    -------
    precision, recall : ndarray of shape (n_queries, n_bins), float64
        At radii 0, 1, ...; the recall of a query without relevant items is NaN.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or the option is unknown.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> precision, recall = from_histograms.precision_recall_by_radius(
    ...     [[1, 2, 1]], [[1, 1, 0]]
    ... )
    >>> precision.round(2), recall
    (array([[1.  , 0.67, 0.5 ]]), array([[0.5, 1. , 1. ]]))
    """
    check_option("empty_ball", empty_ball, EMPTY_BALL)
    n_total, n_relevant = check_histograms(n_total, n_relevant)
    return radius_curve_rows(n_total, n_relevant, empty_ball)


def precision_recall_by_rank(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    ranks: ArrayLike,
    *,
    ties: str = "expected",
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of each query among its first ranks.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    ranks : array-like of int, shape (n_ranks,)
        Numbers of first ranks.
    ties : {"expected", "optimistic", "pessimistic"}, default="expected"
        As in :func:`skhash.metrics.average_precision`.

    Returns
    -------
    precision, recall : ndarray of shape (n_queries, n_ranks), float64
        The recall of a query without relevant items is NaN.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> precision, recall = from_histograms.precision_recall_by_rank(
    ...     [[1, 2, 1]], [[1, 1, 0]], ranks=[1, 2]
    ... )
    >>> precision, recall
    (array([[1.  , 0.75]]), array([[0.5 , 0.75]]))
    """
    check_option("ties", ties, TIES[:3])
    cutoffs = check_ranks(ranks, 0)
    n_total, n_relevant = check_histograms(n_total, n_relevant)
    return rank_curve_rows(n_total, n_relevant, cutoffs, ties)
