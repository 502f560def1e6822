"""All distances between queries and database."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skhash.hamming.scan.select import distance_at
from skhash.hamming.simd.jit import kernel
from skhash.hamming.simd.vectors import popcount
from skhash.hamming.simd.words import as_words, width_tag
from skhash.hamming.threads.pool import run, spans


def distances(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    n_threads: int = 1,
    dtype: DTypeLike = np.uint16,
) -> NDArray:
    """All distances between queries and database."""
    query_words, codes = as_words(queries), as_words(database)
    out = np.empty((len(queries), len(database)), dtype)
    if out.size:
        parts = spans(0, out.size, 4 * n_threads, 1 << 16)
        tasks = [(codes, query_words, a, b, out, width_tag(codes)) for a, b in parts]
        run(fill_span, tasks, n_threads)
    return out


@kernel
def fill_span(
    codes: NDArray, queries: NDArray, first: int, last: int, out: NDArray, words: Any
) -> None:
    """Fill cells `first` to `last` of the flattened matrix."""
    n = codes.shape[0]
    while first < last:
        row, column = first // n, first % n
        stop = min(n, column + last - first)
        fill_distances(codes, column, stop, queries, row, out[row, column:stop], words)
        first += stop - column


@kernel
def fill_distances(
    codes: NDArray,
    first: int,
    last: int,
    queries: NDArray,
    q: int,
    out: NDArray,
    words: Any,
) -> None:
    """Write the distances of ``codes[first:last]`` to query `q` into `out`."""
    n_words = codes.shape[1]
    flat = codes.reshape(codes.size)[first * n_words : last * n_words]
    out = out[: last - first]
    # Constant strides and unsigned indices let LLVM vectorize these loops.
    if len(words) == 1:
        q0 = queries[q, 0]
        for i in range(out.size):
            out[i] = popcount(flat[i] ^ q0)
    elif len(words) == 2:
        q0, q1 = queries[q, 0], queries[q, 1]
        for i in range(np.uint64(out.size)):
            j = np.uint64(2) * i
            out[i] = popcount(flat[j] ^ q0) + popcount(flat[j + np.uint64(1)] ^ q1)
    else:
        for i in range(out.size):
            out[i] = distance_at(codes, first + i, queries, q, words)
