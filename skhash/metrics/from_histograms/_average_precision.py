"""Average precision of each query, from histograms."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._average_precision import average_precision_rows
from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.from_histograms._check import check_histograms
from skhash.metrics.options import check_average_precision


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
