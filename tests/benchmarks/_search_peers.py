"""Other exact searches of packed codes, behind one signature.

A peer is made with the database and the number of threads; calling it with queries
and k searches. One that is not installed raises ImportError when made.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Search = Callable[[np.ndarray, int], object]


def faiss(database: np.ndarray, threads: int) -> Search:
    """IndexBinaryFlat, in the faster of its two modes for each k."""
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexBinaryFlat(8 * database.shape[1])
    index.add(database)

    def search(queries: np.ndarray, k: int) -> object:
        # Counting is faster for all but the smallest k on the machines seen.
        index.use_heap = k == 1
        return index.search(queries, k)

    return search


def usearch(database: np.ndarray, threads: int) -> Search:
    """The exact search of USearch."""
    from usearch.index import MetricKind, search

    return lambda queries, k: search(
        database, queries, k, MetricKind.Hamming, exact=True, threads=threads
    )


def sklearn(database: np.ndarray, threads: int) -> Search:
    """NearestNeighbors on unpacked bits."""
    from sklearn.neighbors import NearestNeighbors

    bits = np.unpackbits(database, axis=1)
    found = NearestNeighbors(algorithm="brute", metric="hamming", n_jobs=threads)
    found.fit(bits)
    return lambda queries, k: found.kneighbors(np.unpackbits(queries, axis=1), k)


def numpy(database: np.ndarray, threads: int) -> Search:
    """bitwise_count and argpartition, a query at a time."""

    def search(queries: np.ndarray, k: int) -> None:
        for query in queries:
            counts = np.bitwise_count(database ^ query)
            np.argpartition(counts.sum(axis=1, dtype=np.uint16), k - 1)[:k]

    return search


PEERS = {"faiss": faiss, "usearch": usearch, "sklearn": sklearn, "numpy": numpy}
# Queries that a slow peer is timed on.
AT_MOST = {"usearch": 16, "sklearn": 2, "numpy": 4}
