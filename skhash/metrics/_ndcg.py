"""Normalised discounted cumulative gain, from codes and labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics._dcg_rows import ndcg_rows
from skhash.metrics._graded import graded_pieces
from skhash.metrics.averages import average_queries, settle_zero_relevant
from skhash.metrics.options import GAINS, check_averaging, check_option, check_rank
from skhash.metrics.task import Retrieval


def ndcg(
    queries: ArrayLike,
    database: ArrayLike,
    query_labels: ArrayLike | None = None,
    database_labels: ArrayLike | None = None,
    *,
    k: int | None = None,
    gain: str = "exponential",
    zero_relevant: Any = "drop",
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    relevance: Any = None,
    exclude_self: bool = False,
    n_jobs: int | None = None,
) -> float | np.ndarray:
    r"""Normalised discounted cumulative gain of graded relevance (nDCG).

    .. math:: DCG@k = \sum_{i=1}^{k} \frac{g_i}{\log_2(1 + i)},

    divided by the DCG of the best order of the whole database. Tied items share their
    ranks evenly, which is the exact expectation over all orders of tied items.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_bytes)
        Codes: packed uint8, or bool bits (see :func:`skhash.hamming.check_codes`).
    database : array-like of shape (n_items, n_bytes)
        Codes of the same width.
    query_labels, database_labels : array-like of shape (n,) or (n, n_classes)
        Labels of any dtype, or multi-hot rows. The grade of an item is 1 if the labels
        are equal, or the number of classes shared.
    k : int, default=None
        Only the first `k` ranks count; None means the whole ranking.
    gain : {"exponential", "linear"}, default="exponential"
        ``2 ** grade - 1``, or the grade itself.
    zero_relevant : {"drop", 0, 1, "raise"}, default="drop"
        For queries of which every item has grade 0, as in :func:`average_precision`.
    average : {"macro", "macro_class", None}, default="macro"
        The mean over queries; the mean over classes of the mean over the queries of a
        class; or, with None, one value per query.
    sample_weight : array-like of shape (n_queries,), default=None
        Weights of the queries in the mean; None means equal ones.
    relevance : callable or sparse matrix of shape (n_queries, n_items), default=None
        Grades of 0 or more, if not from labels, as in :func:`average_precision`.
    exclude_self : bool, default=False
        Query i is item i of the database and does not find itself.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.

    Returns
    -------
    score : float, or ndarray of shape (n_queries,), float64
        From 0 to 1; NaN for queries left out, and for the mean of none.

    Raises
    ------
    ValueError
        If codes or labels do not fit together, a grade is negative, or an option is
        unknown.

    Warns
    -----
    UndefinedMetricWarning
        If queries without any relevant item in the database are left out.

    References
    ----------
    K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques",
    ACM TOIS 20(4), 2002. Ties: F. McSherry and M. Najork, ECIR 2008.

    Examples
    --------
    Distances 0, 1, 1 and grades 0, 2, 1:

    >>> import numpy as np
    >>> from skhash.metrics import ndcg
    >>> database = np.array([[0b00], [0b01], [0b10]], dtype=np.uint8)
    >>> round(ndcg([[0]], database, relevance=[[0, 2, 1]]), 6)
    0.622942
    """
    k = None if k is None else check_rank("k", k)
    check_option("gain", gain, GAINS)
    weight = check_averaging(
        zero_relevant, average, query_labels, queries, sample_weight
    )
    retrieval = Retrieval.of(
        queries,
        database,
        query_labels,
        database_labels,
        relevance,
        exclude_self,
        n_jobs,
    )
    values: list[np.ndarray] = [np.empty(0)]
    for n_total, gain_sums, ideal in graded_pieces(retrieval, gain, k):
        values.append(ndcg_rows(n_total, gain_sums, ideal, k))
    scores = np.concatenate(values)
    settle_zero_relevant(scores, np.isnan(scores), zero_relevant)
    return average_queries(scores, query_labels, average, weight)
