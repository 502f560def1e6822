"""nDCG of rankings of graded items that are known only up to ties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics.averages import settle_zero_relevant
from skhash.metrics.options import GAINS, ZERO_RELEVANT, check_option, check_rank

# Different gains up to which items are counted by gain rather than sorted.
_COUNTED = 64


def ndcg(
    n_total: ArrayLike,
    n_graded: ArrayLike,
    grades: ArrayLike,
    *,
    k: int | None = None,
    gain: str = "exponential",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Normalised discounted cumulative gain of each query.

    All else is as in :func:`average_precision` and :func:`skhash.metrics.ndcg`.

    Parameters
    ----------
    n_graded : array-like of shape (n_queries, n_bins, n_grades)
        Number of items of each grade at each distance. It adds up over the parts of a
        database. Items of grade 0 may be left out.
    grades : array-like of shape (n_grades,)
        The grades, 0 or more.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or an option is unknown.

    Examples
    --------
    Distances 0, 1, 1 and grades 0, 2, 1:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.ndcg([[1, 2]], [[[0, 0], [1, 1]]], grades=[1, 2]).round(6)
    array([0.622942])
    """
    k = None if k is None else check_rank("k", k)
    check_option("gain", gain, GAINS)
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    totals, graded = np.asarray(n_total), np.asarray(n_graded)
    grade = np.asarray(grades, dtype=np.float64)
    if totals.ndim != 2 or graded.shape != (*totals.shape, *grade.shape):
        raise ValueError(
            "Expected n_total of shape (n_queries, n_bins), n_graded of shape "
            "(n_queries, n_bins, n_grades) and grades of shape (n_grades,), got "
            f"{totals.shape}, {graded.shape} and {grade.shape}."
        )
    if not (grade >= 0).all():
        raise ValueError("Grades must be 0 or more.")
    if (graded < 0).any() or (graded.sum(axis=2) > totals).any():
        raise ValueError("n_graded counts more items than n_total, or less than none.")
    gains = gains_of(grade, gain)
    ideal = ideal_of_counts(graded.sum(axis=1), gains, k)
    values = ndcg_of_gains(totals, graded @ gains, ideal, k)
    return settle_zero_relevant(values, np.isnan(values), zero_relevant)


def gains_of(grades: np.ndarray, gain: str) -> np.ndarray:
    """Gain of each grade: ``2 ** grade - 1``, or the grade itself."""
    grades = np.asarray(grades, dtype=np.float64)
    return np.exp2(grades) - 1 if gain == "exponential" else grades


def ndcg_of_gains(
    n_total: np.ndarray, gain_sums: np.ndarray, ideal: np.ndarray, k: int | None
) -> np.ndarray:
    """Expected DCG of each row divided by its ideal; NaN where the ideal is 0.

    The items of a bucket share its ranks evenly, so that each rank expects the mean
    gain of the bucket. The ideal does not depend on the order: no ratio is averaged.
    """
    after = np.cumsum(n_total, axis=1, dtype=np.int64)
    n_ranks = int(after[:, -1].max(initial=0))
    last = n_ranks if k is None else min(k, n_ranks)
    sums = _discount_sums(last)
    discounts = sums[np.minimum(after, last)] - sums[np.minimum(after - n_total, last)]
    dcg = (gain_sums * (discounts / np.maximum(n_total, 1))).sum(axis=1)
    return np.where(ideal > 0, dcg / np.where(ideal > 0, ideal, 1), np.nan)


def ideal_of_counts(counts: np.ndarray, gains: np.ndarray, k: int | None) -> np.ndarray:
    """DCG at `k` of the best order, by the number of items of each gain in a row."""
    best_first = np.argsort(-gains)
    after = np.cumsum(counts[:, best_first], axis=1, dtype=np.int64)
    last = int(after[:, -1].max(initial=0))
    last = last if k is None else min(k, last)
    sums = _discount_sums(last)
    upto = sums[np.minimum(after, last)]
    return np.diff(upto, axis=1, prepend=0) @ gains[best_first]


def ideal_of_pairs(
    row: np.ndarray, gain: np.ndarray, n_rows: int, k: int | None
) -> np.ndarray:
    """DCG at `k` of each row's gains in descending order."""
    # Shared classes and judgements have few grades; counting them is faster than
    # sorting, and the first few items show which there are.
    kinds = np.unique(gain[:1000])
    kind = np.minimum(np.searchsorted(kinds, gain), max(0, len(kinds) - 1))
    if 0 < len(kinds) <= _COUNTED and np.array_equal(kinds[kind], gain):
        counts = np.bincount(row * len(kinds) + kind, minlength=n_rows * len(kinds))
        return ideal_of_counts(counts.reshape(n_rows, len(kinds)), kinds, k)
    order = np.lexsort((-gain, row))
    row, gain = row[order], gain[order]
    count = np.bincount(row, minlength=n_rows)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    value = gain / np.log2(rank + 2)
    if k is not None:
        value[rank >= k] = 0
    return np.bincount(row, weights=value, minlength=n_rows).astype(np.float64)


def _discount_sums(n_ranks: int) -> np.ndarray:
    """Sum of the discounts ``1 / log2(1 + rank)`` of the first 0, 1, ... ranks."""
    discounts = 1 / np.log2(np.arange(2, n_ranks + 2))
    return np.concatenate([[0.0], np.cumsum(discounts)])
