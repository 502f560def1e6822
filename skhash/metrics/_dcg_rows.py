"""Discounted cumulative gain of rankings that are known only up to ties."""

import numpy as np


def discount_sums(n_ranks: int) -> np.ndarray:
    """Sum of the discounts ``1 / log2(1 + rank)`` of the first 0, 1, ... ranks."""
    discounts = 1 / np.log2(np.arange(2, n_ranks + 2))
    return np.concatenate([[0.0], np.cumsum(discounts)])


def gains_of(grades: np.ndarray, gain: str) -> np.ndarray:
    """Gain of each grade: ``2 ** grade - 1``, or the grade itself."""
    grades = np.asarray(grades, dtype=np.float64)
    return np.exp2(grades) - 1 if gain == "exponential" else grades


def ndcg_rows(
    n_total: np.ndarray, gain_sums: np.ndarray, ideal: np.ndarray, k: int | None
) -> np.ndarray:
    """Expected DCG of each row divided by its ideal; NaN where the ideal is 0.

    The items of a bucket share its ranks evenly, so that each rank expects the mean
    gain of the bucket. The ideal does not depend on the order: no ratio is averaged.

    Parameters
    ----------
    n_total, gain_sums : ndarray of shape (n_queries, n_bins)
        Items, and the sum of their gains, at each distance.
    ideal : ndarray of shape (n_queries,)
        DCG at `k` of the best order.
    k : int or None
        Ranks that count; None is all of them.
    """
    after = np.cumsum(n_total, axis=1, dtype=np.int64)
    n_ranks = int(after[:, -1].max(initial=0))
    last = n_ranks if k is None else min(k, n_ranks)
    sums = discount_sums(last)
    discounts = sums[np.minimum(after, last)] - sums[np.minimum(after - n_total, last)]
    dcg = (gain_sums * (discounts / np.maximum(n_total, 1))).sum(axis=1)
    return np.where(ideal > 0, dcg / np.where(ideal > 0, ideal, 1), np.nan)


def ideal_of_pairs(
    row: np.ndarray, gain: np.ndarray, n_rows: int, k: int | None
) -> np.ndarray:
    """DCG at `k` of each row's gains in descending order."""
    kinds, kind = _few_kinds(gain)
    if kinds is not None:
        counts = np.bincount(row * len(kinds) + kind, minlength=n_rows * len(kinds))
        return ideal_of_counts(counts.reshape(n_rows, len(kinds)), kinds, k)
    order = np.lexsort((-gain, row))
    row, gain = row[order], gain[order]
    count = np.bincount(row, minlength=n_rows)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    value = gain / np.log2(rank + 2)
    if k is not None:
        value[rank >= k] = 0
    return np.bincount(row, weights=value, minlength=n_rows).astype(np.float64)


def _few_kinds(gain: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Distinct gains and each one's place among them, if the first few show all.

    Shared classes and judgements have few grades, and counting is faster than sorting.
    """
    kinds = np.unique(gain[:1000])
    place = np.minimum(np.searchsorted(kinds, gain), max(0, len(kinds) - 1))
    known = 0 < len(kinds) <= 64 and np.array_equal(kinds[place], gain)
    return (kinds if known else None), place


def ideal_of_counts(counts: np.ndarray, gains: np.ndarray, k: int | None) -> np.ndarray:
    """The same from the number of items of each grade, shape (n_queries, n_grades)."""
    best = np.argsort(-gains)
    after = np.cumsum(counts[:, best], axis=1, dtype=np.int64)
    last = int(after[:, -1].max(initial=0))
    last = last if k is None else min(k, last)
    sums = discount_sums(last)
    upto = sums[np.minimum(after, last)]
    return np.diff(upto, axis=1, prepend=0) @ gains[best]
