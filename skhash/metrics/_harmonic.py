"""Sums of 1/t over runs of ranks, without a table as long as the database."""

import math

import numpy as np
from numpy.typing import ArrayLike

_EXACT_BELOW = 64


def _series(t: np.ndarray) -> np.ndarray:
    """``H(t) - log(t + 1/2) - gamma`` for ``t >= 64``; the next term is below 1e-16."""
    square = 1.0 / (t + 0.5) ** 2
    return square * (1 / 24 + square * (-7 / 960 + square * (31 / 8064)))


def _exact_table() -> np.ndarray:
    """The same for t = 0..63, from correctly rounded harmonic numbers."""
    numbers = [math.fsum(1 / i for i in range(1, t + 1)) for t in range(_EXACT_BELOW)]
    t = np.arange(_EXACT_BELOW)
    return np.array(numbers) - np.log(t + 0.5) - np.euler_gamma


_TABLE = _exact_table()


def _remainder(t: np.ndarray) -> np.ndarray:
    small = _TABLE[np.minimum(t, _EXACT_BELOW - 1).astype(np.intp)]
    return np.where(t < _EXACT_BELOW, small, _series(t))


def harmonic_run(start: ArrayLike, length: ArrayLike) -> np.ndarray:
    """Sum of ``1 / t`` over the ranks ``t = start + 1, ..., start + length``.

    The textbook way, a table of harmonic numbers, needs a cell for every item and
    loses digits when two large numbers that are nearly equal are subtracted. Here the
    logarithm of the ratio is taken at once, so that a short run far down the ranking
    keeps full relative precision and the cost does not depend on the database.

    Parameters
    ----------
    start, length : array-like of non-negative integers
        Ranks before the run and ranks in it. They broadcast.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> from skhash.metrics._harmonic import harmonic_run
    >>> harmonic_run([0, 1], 2).round(6)  # 1 + 1/2 and 1/2 + 1/3
    array([1.5     , 0.833333])
    """
    start = np.asarray(start, dtype=np.float64)
    length = np.asarray(length, dtype=np.float64)
    leading = np.log1p(length / (start + 0.5))
    return leading + (_remainder(start + length) - _remainder(start))
