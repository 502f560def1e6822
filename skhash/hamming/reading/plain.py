"""Exact distances written plainly in numpy: the meaning of the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What is measured: half the squared distance of unit vectors is 1 - cos.
EUCLIDEAN, COSINE, INNER_PRODUCT = range(3)


def load(stored: Any, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Some vectors in float64."""
    base, more, scales, shift, table = stored
    first = rows < len(base)
    taken = np.empty((len(rows), base.shape[1]), base.dtype)
    taken[first] = base[rows[first]]
    taken[~first] = more[rows[~first] - len(base)]
    vectors: NDArray[np.float64] = (
        taken.astype(np.float64) if table is None else table[taken]
    )
    if scales is not None:
        vectors = shift + scales[rows, None].astype(np.float64) * vectors
    return vectors


def total(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of each row: of eight columns apart, of every eighth, and then of those."""
    n, d = terms.shape
    lanes = np.zeros((n, -(-d // 8) * 8))
    lanes[:, :d] = terms
    a = np.add.accumulate(lanes.reshape(n, -(-d // 8), 8), axis=1)[:, -1]
    pairs = a[:, 0::2] + a[:, 1::2]
    return (pairs[:, 0] + pairs[:, 1]) + (pairs[:, 2] + pairs[:, 3])


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors of length one; those without a length are zeros."""
    norms = np.sqrt(total(vectors * vectors))
    inverse = np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)
    return vectors * inverse[:, None]


def values_of(
    query: NDArray[np.float64], vectors: NDArray[np.float64], metric: int
) -> NDArray[np.float64]:
    """Squared distances, 1 - cos or -<x, q> of some vectors."""
    if metric == INNER_PRODUCT:
        return -total(vectors * query)
    if metric == EUCLIDEAN:
        return total((vectors - query) ** 2)
    vectors = unit(vectors)
    half = 0.5 * total((vectors - query) ** 2)
    alone = ~vectors.any(axis=1) | ~query.any()
    return np.where(alone, 1.0, half)


def read_nearest(
    queries: NDArray[np.float64],
    stored: Any,
    metric: int,
    bounds: NDArray[np.float64],
    candidates: NDArray[np.int64],
    offsets: NDArray[np.int64],
    k: int,
    n_threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The k nearest candidates of each query, read until bounds exclude the rest."""
    values = np.full((len(queries), k), np.inf)
    indices = np.full((len(queries), k), -1, np.int64)
    n_read = np.zeros(len(queries), np.int64)
    if metric == COSINE:
        queries = unit(queries)
    for q, query in enumerate(queries):
        found: list[tuple[float, int]] = []
        for at in range(offsets[q], offsets[q + 1]):
            if len(found) == k and bounds[at] > found[-1][0]:
                break
            row = candidates[at : at + 1]
            value = values_of(query, load(stored, row), metric)[0]
            found = sorted([*found, (value, int(row[0]))])[:k]
            n_read[q] += 1
        values[q, : len(found)] = [value for value, _ in found]
        indices[q, : len(found)] = [index for _, index in found]
    return values, indices, n_read


def read_all(
    queries: NDArray[np.float64],
    stored: Any,
    metric: int,
    candidates: NDArray[np.int64],
    offsets: NDArray[np.int64],
    n_threads: int = 1,
) -> NDArray[np.float64]:
    """Values of all candidates, in their order."""
    out = np.empty(len(candidates))
    if metric == COSINE:
        queries = unit(queries)
    for q, query in enumerate(queries):
        mine = slice(offsets[q], offsets[q + 1])
        out[mine] = values_of(query, load(stored, candidates[mine]), metric)
    return out
