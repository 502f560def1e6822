"""Histograms of the items that share a label with a query, for sparse label sets.

An item is met once for every label that it shares, so that long lists cost no more
than their items; all other pairs cost nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming.scan.select import distance_at
from skhash.hamming.simd.jit import kernel
from skhash.hamming.simd.words import as_words, width_tag
from skhash.hamming.threads.pool import run, spans


def set_histograms(
    queries: NDArray[np.uint8],
    database: NDArray[np.uint8],
    sets: Any,
    lists: Any,
    n_threads: int = 1,
) -> NDArray[np.int64]:
    """Histograms of relevant items: `sets` are CSR rows of the queries, `lists` those
    of the classes.
    """
    out = np.zeros((len(queries), 8 * queries.shape[1] + 1), np.int64)
    codes, words = as_words(database), as_words(queries)
    places = (part.astype(np.int64) for part in (sets.indptr, sets.indices))
    given = (*places, lists.indptr.astype(np.int64), lists.indices)
    tag = width_tag(codes)
    # Each span allocates a mark for every item.
    parts = spans(0, len(queries), 8 * n_threads if n_threads > 1 else 1, 16)
    tasks = [(codes, words, *given, a, b, out, tag) for a, b in parts]
    run(count_listed, tasks, n_threads)
    return out


@kernel
def count_listed(
    codes: NDArray,
    queries: NDArray,
    set_starts: NDArray,
    classes: NDArray,
    list_starts: NDArray,
    items: NDArray,
    first: int,
    last: int,
    out: NDArray,
    words: Any,
) -> None:
    """Count each item of the lists of a query's classes once."""
    met = np.full(codes.shape[0], -1, np.int32)
    for q in range(first, last):
        for place in range(set_starts[q], set_starts[q + 1]):
            c = classes[place]
            for at in range(list_starts[c], list_starts[c + 1]):
                i = items[at]
                if met[i] != q:
                    met[i] = q
                    out[q, distance_at(codes, i, queries, q, words)] += 1
