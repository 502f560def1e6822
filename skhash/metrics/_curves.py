"""Precision-recall curves by radius and by rank, from codes and labels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._rank_rows import hits_at_rows
from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.options import (
    EMPTY_BALL,
    TIES,
    check_option,
    check_rank,
    check_weight,
)
from skhash.metrics.task import Retrieval


class RetrievalCurve(NamedTuple):
    """Mean precision and recall at each cut-off.

    Attributes
    ----------
    precision, recall : ndarray of shape (n_cutoffs,), float64
        Means over queries.
    cutoffs : ndarray of shape (n_cutoffs,), int64
        Radii in bits, or numbers of ranks.

    Examples
    --------
    >>> from skhash.metrics import precision_recall_by_rank
    >>> curve = precision_recall_by_rank([[0]], [[0], [1]], [5], [5, 6])
    >>> curve.precision, curve.recall, curve.cutoffs
    (array([1. , 0.5]), array([1., 1.]), array([1, 2]))
    """

    precision: np.ndarray
    recall: np.ndarray
    cutoffs: np.ndarray


def precision_recall_by_radius(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    empty_ball: Any = 0,
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> RetrievalCurve:
    """Mean precision and recall of the items within each radius.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
            default=None
        Labels of any dtype, or multi-hot rows. Items are relevant to a query if their
        labels are equal, or share a class.
    empty_ball : {0, "drop"}, default=0
        Precision of a query with nothing within a radius: 0, or not in the mean, which
        lifts the left end of the curve.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the means; None means equal ones.
    relevance, exclude_self, n_jobs
        As in :func:`average_precision`. Queries without any relevant item are left
        out with a warning.

    Returns
    -------
    precision, recall : ndarray of shape (n_bins,), float64
        Means over queries; NaN where no query counts.
    cutoffs : ndarray of shape (n_bins,), int64
        Radii 0, 1, ..., 8 * n_bytes, in bits.

    Raises
    ------
    ValueError
        If codes or labels do not fit together, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item in the database are left out.

    References
    ----------
    W. Liu et al., "Supervised hashing with kernels", CVPR 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import precision_recall_by_radius
    >>> database = np.array([[0b000], [0b001], [0b111]], dtype=np.uint8)
    >>> precision, recall, radius = precision_recall_by_radius(
    ...     [[0]], database, ["cat"], ["cat", "dog", "cat"]
    ... )
    >>> precision[:4].round(2), recall[:4]
    (array([1.  , 0.5 , 0.5 , 0.67]), array([0.5, 0.5, 0.5, 1. ]))
    """
    check_option("empty_ball", empty_ball, EMPTY_BALL)
    weight = check_weight(sample_weight, queries)
    retrieval = Retrieval.of(
        queries,
        database,
        query_labels,
        database_labels,
        relevance,
        exclude_self,
        n_jobs,
    )
    radii = np.arange(8 * retrieval.database.shape[1] + 1)
    rows_of = lambda t, r: radius_curve_rows(t, r, empty_ball)
    return _mean_curve(retrieval, rows_of, radii, "expected", weight)


def precision_recall_by_rank(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    ranks: ArrayLike | None = None,
    ties: str = "expected",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> RetrievalCurve:
    """Mean precision and recall of the first ranks, for several numbers of ranks.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes), \
            default=None
        Labels of any dtype, or multi-hot rows. Items are relevant to a query if their
        labels are equal, or share a class.
    ranks : array-like of shape (n_ranks,), int, default=None
        Numbers of first ranks. None means about fifty, from 1 to the whole database,
        evenly spaced on a logarithmic axis.
    ties : {"expected", "optimistic", "pessimistic", "index"}, default="expected"
        The order inside equal distances, as in :func:`average_precision`.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the means; None means equal ones.
    relevance, exclude_self, n_jobs
        As in :func:`average_precision`. Queries without any relevant item are left
        out with a warning.

    Returns
    -------
    precision, recall : ndarray of shape (n_ranks,), float64
        Means over queries; NaN where no query counts.
    cutoffs : ndarray of shape (n_ranks,), int64
        The numbers of ranks.

    Raises
    ------
    ValueError
        If codes or labels do not fit together, or an option is unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item in the database are left out.

    References
    ----------
    C. D. Manning, P. Raghavan and H. Schütze, "Introduction to information retrieval",
    Cambridge University Press, 2008, chapter 8. Ties: F. McSherry and M. Najork, ECIR
    2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import precision_recall_by_rank
    >>> database = np.array([[0b000], [0b001], [0b111]], dtype=np.uint8)
    >>> precision, recall, ranks = precision_recall_by_rank(
    ...     [[0]], database, ["cat"], ["cat", "dog", "cat"], ranks=[1, 3]
    ... )
    >>> precision.round(2), recall
    (array([1.  , 0.67]), array([0.5, 1. ]))
    """
    check_option("ties", ties, TIES)
    weight = check_weight(sample_weight, queries)
    retrieval = Retrieval.of(
        queries,
        database,
        query_labels,
        database_labels,
        relevance,
        exclude_self,
        n_jobs,
    )
    cutoffs = check_ranks(ranks, len(retrieval.database) - retrieval.exclude_self)
    left = "expected" if ties == "index" else ties
    rows_of = lambda t, r: rank_curve_rows(t, r, cutoffs, left)
    return _mean_curve(retrieval, rows_of, cutoffs, ties, weight)


def check_ranks(ranks: ArrayLike | None, n_items: int) -> np.ndarray:
    """Numbers of ranks as int64; about fifty when none are given."""
    if ranks is None:
        grid = np.geomspace(1, max(1, n_items), 50)
        return np.unique(np.round(grid).astype(np.int64))
    given = np.atleast_1d(np.asarray(ranks))
    if given.ndim != 1 or given.size == 0:
        raise ValueError(f"ranks must be a list of integers, got shape {given.shape}.")
    return np.array([check_rank("ranks", rank) for rank in given], dtype=np.int64)


def radius_curve_rows(
    n_total: np.ndarray, n_relevant: np.ndarray, empty_ball: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall within each radius, of each query."""
    size = np.cumsum(n_total, axis=1, dtype=np.float64)
    hits = np.cumsum(n_relevant, axis=1, dtype=np.float64)
    precision = hits / np.maximum(size, 1)
    if empty_ball == "drop":
        precision[size == 0] = np.nan
    recall = np.where(hits[:, -1:] > 0, hits / np.maximum(hits[:, -1:], 1), np.nan)
    return precision, recall


