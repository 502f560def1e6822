"""Precision and recall within a radius of each query, from histograms."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming.search import check_radius
from skhash.metrics._radius_rows import precision_within_rows, recall_within_rows
from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.from_histograms._check import check_histograms
from skhash.metrics.options import EMPTY_BALL, ZERO_RELEVANT, check_option


def precision_at_radius(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    radius: int = 2,
    *,
    empty_ball: Any = 0,
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of relevant items among those within a radius, from histograms.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    radius, empty_ball, zero_relevant
        As in :func:`skhash.metrics.precision_at_radius`.

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.precision_at_radius([[1, 2, 1]], [[1, 1, 0]], radius=1).round(3)
    array([0.667])
    """
    radius = check_radius(radius)
    check_option("empty_ball", empty_ball, EMPTY_BALL)
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    n_total, n_relevant = check_histograms(n_total, n_relevant)
    values = precision_within_rows(n_total, n_relevant, radius, empty_ball)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def recall_at_radius(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    radius: int = 2,
    *,
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of the relevant items that lie within a radius, from histograms.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    radius, zero_relevant
        As in :func:`skhash.metrics.recall_at_radius`.

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.recall_at_radius([[1, 2, 1]], [[1, 1, 0]], radius=0)
    array([0.5])
    """
    radius = check_radius(radius)
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    n_total, n_relevant = check_histograms(n_total, n_relevant)
    values = recall_within_rows(n_total, n_relevant, radius)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)
