"""How far a mean over queries might be off, by resampling queries."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def bootstrap_means(
    values: np.ndarray, n_resamples: int, random_state: Any
) -> np.ndarray:
    """Means of resampled queries, the same resamples for all columns.

    Parameters
    ----------
    values : ndarray of shape (n_queries, n_columns)
    n_resamples : int
    random_state : int, RandomState or None

    Returns
    -------
    ndarray of shape (n_resamples, n_columns)
    """
    n = len(values)
    if n == 0:
        return np.full((n_resamples, values.shape[1]), np.nan)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)
    means = np.empty((n_resamples, values.shape[1]))
    for i in range(n_resamples):
        weight = np.bincount(rng.integers(n, size=n), minlength=n)
        means[i] = weight @ values
    return means / n


def interval(means: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of each column."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high