def rank_curve_rows(
    n_total: np.ndarray, n_relevant: np.ndarray, ranks: np.ndarray, ties: str
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of each number of first ranks, of each query."""
    hits = np.stack([hits_at_rows(n_total, n_relevant, k, ties) for k in ranks], axis=1)
    relevant = n_relevant.sum(axis=1, dtype=np.float64)[:, None]
    recall = np.where(relevant > 0, hits / np.maximum(relevant, 1), np.nan)
    return hits / ranks, recall


def _mean_curve(
    retrieval: Retrieval,
    rows_of: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    cutoffs: np.ndarray,
    ties: str,
    weight: np.ndarray | None,
) -> RetrievalCurve:
    """Means over the queries that have a relevant item."""
    weights = np.ones(len(retrieval.queries)) if weight is None else weight
    sums, counts = np.zeros((2, len(cutoffs))), np.zeros((2, len(cutoffs)))
    undefined: list[np.ndarray] = [np.empty(0, dtype=bool)]
    pieces = retrieval.pieces()
    if ties == "index":
        pieces = retrieval.ranked_pieces(int(cutoffs.max()))
    for part, n_total, n_relevant in pieces:
        lonely = nothing_relevant(n_relevant)
        undefined.append(lonely)
        own = weights[part][~lonely, None]
        for side, rows in enumerate(rows_of(n_total[~lonely], n_relevant[~lonely])):
            sums[side] += np.nansum(own * rows, axis=0)
            counts[side] += (own * ~np.isnan(rows)).sum(axis=0)
    lonely = np.concatenate(undefined)
    settle_zero_relevant(np.zeros(len(lonely)), lonely, "drop")
    means = np.where(counts > 0, sums / np.where(counts > 0, counts, 1), np.nan)
    return RetrievalCurve(means[0], means[1], cutoffs)
