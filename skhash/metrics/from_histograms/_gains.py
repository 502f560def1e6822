"""nDCG of each query, from histograms of grades."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._dcg_rows import gains_of, ideal_of_counts, ndcg_rows
from skhash.metrics.averages import settle_zero_relevant
from skhash.metrics.options import GAINS, ZERO_RELEVANT, check_option, check_rank


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

    Parameters
    ----------
    n_total : array-like of shape (n_queries, n_bins)
        Number of items at each distance.
    n_graded : array-like of shape (n_queries, n_bins, n_grades)
        Number of items of each grade at each distance. It adds up over the parts of a
        database. Items of grade 0 may be left out.
    grades : array-like of shape (n_grades,)
        The grades, 0 or more.
    k, gain, zero_relevant
        As in :func:`skhash.metrics.ndcg`.

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item are left out.

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
    values = ndcg_rows(totals, graded @ gains, ideal, k)
    return settle_zero_relevant(values, np.isnan(values), zero_relevant)
