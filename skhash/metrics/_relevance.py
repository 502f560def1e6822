"""What makes an item relevant to a query, and how much."""

from typing import Any

import numpy as np
from scipy import sparse


def check_relevance(relevance: Any, n_queries: int, n_items: int) -> Any:
    """Return a function or a CSR matrix of the right shape."""
    if callable(relevance):
        return relevance
    if sparse.issparse(relevance) or isinstance(relevance, np.ndarray | list | tuple):
        matrix = sparse.csr_array(relevance)
        if matrix.shape != (n_queries, n_items):
            raise ValueError(
                "relevance must have one row per query and one column per item, i.e. "
                f"shape {(n_queries, n_items)}, got {matrix.shape}."
            )
        _check_grades(matrix.data)
        return matrix
    raise TypeError(
        "relevance must be a function of (query_labels, database_labels) or a matrix "
        f"of shape (n_queries, n_items), got {type(relevance).__name__}."
    )


def as_rows(labels: Any, name: str, n: int) -> np.ndarray:
    """Labels for a relevance function: as given, or the indices when there are none."""
    if labels is None:
        return np.arange(n)
    labels = np.asarray(labels.toarray() if sparse.issparse(labels) else labels)
    if labels.ndim == 0 or len(labels) != n:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {name} has "
            f"shape {labels.shape} for {n} codes."
        )
    return labels


def as_given(labels: Any) -> np.ndarray | None:
    """A copy of labels, so that what is kept outlives what is done to them."""
    if labels is None:
        return None
    return np.array(labels.toarray() if sparse.issparse(labels) else labels)


def relevant_pairs(
    relevance: Any, query_labels: np.ndarray, database_labels: np.ndarray, rows: slice
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of positive grade: row within `rows`, item, grade.

    Labels give the grade 1 if they are equal, and multi-hot rows the number of classes
    that they share.
    """
    labels = query_labels[rows]
    if relevance is None:
        block: Any = _shared(labels, database_labels)
    elif callable(relevance):
        block = relevance(labels, database_labels)
        shape = (len(labels), len(database_labels))
        if not sparse.issparse(block):
            block = np.asarray(block)
        if block.shape != shape:
            raise ValueError(
                "relevance(query_labels, database_labels) must return one row per "
                f"query and one column per item, i.e. shape {shape}, got {block.shape}."
            )
    else:
        block = relevance[rows]
    if sparse.issparse(block):
        block = sparse.coo_array(block)
        block.sum_duplicates()
        row, col, grade = block.coords[0], block.coords[1], block.data
        _check_grades(grade)
    else:
        _check_grades(block)
        row, col = np.nonzero(block)
        grade = block[row, col]
    kept = grade > 0
    return row[kept], col[kept], grade[kept].astype(np.float64)


def _shared(labels: np.ndarray, database_labels: np.ndarray) -> np.ndarray:
    if labels.ndim == 1:
        return labels[:, None] == database_labels
    return labels.astype(np.float32) @ database_labels.T.astype(np.float32)


def _check_grades(grades: np.ndarray) -> None:
    if grades.dtype.kind not in "biuf":
        raise ValueError(f"Relevance must be numbers, got dtype {grades.dtype}.")
    if grades.size and not grades.min() >= 0:  # NaN fails this comparison too
        raise ValueError("Relevance must be 0 or more for every pair.")
