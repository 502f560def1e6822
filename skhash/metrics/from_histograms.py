"""Ranking metrics of distance histograms, one value per query.

The functions have the names of those of :mod:`skhash.metrics`, but take the two
histograms that :func:`skhash.hamming.histograms` counts: all items and the relevant
items at each distance from each query. Histograms over parts of a database add up, so
that a database in shards, or on several machines, is measured exactly::

    n_total = sum(shard_totals)
    n_relevant = sum(shard_relevants)
    average_precision(n_total, n_relevant)

Take the mean over queries with ``np.nanmean``: queries left out are NaN.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming._search import check_radius
from skhash.metrics._average_precision import average_precision_rows
from skhash.metrics._averages import nothing_relevant, settle_zero_relevant
from skhash.metrics._options import (
    EMPTY_BALL,
    ZERO_RELEVANT,
    check_average_precision,
    check_option,
)
from skhash.metrics._radius_rows import precision_within_rows, recall_within_rows

__all__ = ["average_precision", "precision_at_radius", "recall_at_radius"]


def average_precision(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    k: int | None = None,
    ties: str = "expected",
    normalizer: str = "min_k_r",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Average precision of each query, from its distance histograms.

    Parameters
    ----------
    n_total : array-like of shape (n_queries, n_bins)
        Number of items at each distance.
    n_relevant : array-like of shape (n_queries, n_bins)
        Number of relevant items at each distance.
    k, ties, normalizer, zero_relevant
        As in :func:`skhash.metrics.average_precision`; `ties` may not be "index",
        because histograms do not know the order of the database.

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    References
    ----------
    F. McSherry and M. Najork, "Computing information retrieval performance measures
    efficiently in the presence of tied scores", ECIR 2008.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> n_total, n_relevant = [[1, 2, 1]], [[1, 1, 0]]
    >>> from_histograms.average_precision(n_total, n_relevant).round(6)
    array([0.916667])
    >>> from_histograms.average_precision(n_total, n_relevant, ties="pessimistic")
    array([0.83333333])
    """
    k = check_average_precision(k, ties, normalizer, zero_relevant)
    if ties == "index":
        raise ValueError(
            "ties='index' needs the order of the database, which histograms do not "
            "hold: use skhash.metrics.average_precision on the codes."
        )
    n_total, n_relevant = check_histograms(n_total, n_relevant)
    values = average_precision_rows(n_total, n_relevant, k, ties, normalizer)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


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


def check_histograms(
    n_total: ArrayLike, n_relevant: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays, or say why they are no pair of histograms."""
    totals, relevants = np.asarray(n_total), np.asarray(n_relevant)
    if totals.ndim != 2 or totals.shape != relevants.shape or totals.shape[1] == 0:
        raise ValueError(
            "n_total and n_relevant must both be of shape (n_queries, n_bins), got "
            f"shapes {totals.shape} and {relevants.shape}."
        )
    for name, counts in (("n_total", totals), ("n_relevant", relevants)):
        if counts.dtype.kind not in "iuf" or not np.array_equal(counts, counts // 1):
            raise ValueError(f"{name} must hold counts, i.e. whole numbers.")
    if (relevants < 0).any() or (relevants > totals).any():
        raise ValueError(
            "Expected 0 <= n_relevant <= n_total at every distance; are the two "
            "histograms swapped?"
        )
    return totals, relevants
