"""Check of a pair of histograms."""

import numpy as np
from numpy.typing import ArrayLike


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
