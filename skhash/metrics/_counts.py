"""Counts of pairs of a run of queries and all items."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skhash.hamming import distances
from skhash.hamming.labels import dense


def differing_bits(codes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Hamming distances of codes, row by row."""
    return np.bitwise_count(codes ^ others).sum(axis=1, dtype=np.intp)


def shared_classes(task: Any, rows: slice, n_grades: int) -> np.ndarray:
    """Items at each distance that share 0, 1, ... classes with each query of a run.

    Shape (n_rows, n_bins, n_grades), int64.
    """
    distance = distances(task.queries[rows], task.database, n_jobs=task.n_jobs)
    shared = dense(task.query_labels.overlap(rows, task.database_labels))
    shape = len(distance), task.n_bins, n_grades
    cell = np.arange(0, shape[0] * task.n_bins, task.n_bins)[:, None] + distance
    cell *= n_grades
    cell += shared.astype(np.intp)
    size = math.prod(shape)
    counts = np.bincount(cell.ravel(), minlength=size)
    if task.exclude_self:
        own = np.arange(shape[0]), np.arange(rows.start, rows.stop)
        counts -= np.bincount(cell[own], minlength=size)
    return counts.reshape(shape)
