"""Precision-recall curves of each query, from histograms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics.from_histograms._ranks import hits_at
from skhash.metrics.options import (
    EMPTY_BALL,
    check_histograms,
    check_option,
    check_ranks,
)


def precision_recall_by_radius(
    n_total: ArrayLike, n_relevant: ArrayLike, *, empty_ball: Any = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of each query within each radius.

    All else is as in :func:`average_precision`.

    Parameters
    ----------
    empty_ball : {0, "drop"}, default=0
        Precision of a query with nothing within a radius: 0 or NaN.

    Returns
    -------
    precision, recall : ndarray of shape (n_queries, n_bins), float64
        At radii 0, 1, ...; the recall of a query without relevant items is NaN.

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
    size = np.cumsum(n_total, axis=1, dtype=np.float64)
    hits = np.cumsum(n_relevant, axis=1, dtype=np.float64)
    precision = hits / np.maximum(size, 1)
    if empty_ball == "drop":
        precision[size == 0] = np.nan
    return precision, _recall(hits, hits[:, -1:])


def precision_recall_by_rank(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    ranks: ArrayLike,
    *,
    ties: str = "expected",
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of each query among its first ranks.

    All else is as in :func:`average_precision` and
    :func:`skhash.metrics.average_precision`.

    Parameters
    ----------
    ranks : array-like of int, shape (n_ranks,)
        Numbers of first ranks.

    Returns
    -------
    precision, recall : ndarray of shape (n_queries, n_ranks), float64
        The recall of a query without relevant items is NaN.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> precision, recall = from_histograms.precision_recall_by_rank(
    ...     [[1, 2, 1]], [[1, 1, 0]], ranks=[1, 2]
    ... )
    >>> precision, recall
    (array([[1.  , 0.75]]), array([[0.5 , 0.75]]))
    """
    cutoffs = check_ranks(ranks)
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties)
    hits = np.stack([hits_at(n_total, n_relevant, k, ties) for k in cutoffs], axis=1)
    relevant = n_relevant.sum(axis=1, dtype=np.float64)[:, None]
    return hits / cutoffs, _recall(hits, relevant)


def _recall(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of the relevant items that are found; NaN where there are none."""
    return np.where(relevant > 0, hits / np.maximum(relevant, 1), np.nan)
