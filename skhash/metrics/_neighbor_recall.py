"""How many of the true neighbours of real vectors are among those of their codes."""

from __future__ import annotations

from numpy.typing import ArrayLike

from skhash.hamming import check_codes
from skhash.metrics._cutoffs import recall_at_k
from skhash.metrics.options import check_option, check_rank
from skhash.metrics.vectors import METRICS, check_vectors, neighbor_matrix


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

    The truth is exact: all vectors are compared, equally near ones in the order of the
    database. Codes at equal distances are averaged over: the value is the expectation
    over all orders of them.

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
        If `k` is not an integer.

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
    truth = neighbor_matrix(vectors, items, k, metric, exclude_self=exclude_self)
    recall = recall_at_k(
        queries,
        database,
        k=k,
        relevance=truth,
        exclude_self=exclude_self,
        n_jobs=n_jobs,
    )
    return float(recall)
