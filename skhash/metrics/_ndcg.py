"""Normalised discounted cumulative gain, from codes and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics.averages import settle_zero_relevant
from skhash.metrics.from_histograms._gains import (
    gains_of,
    ideal_of_counts,
    ideal_of_pairs,
    ndcg_of_gains,
)
from skhash.metrics.options import GAINS, ZERO_RELEVANT, check_option, check_rank
from skhash.metrics.task import Retrieval

# Cells of a histogram of grades held at a time.
_CELLS = 1 << 22


def ndcg(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    k: int | None = None,
    gain: str = "exponential",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    r"""Normalised discounted cumulative gain of graded relevance (nDCG).

    .. math:: DCG@k = \sum_{i=1}^{k} \frac{g_i}{\log_2(1 + i)},

    divided by the DCG of the best order of the whole database. Tied items share their
    ranks evenly, which is the exact expectation over all orders of tied items.

    All else is as in :func:`average_precision` and :func:`precision_at_k`.

    Parameters
    ----------
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes)
        Labels of any dtype, or multi-hot rows. The grade of an item is 1 if the labels
        are equal, or the number of classes shared.
    k : int, default=None
        Only the first `k` ranks count; None means the whole ranking.
    gain : {"exponential", "linear"}, default="exponential"
        ``2 ** grade - 1``, or the grade itself.
    zero_relevant : {"drop", 0, 1, "raise"}, default="drop"
        For queries of which every item has grade 0, as in :func:`average_precision`.
    relevance : callable or sparse matrix of shape (n_queries, n_items), default=None
        Grades of 0 or more, if not from labels, as in :func:`average_precision`.

    Raises
    ------
    ValueError
        As in :func:`average_precision`, and if a grade is negative.

    References
    ----------
    K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques",
    ACM TOIS 20(4), 2002. Ties: F. McSherry and M. Najork, ECIR 2008.

    Examples
    --------
    Distances 0, 1, 1 and grades 0, 2, 1:

    >>> from skhash.metrics import ndcg
    >>> database = [[0b00], [0b01], [0b10]]
    >>> round(ndcg([[0]], database, relevance=[[0, 2, 1]]), 6)
    0.622942
    """
    k = None if k is None else check_rank("k", k)
    check_option("gain", gain, GAINS)
    check_option("zero_relevant", zero_relevant, ZERO_RELEVANT)
    sides = (queries, database, query_labels, database_labels)
    task = Retrieval.of(*sides, relevance, exclude_self, n_jobs, sample_weight)
    task.check_average(average)
    values = [piece.ndcg(k) for piece in graded_pieces(task, gain, k)]
    scores = np.concatenate([np.empty(0), *values])
    settle_zero_relevant(scores, np.isnan(scores), zero_relevant)
    return task.average(scores, average)


class GradedPiece(NamedTuple):
    """Histograms of a run of queries, and what nDCG needs beside them."""

    rows: slice
    n_total: np.ndarray
    n_relevant: np.ndarray
    gain_sums: np.ndarray  # sum of the gains at each distance
    ideal: np.ndarray  # DCG of each query's best order

    def ndcg(self, k: int | None) -> np.ndarray:
        """Value of each query, for the `k` that the ideal was made for."""
        return ndcg_of_gains(self.n_total, self.gain_sums, self.ideal, k)


def graded_pieces(task: Retrieval, gain: str, k: int | None) -> Iterator[GradedPiece]:
    """The pieces of a task with their gains, in the cheapest way that relevance allows.

    Equal labels have one grade, which the histograms of relevant items hold already.
    Shared classes are small whole numbers and are counted. Other grades are summed
    pair by pair.
    """
    if not task.is_graded:
        one = np.ones(1)
        for rows, n_total, n_relevant in task.pieces():
            counts = n_relevant.sum(axis=1, keepdims=True)
            # Both kinds of gain are 1 for grade 1.
            ideal = ideal_of_counts(counts, one, k)
            yield GradedPiece(rows, n_total, n_relevant, n_relevant, ideal)
        return
    parts_of: Callable[[slice], Iterable[_Part]]
    if task.relevance is None:
        parts_of = lambda run: _shared_classes(task, run, gain, k)
    else:
        parts_of = lambda run: [_grades_of_pairs(task, run, gain, k)]
    for rows in task.runs():
        parts = [part for run in task.small_runs(rows) for part in parts_of(run)]
        yield GradedPiece(rows, *map(np.concatenate, zip(*parts, strict=True)))


# Items, relevant items and gains at each distance, and ideals, of a run of queries.
_Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _shared_classes(
    task: Retrieval, run: slice, gain: str, k: int | None
) -> Iterator[_Part]:
    """Parts of a small run, by histograms of distance and number of shared classes."""
    n_grades = task.n_grades
    gains = gains_of(np.arange(n_grades), gain)
    for rows in task.runs(_CELLS // (task.n_bins * n_grades), run):
        counts = task.shared_histograms(rows, n_grades)
        ideal = ideal_of_counts(counts.sum(axis=1), gains, k)
        n_total = counts.sum(axis=2)
        yield n_total, n_total - counts[:, :, 0], counts @ gains, ideal


def _grades_of_pairs(task: Retrieval, run: slice, gain: str, k: int | None) -> _Part:
    """A small run, by its relevant pairs."""
    n_total = task.totals(run)
    row, distance, grade = task.graded_pairs(run)
    gains = gains_of(grade, gain)
    cell = row * task.n_bins + distance
    sums = np.bincount(cell, weights=gains, minlength=n_total.size)
    n_relevant = np.bincount(cell, minlength=n_total.size)
    ideal = ideal_of_pairs(row, gains, len(n_total), k)
    shape = n_total.shape
    return n_total, n_relevant.reshape(shape), sums.reshape(shape), ideal
