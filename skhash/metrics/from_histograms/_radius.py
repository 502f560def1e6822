"""Precision and recall within a radius of each query, from histograms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.options import (
    EMPTY_BALL,
    check_histograms,
    check_option,
    check_radius,
)


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


def _within(counts: np.ndarray, radius: int) -> np.ndarray:
    """Items at distance `radius` or less, as float64."""
    return np.asarray(counts[:, : radius + 1].sum(axis=1, dtype=np.float64))
