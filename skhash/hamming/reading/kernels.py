"""Kernels that read vectors, function by function like the plain twin.

Every sum is of float64 and in one order, so that a distance is the same beside others,
on any number of threads and on any processor.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.reading.plain import COSINE, EUCLIDEAN, INNER_PRODUCT, unit
from skhash.hamming.simd.jit import kernel
from skhash.hamming.threads.pool import run, spans


@kernel
def load(
    index: int, base: Any, more: Any, scales: Any, shift: Any, table: Any, row: Any
) -> None:
    """Put one vector into `row`."""
    source, at = base, index
    if index >= len(base):
        source, at = more, index - len(base)
    if table is None:
        for j in range(len(row)):
            row[j] = source[at, j]
    else:
        for j in range(len(row)):
            row[j] = table[source[at, j]]
    if scales is not None:
        scale = np.float64(scales[index])
        for j in range(len(row)):
            row[j] = shift[j] + scale * row[j]


@kernel
def total(terms: Any) -> float:
    """Sum of terms: of every eighth, and then of those eight."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    d = len(terms)
    whole = d - d % 8
    for j in range(0, whole, 8):
        a0 += terms[j]
        a1 += terms[j + 1]
        a2 += terms[j + 2]
        a3 += terms[j + 3]
        a4 += terms[j + 4]
        a5 += terms[j + 5]
        a6 += terms[j + 6]
        a7 += terms[j + 7]
    rest = d - whole
    a0 += terms[whole] if rest > 0 else 0.0
    a1 += terms[whole + 1] if rest > 1 else 0.0
    a2 += terms[whole + 2] if rest > 2 else 0.0
    a3 += terms[whole + 3] if rest > 3 else 0.0
    a4 += terms[whole + 4] if rest > 4 else 0.0
    a5 += terms[whole + 5] if rest > 5 else 0.0
    a6 += terms[whole + 6] if rest > 6 else 0.0
    return ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))


@kernel
def value_of(
    query: Any, query_is_zero: bool, row: Any, terms: Any, metric: int
) -> float:
    """Squared distance, 1 - cos or -<x, q> of the vector in `row`."""
    d = len(row)
    if metric == INNER_PRODUCT:
        for j in range(d):
            terms[j] = row[j] * query[j]
        return -total(terms)
    if metric == EUCLIDEAN:
        for j in range(d):
            gap = row[j] - query[j]
            terms[j] = gap * gap
        return total(terms)
    for j in range(d):
        terms[j] = row[j] * row[j]
    norm = np.sqrt(total(terms))
    if not norm > 0 or query_is_zero:
        return 1.0
    inverse = 1.0 / norm
    for j in range(d):
        gap = row[j] * inverse - query[j]
        terms[j] = gap * gap
    return 0.5 * total(terms)


@kernel
def insert(value: float, index: int, values: Any, indices: Any, n: int) -> None:
    """Put an item among the n found so far, in order; the last falls out."""
    at = n if n < len(values) else n - 1
    while at > 0 and (
        values[at - 1] > value or (values[at - 1] == value and indices[at - 1] > index)
    ):
        values[at], indices[at] = values[at - 1], indices[at - 1]
        at -= 1
    values[at], indices[at] = value, index


@kernel
def read_nearest_span(
    first: int,
    last: int,
    queries: Any,
    stored: Any,
    metric: int,
    bounds: Any,
    candidates: Any,
    offsets: Any,
    out: Any,
) -> None:
    """Read for the queries of a span; `out` is values, indices and numbers read."""
    base, more, scales, shift, table = stored
    all_values, all_indices, n_read = out
    d, k = queries.shape[1], all_values.shape[1]
    row, terms = np.empty(d), np.empty(d)
    for q in range(first, last):
        query, values, indices = queries[q], all_values[q], all_indices[q]
        is_zero = not query.any()
        n = 0
        for at in range(offsets[q], offsets[q + 1]):
            if n == k and bounds[at] > values[k - 1]:
                break
            index = candidates[at]
            load(index, base, more, scales, shift, table, row)
            value = value_of(query, is_zero, row, terms, metric)
            n_read[q] += 1
            if (
                n < k
                or value < values[k - 1]
                or (value == values[k - 1] and index < indices[k - 1])
            ):
                insert(value, index, values, indices, n)
                n = min(n + 1, k)


@kernel
def read_all_span(
    first: int,
    last: int,
    queries: Any,
    stored: Any,
    metric: int,
    candidates: Any,
    offsets: Any,
    out: Any,
) -> None:
    """Read all candidates for the queries of a span."""
    base, more, scales, shift, table = stored
    d = queries.shape[1]
    row, terms = np.empty(d), np.empty(d)
    for q in range(first, last):
        query = queries[q]
        is_zero = not query.any()
        for at in range(offsets[q], offsets[q + 1]):
            load(candidates[at], base, more, scales, shift, table, row)
            out[at] = value_of(query, is_zero, row, terms, metric)


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
    n_queries = len(queries)
    values = np.full((n_queries, k), np.inf)
    indices = np.full((n_queries, k), -1, np.int64)
    n_read = np.zeros(n_queries, np.int64)
    sides = unit(queries) if metric == COSINE else queries, tuple(stored), metric
    lists = bounds, candidates, offsets, (values, indices, n_read)
    parts = spans(0, n_queries, 4 * n_threads, 1)
    run(read_nearest_span, [(*part, *sides, *lists) for part in parts], n_threads)
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
    sides = unit(queries) if metric == COSINE else queries, tuple(stored), metric
    lists = candidates, offsets, out
    parts = spans(0, len(queries), 4 * n_threads, 1)
    run(read_all_span, [(*part, *sides, *lists) for part in parts], n_threads)
    return out
