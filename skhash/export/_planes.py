"""Real queries for codes in a database: planes of bits, to be counted in SQL."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming import pack
from skhash.neighbors.exported import queries_of


class QueryPlanes(NamedTuple):
    """Queries rounded to few bits, one plane of which compares as codes do.

    For the code c of an item, with its factors slope and intercept, and query i::

        product = step[i] * (2 * sum(2**j * popcount(c & planes[i, j]) for all j)
                             - most * popcount(c)) - total[i]
        value = slope * product + intercept + constant[i]

    Parameters
    ----------
    planes : ndarray of shape (n_queries, n_planes, n_bytes), uint8
        Packed bits, the lowest plane first.
    step : ndarray of shape (n_queries,), float64
        Width of a level.
    total : ndarray of shape (n_queries,), float64
        Sum of the rounded query, less what the estimator corrects products by.
    constant : ndarray of shape (n_queries,), float64
        What estimates of all items lack. The order of items does not need it.
    most : int
        The highest level, 2**n_planes - 1.

    Examples
    --------
    >>> from skhash.export import QueryPlanes
    >>> QueryPlanes._fields
    ('planes', 'step', 'total', 'constant', 'most')
    """

    planes: NDArray[np.uint8]
    step: NDArray[np.float64]
    total: NDArray[np.float64]
    constant: NDArray[np.float64]
    most: int


def query_planes(neighbors: Any, X: ArrayLike, *, query_bits: int = 4) -> QueryPlanes:
    """Prepare vectors as queries for exported codes and factors.

    The query keeps more than its signs, so that a database ranks codes by estimated
    distances, which find more of the true neighbours than Hamming distances do. The
    columns "slope" and "intercept" that exporters write beside codes serve for nothing
    else; :class:`QueryPlanes` has the formula.

    Parameters
    ----------
    neighbors : EmbeddingNeighbors
        The fitted estimator that the codes are of.
    X : array-like of shape (n_queries, n_features)
        Vectors.
    query_bits : int, default=4
        Planes of a query, from 1 to 8.

    Returns
    -------
    queries : QueryPlanes
        For estimates of squared distances where the metric is "euclidean", of 1 - cos
        for "cosine", of -<x, q> for "inner_product".

    Raises
    ------
    TypeError
        If the estimator has no factors.
    NotFittedError
        If it is not fitted.
    ValueError
        If X does not hold vectors of the fitted width, or `query_bits` is not 1 to 8.

    References
    ----------
    J. Gao, C. Long. RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical
    Error Bound for Approximate Nearest Neighbor Search. SIGMOD 2024. Section 3.3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skhash import EmbeddingNeighbors
    >>> from skhash.export import query_planes
    >>> X, _ = load_digits(return_X_y=True)
    >>> queries = query_planes(EmbeddingNeighbors().fit(X[:1500]), X[1500:])
    >>> queries.planes.shape
    (297, 4, 8)
    """
    if isinstance(query_bits, bool) or query_bits not in range(1, 9):
        raise ValueError(f"query_bits must be from 1 to 8, got {query_bits!r}.")
    outputs, shifts, constant = queries_of(neighbors, X)
    most = (1 << query_bits) - 1
    step = 2 * np.abs(outputs).max(axis=1) / most
    scaled = outputs / np.where(step > 0, step, 1)[:, None] + most / 2
    levels = np.clip(np.rint(scaled), 0, most).astype(np.uint8)
    planes = np.stack(
        [pack(levels >> plane & 1) for plane in range(query_bits)], axis=1
    )
    total = step * (levels.sum(axis=1, dtype=np.int64) - most / 2 * levels.shape[1])
    return QueryPlanes(planes, step, total - shifts, constant, most)
