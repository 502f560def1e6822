"""Precision-recall curves by radius and by rank, from codes and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics import from_histograms
from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.options import check_ranks
from skhash.metrics.task import Piece, Retrieval


class RetrievalCurve(NamedTuple):
    """Mean precision and recall at each cut-off.

    Attributes
    ----------
    precision, recall : ndarray of shape (n_cutoffs,), float64
        Means over queries; NaN where no query counts.
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

    Queries without any relevant item are left out with a warning. All else is as in
    :func:`average_precision` and :func:`precision_at_k`.

    Parameters
    ----------
    empty_ball : {0, "drop"}, default=0
        Precision of a query with nothing within a radius: 0, or not in the mean, which
        lifts the left end of the curve.

    Returns
    -------
    curve : RetrievalCurve
        Precision, recall, and the radii 0, 1, ..., 8 * n_bytes.

    References
    ----------
    W. Liu et al., "Supervised hashing with kernels", CVPR 2012.

    Examples
    --------
    >>> from skhash.metrics import precision_recall_by_radius
    >>> database = [[0b000], [0b001], [0b111]]
    >>> precision, recall, radius = precision_recall_by_radius(
    ...     [[0]], database, ["cat"], ["cat", "dog", "cat"]
    ... )
    >>> precision[:4].round(2), recall[:4]
    (array([1.  , 0.5 , 0.5 , 0.67]), array([0.5, 0.5, 0.5, 1. ]))
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    return _mean_curve(
        task,
        task.pieces(),
        partial(from_histograms.precision_recall_by_radius, empty_ball=empty_ball),
        np.arange(task.n_bins),
    )


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

    Queries without any relevant item are left out with a warning. All else is as in
    :func:`average_precision` and :func:`precision_at_k`.

    Parameters
    ----------
    ranks : array-like of shape (n_ranks,), int, default=None
        Numbers of first ranks. None means about fifty, from 1 to the whole database,
        evenly spaced on a logarithmic axis.

    Returns
    -------
    curve : RetrievalCurve
        Precision, recall, and the numbers of ranks.

    Examples
    --------
    >>> from skhash.metrics import precision_recall_by_rank
    >>> database = [[0b000], [0b001], [0b111]]
    >>> precision, recall, ranks = precision_recall_by_rank(
    ...     [[0]], database, ["cat"], ["cat", "dog", "cat"], ranks=[1, 3]
    ... )
    >>> precision.round(2), recall
    (array([1.  , 0.67]), array([0.5, 1. ]))
    """
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    cutoffs = check_ranks(ranks, task.n_candidates)
    pieces, ties = task.by_ties(ties, int(cutoffs.max()))
    return _mean_curve(
        task,
        pieces,
        partial(from_histograms.precision_recall_by_rank, ranks=cutoffs, ties=ties),
        cutoffs,
    )


def _mean_curve(
    task: Retrieval,
    pieces: Iterator[Piece],
    curves: Callable[..., tuple[np.ndarray, np.ndarray]],
    cutoffs: np.ndarray,
) -> RetrievalCurve:
    """Means over the queries that have a relevant item, of curves of histograms."""
    undefined = np.zeros(len(task.queries), dtype=bool)
    # Of no queries, so that options are checked before any work.
    curves(*np.zeros((2, 0, 1), dtype=np.int64))
    mean = CurveMean(task, curves, cutoffs)
    for rows, n_total, n_relevant in pieces:
        undefined[rows] = mean.add(rows, n_total, n_relevant)
    settle_zero_relevant(np.zeros(len(task.queries)), undefined, "drop")
    return mean.curve()


class CurveMean:
    """A mean of curves over the queries that have a relevant item, a piece at a time.

    Parameters
    ----------
    task : Retrieval
        Has the weights of the queries.
    curves : callable
        Precision and recall of each query, of its two histograms.
    cutoffs : ndarray of shape (n_cutoffs,)
        Where.
    """

    def __init__(
        self,
        task: Retrieval,
        curves: Callable[..., tuple[np.ndarray, np.ndarray]],
        cutoffs: np.ndarray,
    ) -> None:
        self.task, self.curves, self.cutoffs = task, curves, cutoffs
        self.sums, self.counts = np.zeros((2, 2, len(cutoffs)))

    def add(
        self, rows: slice, n_total: np.ndarray, n_relevant: np.ndarray
    ) -> np.ndarray:
        """Take the queries of a piece; which of them have nothing relevant."""
        undefined = nothing_relevant(n_relevant)
        weight = self.task.sample_weight
        own = np.ones(len(undefined)) if weight is None else weight[rows]
        own = own[~undefined, None]
        curves = self.curves(n_total[~undefined], n_relevant[~undefined])
        for side, values in enumerate(curves):
            self.sums[side] += np.nansum(own * values, axis=0)
            self.counts[side] += (own * ~np.isnan(values)).sum(axis=0)
        return undefined

    def curve(self) -> RetrievalCurve:
        """The mean so far."""
        some = self.counts > 0
        means = np.where(some, self.sums / np.where(some, self.counts, 1), np.nan)
        return RetrievalCurve(means[0], means[1], self.cutoffs)
