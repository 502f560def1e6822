"""Precision, recall and their kin within one radius or each, from histograms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming.search import check_radius
from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.from_histograms._ranks import recall_of
from skhash.metrics.options import EMPTY_BALL, check_histograms, check_option


def precision_at_radius(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    radius: int = 2,
    *,
    empty_ball: Any = 0,
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of relevant items among those within a radius, from histograms.

    For the options see :func:`skhash.metrics.precision_at_radius`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.precision_at_radius([[1, 2, 1]], [[1, 1, 0]], radius=1).round(3)
    array([0.667])
    """
    radius = check_radius(radius)
    check_option("empty_ball", empty_ball, EMPTY_BALL)
    n_total, n_relevant = check_histograms(
        n_total, n_relevant, zero_relevant=zero_relevant
    )
    size = _within(n_total, radius)
    values = _within(n_relevant, radius) / np.maximum(size, 1)
    if empty_ball == "drop":
        values[size == 0] = np.nan
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def recall_at_radius(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    radius: int = 2,
    *,
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of the relevant items that lie within a radius, from histograms.

    For the options see :func:`skhash.metrics.recall_at_radius`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.recall_at_radius([[1, 2, 1]], [[1, 1, 0]], radius=0)
    array([0.5])
    """
    radius = check_radius(radius)
    n_total, n_relevant = check_histograms(
        n_total, n_relevant, zero_relevant=zero_relevant
    )
    relevant = n_relevant.sum(axis=1, dtype=np.float64)
    values = _within(n_relevant, radius) / np.maximum(relevant, 1)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def f1_at_radius(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    radius: int = 2,
    *,
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Harmonic mean of precision and recall within a radius, from histograms.

    For the options see :func:`skhash.metrics.f1_at_radius`. Takes histograms, and
    returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.f1_at_radius([[1, 2, 1]], [[1, 1, 0]], radius=1)
    array([0.8])
    """
    radius = check_radius(radius)
    n_total, n_relevant = check_histograms(
        n_total, n_relevant, zero_relevant=zero_relevant
    )
    both = _within(n_total, radius) + n_relevant.sum(axis=1, dtype=np.float64)
    values = 2 * _within(n_relevant, radius) / np.maximum(both, 1)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def fall_out_at_radius(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    radius: int = 2,
    *,
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of the irrelevant items that lie within a radius, from histograms.

    For the options see :func:`skhash.metrics.fall_out_at_radius`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.fall_out_at_radius([[1, 2, 1]], [[1, 1, 0]], radius=1)
    array([0.5])
    """
    radius = check_radius(radius)
    n_total, n_relevant = check_histograms(
        n_total, n_relevant, zero_relevant=zero_relevant
    )
    irrelevant = n_total - n_relevant
    others = irrelevant.sum(axis=1, dtype=np.float64)
    values = _within(irrelevant, radius) / np.maximum(others, 1)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


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
    return precision, recall_of(hits, hits[:, -1:])


def _within(counts: np.ndarray, radius: int) -> np.ndarray:
    """Items at distance `radius` or less, as float64."""
    return np.asarray(counts[:, : radius + 1].sum(axis=1, dtype=np.float64))
