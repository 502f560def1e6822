"""Precision and recall among the items within a Hamming radius, row by row."""

from typing import Any

import numpy as np


def ball_counts(
    n_total: np.ndarray, n_relevant: np.ndarray, radius: int
) -> tuple[np.ndarray, np.ndarray]:
    """Items and relevant items at distance `radius` or less, as float64."""
    ball = slice(None, radius + 1)
    size = n_total[:, ball].sum(axis=1, dtype=np.float64)
    return size, n_relevant[:, ball].sum(axis=1, dtype=np.float64)


def precision_within_rows(
    n_total: np.ndarray, n_relevant: np.ndarray, radius: int, empty_ball: Any
) -> np.ndarray:
    """Share of relevant items in the ball; an empty ball has 0, or NaN if dropped."""
    size, hits = ball_counts(n_total, n_relevant, radius)
    value = hits / np.maximum(size, 1)
    if empty_ball == "drop":
        value[size == 0] = np.nan
    return value


def recall_within_rows(
    n_total: np.ndarray, n_relevant: np.ndarray, radius: int
) -> np.ndarray:
    """Share of the relevant items that lie in the ball; NaN where there is none."""
    _, hits = ball_counts(n_total, n_relevant, radius)
    relevant = n_relevant.sum(axis=1, dtype=np.float64)
    return np.where(relevant > 0, hits / np.maximum(relevant, 1), np.nan)
