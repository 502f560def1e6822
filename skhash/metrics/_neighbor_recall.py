"""How many of the true neighbours of real vectors are among those of their codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skhash.hamming import check_codes, histograms
from skhash.metrics._counts import differing_bits
from skhash.metrics.elsewhere import refuse_shards
from skhash.metrics.options import check_option, check_rank
from skhash.vectors import METRICS, check_vectors, true_neighbors


def neighbor_recall(
    queries: ArrayLike,
    database: ArrayLike,
    query_vectors: ArrayLike,
    database_vectors: ArrayLike,
    *,
    k: int = 10,
    metric: str = "cosine",
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float:
    r"""Share of the `k` nearest vectors that are among the `k` nearest codes.

    The measure of codes without labels, known as recall@k of nearest neighbours:

    .. math::

        \operatorname{mean}_q \frac{|\text{k nearest vectors of } q \;\cap\;
        \text{k nearest codes of } q|}{k}

    The truth is exact: all vectors are compared. Ties are averaged over on both sides:
    the value is the expectation over all orders of vectors that are equally near, and
    of codes at equal distances, so that it does not depend on the order of the
    database. Of 20 copies of the nearest vector, each is one of the 10 nearest with a
    chance of one half. Vectors are equally near if float64 says so, as it does of
    copies.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes), uint8, or bool bits
        Codes of the queries.
    database : array-like of shape (n_items, n_bytes), uint8, or bool bits
        Codes of the items.
    query_vectors : array-like of shape (n_queries, d)
        The real vectors that the codes stand for.
    database_vectors : array-like of shape (n_items, d)
        Those of the items; read in blocks, so that a memmap may be longer than memory.
    k : int, default=10
        Number of neighbours. Of fewer items all are neighbours.
    metric : {"cosine", "euclidean", "inner_product"}, default="cosine"
        What makes vectors near: the greatest cosine (0 for a zero vector), the least
        distance, or the greatest inner product.
    exclude_self : bool, default=False
        Leave-one-out: query i is item i, which is not its own neighbour.
    n_jobs : int, default=None
        Threads of the search among codes, see :func:`skhash.hamming.nearest`.

    Returns
    -------
    recall : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If codes and vectors do not fit each other, vectors hold NaN or infinity, or an
        option is unknown.
    TypeError
        If `k` is not an integer, or codes or vectors lie in shards.

    See Also
    --------
    neighbor_recall_scorer : The same for ``scoring=`` of scikit-learn.
    recall_at_k : Recall of items that share labels.

    References
    ----------
    H. Jegou, M. Douze and C. Schmid, "Product quantization for nearest neighbor
    search", PAMI 2011, section V. Ties: F. McSherry and M. Najork, ECIR 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.metrics import neighbor_recall
    >>> vectors = np.array([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0], [-1.0, 0.0]])
    >>> round(neighbor_recall(vectors > 0, vectors > 0, vectors, vectors, k=2), 3)
    0.667
    """
    k = check_rank("k", k)
    check_option("metric", metric, METRICS)
    refuse_shards("neighbor_recall", database=database, vectors=database_vectors)
    database = check_codes(database, name="database")
    queries = check_codes(queries, n_bytes=database.shape[1], name="queries")
    items = check_vectors(database_vectors, "database_vectors", n=len(database))
    width = items.shape[1]
    vectors = check_vectors(query_vectors, "query_vectors", n=len(queries), width=width)
    if exclude_self and (len(queries) != len(database) or len(database) < 2):
        raise ValueError(
            "exclude_self=True means that query i is item i of the database, and is "
            f"left out, but there are {len(queries)} queries and {len(database)} items."
            " Give the same two or more items twice."
        )
    k = min(k, len(database) - exclude_self)
    blocks = true_neighbors(vectors, items, k, metric, exclude_self=exclude_self)
    recalls = np.empty(len(queries))
    for rows, sure, tied in blocks:
        codes = queries[rows]
        totals = histograms(codes, database, n_jobs=n_jobs)
        if exclude_self:
            own = differing_bits(codes, database[rows])
            totals[np.arange(len(codes)), own] -= 1
        chances = _chances(totals, k)
        n_sure, found = _sums(sure, codes, database, chances)
        n_tied, of_tied = np.zeros((2, len(codes)))
        for pairs in tied:
            counts, chance = _sums(pairs, codes, database, chances)
            n_tied += counts
            of_tied += chance
        # Of the tied ones, each is as likely as any to take one of the places left.
        recalls[rows] = (found + (k - n_sure) * of_tied / np.maximum(n_tied, 1)) / k
    return float(recalls.mean())


def _chances(totals: np.ndarray, k: int) -> np.ndarray:
    """Chance of a code at each distance to be among the k nearest, from a histogram."""
    before = np.cumsum(totals, axis=1) - totals
    return np.clip(k - before, 0, totals) / np.maximum(totals, 1)


def _sums(
    pairs: tuple[np.ndarray, np.ndarray],
    codes: np.ndarray,
    database: np.ndarray,
    chances: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How many items each query has in the pairs, and the sum of their chances."""
    row, col = pairs
    found = chances[row, differing_bits(codes[row], database[col])]
    n = len(codes)
    return np.bincount(row, minlength=n), np.bincount(row, found, minlength=n)
