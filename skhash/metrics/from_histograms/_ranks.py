"""Metrics of the first ranks of each query, from histograms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.options import check_histograms, check_rank, check_ranks

# Places of a tie looked at in a first block, and at most in one.
_FIRST_BLOCK, _LARGEST_BLOCK = 16, 1024


def precision_at_k(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of relevant items among the first `k` ranks.

    For the options see :func:`skhash.metrics.precision_at_k`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> from_histograms.precision_at_k([[1, 2, 1]], [[1, 1, 0]], k=2)
    array([0.75])
    """
    k = check_rank("k", k)
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties, zero_relevant)
    values = hits_at(n_total, n_relevant, k, ties) / k
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def recall_at_k(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Share of the relevant items that are among the first `k` ranks.

    For the options see :func:`skhash.metrics.recall_at_k`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.recall_at_k([[1, 2, 1]], [[1, 1, 0]], k=1)
    array([0.5])
    """
    k = check_rank("k", k)
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties, zero_relevant)
    found = hits_at(n_total, n_relevant, k, ties)
    values = found / np.maximum(n_relevant.sum(axis=1, dtype=np.float64), 1)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def r_precision(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Precision among the first R ranks, R being the number of relevant items.

    For the options see :func:`skhash.metrics.r_precision`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.r_precision([[1, 2, 1]], [[1, 1, 0]])
    array([0.75])
    """
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties, zero_relevant)
    relevant = n_relevant.sum(axis=1, dtype=np.float64)
    values = hits_at(n_total, n_relevant, relevant, ties) / np.maximum(relevant, 1)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def hit_rate_at_k(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    k: int = 10,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Chance of a relevant item among the first `k` ranks.

    For the options see :func:`skhash.metrics.hit_rate_at_k`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.hit_rate_at_k([[1, 2, 1]], [[1, 1, 0]], k=1)
    array([1.])
    """
    k = check_rank("k", k)
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties, zero_relevant)
    values = _first_hit(n_total, n_relevant, k, ties, reciprocal=False)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def reciprocal_rank(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    k: int | None = None,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """1 / rank of the first relevant item.

    For the options see :func:`skhash.metrics.mean_reciprocal_rank`. Takes histograms,
    and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.reciprocal_rank([[1, 2, 1]], [[1, 1, 0]])
    array([1.])
    """
    k = None if k is None else check_rank("k", k)
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties, zero_relevant)
    values = _first_hit(n_total, n_relevant, k, ties, reciprocal=True)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def precision_recall_by_rank(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    ranks: ArrayLike,
    *,
    ties: str = "expected",
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of each query among its first ranks.

    All else is as in :func:`average_precision` and
    :func:`skhash.metrics.average_precision`.

    Parameters
    ----------
    ranks : array-like of int, shape (n_ranks,)
        Numbers of first ranks.

    Returns
    -------
    precision, recall : ndarray of shape (n_queries, n_ranks), float64
        The recall of a query without relevant items is NaN.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> precision, recall = from_histograms.precision_recall_by_rank(
    ...     [[1, 2, 1]], [[1, 1, 0]], ranks=[1, 2]
    ... )
    >>> precision, recall
    (array([[1.  , 0.75]]), array([[0.5 , 0.75]]))
    """
    cutoffs = check_ranks(ranks)
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties)
    hits = np.stack([hits_at(n_total, n_relevant, k, ties) for k in cutoffs], axis=1)
    relevant = n_relevant.sum(axis=1, dtype=np.float64)[:, None]
    return hits / cutoffs, recall_of(hits, relevant)


def recall_of(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of the relevant items that are found; NaN where there are none."""
    return np.where(relevant > 0, hits / np.maximum(relevant, 1), np.nan)


def hits_at(
    n_total: np.ndarray, n_relevant: np.ndarray, k: np.ndarray | int, ties: str
) -> np.ndarray:
    """Relevant items among the first `k` ranks: expected, most, or fewest.

    A bucket of which only some ranks count has its share of its relevant items there
    in expectation, all that fit at most, and those that do not fit below at least.
    """
    size = n_total.astype(np.float64)
    before = np.cumsum(size, axis=1) - size
    ranks = np.clip(np.reshape(k, (-1, 1)) - before, 0, size)
    if ties == "expected":
        hits = n_relevant * (ranks / np.maximum(size, 1))
    elif ties == "optimistic":
        hits = np.minimum(n_relevant, ranks)
    else:
        hits = np.maximum(ranks - (size - n_relevant), 0)
    return np.asarray(hits.sum(axis=1))


def _first_hit(
    n_total: np.ndarray,
    n_relevant: np.ndarray,
    k: int | None,
    ties: str,
    reciprocal: bool,
) -> np.ndarray:
    """E[1 / rank of the first relevant item], or its chance to be within `k`.

    Ranks beyond `k` score 0. NaN where nothing is relevant.
    """
    some = ~nothing_relevant(n_relevant)
    row = np.nonzero(some)[0]
    bucket = (n_relevant[row] > 0).argmax(axis=1)
    size = n_total[row, bucket].astype(np.float64)
    relevant = n_relevant[row, bucket].astype(np.float64)
    after = np.cumsum(n_total[row], axis=1, dtype=np.float64)
    before = after[np.arange(len(row)), bucket] - size
    limit = np.inf if k is None else float(k)
    value = np.full(len(some), np.nan)
    if ties == "expected":
        ranks = np.minimum(limit - before, size)
        value[row] = _expected_first(before, size, relevant, ranks, reciprocal)
    else:
        rank = before + 1 if ties == "optimistic" else before + size - relevant + 1
        value[row] = np.where(rank <= limit, 1 / rank if reciprocal else 1.0, 0.0)
    return value


def _expected_first(
    before: np.ndarray,
    size: np.ndarray,
    relevant: np.ndarray,
    ranks: np.ndarray,
    reciprocal: bool,
) -> np.ndarray:
    """Sum over the first places i of P(first relevant is at i), or that / its rank.

    With n items of which r are relevant, P(1) = r / n and
    P(i + 1) = P(i) (n - i - r + 1) / (n - i). The chances fall at least geometrically;
    what is left is added up in blocks until it cannot matter.
    """
    value = np.zeros(len(before))
    chance = relevant / size
    last = np.minimum(ranks, size - relevant + 1)
    active = np.nonzero(last >= 1)[0]
    first, width = 1, _FIRST_BLOCK
    while active.size:
        i = first + np.arange(width, dtype=np.float64)
        left = np.maximum(size[active, None] - i, 1)
        step = np.maximum(left - (relevant[active, None] - 1), 0) / left
        chances = chance[active, None] * np.cumprod(step, axis=1)
        carry = chances[:, -1].copy()
        chances[:, 1:] = chances[:, :-1]
        chances[:, 0] = chance[active]
        chances[i > last[active, None]] = 0
        weight = 1 / (before[active, None] + i) if reciprocal else 1.0
        value[active] += (chances * weight).sum(axis=1)
        chance[active] = carry
        first, width = first + width, min(2 * width, _LARGEST_BLOCK)
        active = active[(last[active] >= first) & (carry > 0)]
        # The rest of the places together are at most the chance of coming this far.
        rest = chance[active] * size[active] / relevant[active]
        active = active[rest > 1e-17]
    return value
