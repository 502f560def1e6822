"""Metrics of the first ranks of each query, from histograms."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._average_precision import average_precision_rows
from skhash.metrics._rank_rows import (
    first_hit_rows,
    hits_at_rows,
    r_precision_rows,
    recall_rows,
)
from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.from_histograms._check import check_histograms
from skhash.metrics.options import TIES, ZERO_RELEVANT, check_option, check_rank


def precision_at_k(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of relevant items among the first `k` ranks.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    k, ties, zero_relevant
        As in :func:`skhash.metrics.precision_at_k`; `ties` may not be "index".

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item are left out.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.precision_at_k([[1, 2, 1]], [[1, 1, 0]], k=2)
    array([0.75])
    """
    k = check_rank("k", k)
    n_total, n_relevant = _checked(n_total, n_relevant, ties, zero_relevant)
    values = hits_at_rows(n_total, n_relevant, k, ties) / k
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def recall_at_k(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of the relevant items that are among the first `k` ranks.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    k, ties, zero_relevant
        As in :func:`skhash.metrics.recall_at_k`; `ties` may not be "index".

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item are left out.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.recall_at_k([[1, 2, 1]], [[1, 1, 0]], k=1)
    array([0.5])
    """
    k = check_rank("k", k)
    n_total, n_relevant = _checked(n_total, n_relevant, ties, zero_relevant)
    values = recall_rows(n_total, n_relevant, k, ties)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def hit_rate_at_k(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Chance of a relevant item among the first `k` ranks.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    k, ties, zero_relevant
        As in :func:`skhash.metrics.hit_rate_at_k`; `ties` may not be "index".

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item are left out.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.hit_rate_at_k([[1, 2, 1]], [[1, 1, 0]], k=1)
    array([1.])
    """
    k = check_rank("k", k)
    n_total, n_relevant = _checked(n_total, n_relevant, ties, zero_relevant)
    values = first_hit_rows(n_total, n_relevant, k, ties, reciprocal=False)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def reciprocal_rank(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    k: int | None = None,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """1 / rank of the first relevant item.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    k, ties, zero_relevant
        As in :func:`skhash.metrics.mean_reciprocal_rank`; `ties` may not be "index".

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item are left out.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.reciprocal_rank([[1, 2, 1]], [[1, 1, 0]])
    array([1.])
    """
    k = None if k is None else check_rank("k", k)
    n_total, n_relevant = _checked(n_total, n_relevant, ties, zero_relevant)
    values = first_hit_rows(n_total, n_relevant, k, ties, reciprocal=True)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def r_precision(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Precision among the first R ranks, R being the number of relevant items.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    ties, zero_relevant
        As in :func:`skhash.metrics.r_precision`; `ties` may not be "index".

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item are left out.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.r_precision([[1, 2, 1]], [[1, 1, 0]])
    array([0.75])
    """
    n_total, n_relevant = _checked(n_total, n_relevant, ties, zero_relevant)
    values = r_precision_rows(n_total, n_relevant, ties)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def average_precision_at_r(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Average precision of the first R ranks, divided by R.

    Parameters
    ----------
    n_total, n_relevant : array-like of shape (n_queries, n_bins)
        Number of items, and of relevant items, at each distance.
    ties, zero_relevant
        As in :func:`skhash.metrics.mean_average_precision_at_r`; `ties` may not be
        "index".

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item are left out.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.average_precision_at_r([[1, 2, 1]], [[1, 1, 0]])
    array([0.75])
    """
    n_total, n_relevant = _checked(n_total, n_relevant, ties, zero_relevant)
    values = average_precision_rows(
        n_total, n_relevant, n_relevant.sum(axis=1), ties, "relevant"
    )
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def _checked(
    n_total: ArrayLike, n_relevant: ArrayLike, ties: str, zero_relevant: Any
) -> tuple[np.ndarray, np.ndarray]:
    check_option("ties", ties, TIES[:3])
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    return check_histograms(n_total, n_relevant)
