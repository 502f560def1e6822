"""Mean and principal directions of features, in float64 and with fixed signs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, svd

from skhash.baselines._base import blocks, means
from skhash.warn import warn

_EPS = np.finfo(np.float64).eps


class Principal(NamedTuple):
    """Mean (d,), directions (k, d) and variances (k,), the largest first.

    Directions in which nothing varies are rows of zeros, of variance 0.
    """

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def rank(self) -> int:
        """How many directions vary."""
        return int(np.count_nonzero(self.variances))


def principal_directions(X: NDArray, k: int) -> Principal:
    """The k directions of most variance, each with its largest entry positive."""
    few = 2 * len(X) <= X.shape[1]
    mean, variances, directions = (_of_few_items if few else _of_moments)(X, k)
    directions = directions * signs_of(directions)[:, None]
    # What rounding makes of none.
    alive = variances > 10 * len(mean) * _EPS * variances[0]
    return Principal(
        mean, np.where(alive[:, None], directions, 0.0), np.where(alive, variances, 0.0)
    )


def _of_moments(X: NDArray, k: int) -> tuple[NDArray, NDArray, NDArray]:
    """Mean, variances and directions, by the covariance of the features."""
    mean, covariance = moments(X)
    d = len(mean)
    variances, vectors = eigh(covariance, subset_by_index=(d - k, d - 1))
    return mean, variances[::-1], vectors.T[::-1]


def _of_few_items(X: NDArray, k: int) -> tuple[NDArray, NDArray, NDArray]:
    """The same by the items, of which there are fewer than would fill a covariance."""
    n, d = X.shape
    with np.errstate(over="ignore", invalid="ignore"):
        mean = means(X)
        centred = X.astype(np.float64) - mean
        _check_squares(np.float64((centred**2).sum()), X)
    _, sizes, directions = svd(centred, full_matrices=False, overwrite_a=True)
    variances, kept = np.zeros(k), np.zeros((k, d))
    variances[:n], kept[:n] = sizes[:k] ** 2 / n, directions[:k]
    return mean, variances, kept


def moments(X: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance (divided by n), by blocks of rows."""
    n, d = X.shape
    covariance = np.zeros((d, d))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = means(X)
        for rows in blocks(X):
            centred = X[rows].astype(np.float64) - mean
            covariance += centred.T @ centred / n
    _check_squares(covariance, X)
    return mean, covariance


def _check_squares(values: NDArray | np.float64, X: NDArray) -> None:
    """Refuse features whose squares float64 does not hold."""
    if not np.isfinite(values).all():
        raise ValueError(
            f"The squares of X overflow float64: its largest value is "
            f"{np.abs(X).max():g}. Scale X, e.g. by sklearn.preprocessing."
            "StandardScaler."
        )


def signs_of(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sign, a row, that makes the entry of largest size positive, +1 for zeros."""
    largest = np.abs(directions).argmax(axis=1)
    return np.where(directions[np.arange(len(directions)), largest] < 0, -1.0, 1.0)


def check_enough_features(n_bits: int, n_features: int, name: str) -> None:
    """Refuse more bits than features, of which there are no more directions."""
    if n_bits > n_features:
        raise ValueError(
            f"{name} makes at most one bit of a feature: n_bits={n_bits} was asked of "
            f"n_features={n_features}. Take n_bits={n_features} or less, or "
            "RotatedSigns, which makes any number of bits."
        )


def warn_of_rank(rank: int, n_bits: int, n_items: int, what: str) -> None:
    """Say that fewer directions vary than there are bits, and what the rest is."""
    if rank < n_bits:
        warn(
            f"Only {rank} direction(s) of X vary, fewer than n_bits={n_bits}: {what}. "
            f"X has {n_items} items; give more of them or other features, or take "
            f"n_bits={max(rank, 1)}."
        )
