"""What makes an item relevant to a query, and how much."""

from collections.abc import Set
from contextlib import suppress
from typing import Any

import numpy as np
from scipy import sparse

from skhash.hamming.columns import as_array, check_column, refuse_others
from skhash.hamming.labels import check_labels, dense


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


def as_rows(labels: Any, name: str, n: int) -> Any:
    """Rows for a relevance function: an array or CSR; indices when there are none."""
    if labels is None:
        return np.arange(n)
    refuse_others(labels, name)
    if sparse.issparse(labels):
        rows: Any = sparse.csr_array(labels)
    else:
        rows = as_array(labels, name=name)
    if rows.dtype == object and not isinstance(labels, np.ndarray):
        rows = _narrowed(rows, name)
    if rows.shape[0] != n:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {name} has "
            f"shape {rows.shape} for {n} codes."
        )
    return rows


def _narrowed(rows: np.ndarray, name: str) -> np.ndarray:
    """Objects as numbers, strings or a table where these say the same."""
    values = rows.tolist()
    if rows.ndim == 1 and all(map(_is_row, values)):
        with suppress(ValueError):  # rows of different lengths
            return np.array([np.asarray(value) for value in values])
    with suppress(ValueError, TypeError):  # several kinds, or missing ones
        return check_column(rows, name=name)
    return rows


def _is_row(value: Any) -> bool:
    """Whether a label looks like a row of a table."""
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Set | dict)


def as_given(labels: Any, relevance: Any, name: str, n: int) -> Any:
    """A copy of labels, so that what is kept outlives what is done to them."""
    if labels is None:
        return None
    if relevance is None:
        return check_labels(labels, name=name, n=n).copy()
    return as_rows(labels, name, n).copy()


def equal_labels(a: Any, b: Any) -> bool:
    """Whether two of `as_given` say the same, sparse or not."""
    if a is None or b is None:
        return a is b
    if not (sparse.issparse(a) or sparse.issparse(b)):
        return np.array_equal(a, b)
    return a.shape == b.shape and (sparse.csr_array(a) != sparse.csr_array(b)).nnz == 0


def relevant_pairs(
    relevance: Any, query_labels: Any, database_labels: Any, rows: slice
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of positive grade: row within `rows`, item, grade.

    Without relevance, labels are `Labels`, and the grade is the number of classes that
    a pair shares.
    """
    if relevance is None:
        block = query_labels.overlap(rows, database_labels)
    elif callable(relevance):
        labels, database_labels = dense(query_labels[rows]), dense(database_labels)
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
        kept = grade > 0
        return row[kept], col[kept], grade[kept].astype(np.float64)
    _check_grades(block)
    row, col = np.nonzero(block > 0)
    return row, col, block[row, col].astype(np.float64)


def _check_grades(grades: np.ndarray) -> None:
    """Raise unless grades are numbers of 0 or more."""
    if grades.dtype.kind not in "biuf":
        raise ValueError(f"Relevance must be numbers, got dtype {grades.dtype}.")
    if grades.size and not grades.min() >= 0:  # NaN fails this comparison too
        raise ValueError("Relevance must be 0 or more for every pair.")
