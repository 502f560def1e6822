"""Gains at each distance, by the cheapest way that the kind of relevance allows."""

from collections.abc import Iterator

import numpy as np

from skhash.hamming import distances
from skhash.metrics._dcg_rows import gains_of, ideal_of_counts, ideal_of_pairs
from skhash.metrics.task import Retrieval

# Cells of a histogram of grades held at a time.
_CELLS = 1 << 22

GradedPiece = tuple[np.ndarray, np.ndarray, np.ndarray]


def graded_pieces(
    retrieval: Retrieval, gain: str, k: int | None
) -> Iterator[GradedPiece]:
    """Yield items and sum of gains at each distance, and the ideal DCG at `k`.

    Equal labels have one grade, which the histograms of relevant items hold already.
    Shared classes are small whole numbers and are counted. Other grades are summed
    pair by pair.
    """
    if retrieval.relevance is not None:
        return _by_pairs(retrieval, gain, k)
    if retrieval.query_labels.ndim == 2:
        return _by_counts(retrieval, gain, k)
    return _by_relevance(retrieval, k)


def _by_relevance(retrieval: Retrieval, k: int | None) -> Iterator[GradedPiece]:
    one = np.ones(1)
    for _, n_total, n_relevant in retrieval.pieces():
        counts = n_relevant.sum(axis=1, keepdims=True)
        # Both kinds of gain are 1 for grade 1.
        yield n_total, n_relevant, ideal_of_counts(counts, one, k)


def _by_counts(retrieval: Retrieval, gain: str, k: int | None) -> Iterator[GradedPiece]:
    n_bins = 8 * retrieval.database.shape[1] + 1
    n_grades = retrieval.query_labels.shape[1] + 1
    gains = gains_of(np.arange(n_grades), gain)
    labels = retrieval.database_labels.T.astype(np.float32)
    for run in retrieval.small_runs():
        for rows in retrieval.runs(max(1, _CELLS // (n_bins * n_grades)), run):
            distance = distances(
                retrieval.queries[rows], retrieval.database, n_jobs=retrieval.n_jobs
            )
            shared = retrieval.query_labels[rows].astype(np.float32) @ labels
            n_rows = len(distance)
            cell = np.arange(0, n_rows * n_bins, n_bins)[:, None] + distance
            cell *= n_grades
            cell += shared.astype(np.intp)
            size = n_rows * n_bins * n_grades
            counts = np.bincount(cell.ravel(), minlength=size)
            if retrieval.exclude_self:
                own = np.arange(rows.start, rows.stop)
                counts -= np.bincount(cell[np.arange(n_rows), own], minlength=size)
            counts = counts.reshape(n_rows, n_bins, n_grades)
            ideal = ideal_of_counts(counts.sum(axis=1), gains, k)
            yield counts.sum(axis=2), counts @ gains, ideal


def _by_pairs(retrieval: Retrieval, gain: str, k: int | None) -> Iterator[GradedPiece]:
    for rows in retrieval.small_runs():
        n_total = retrieval.totals(rows)
        row, distance, grade = retrieval.graded(rows)
        gains = gains_of(grade, gain)
        n_rows, n_bins = n_total.shape
        cell = row * n_bins + distance
        sums = np.bincount(cell, weights=gains, minlength=n_rows * n_bins)
        ideal = ideal_of_pairs(row, gains, n_rows, k)
        yield n_total, sums.reshape(n_rows, n_bins), ideal
