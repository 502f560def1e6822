"""Average precision of rankings that are known only up to ties.

A query sees the database as a row of buckets, one per distance: ``n`` items of which
``r`` are relevant, after ``s`` items of which ``R`` are relevant. Everything here is a
sum over buckets; no ranking is ever written out.
"""

import numpy as np

from skhash.metrics._harmonic import harmonic_run

# Hoeffding's bound, which also holds for draws without replacement: a hypergeometric
# count strays from its mean by more than sqrt(20 * draws) with a probability below
# 2 exp(-40), less than float64 can see. The items not drawn may serve as the draws.
_WINDOW = 20.0
_CELLS = 1 << 20


def average_precision_rows(
    n_total: np.ndarray,
    n_relevant: np.ndarray,
    k: int | np.ndarray | None,
    ties: str,
    normalizer: str,
) -> np.ndarray:
    """Average precision at `k` of each row; NaN where nothing is relevant.

    Parameters
    ----------
    n_total, n_relevant : ndarray of shape (n_queries, n_bins)
        All items and relevant items at each distance.
    k : int, ndarray of shape (n_queries,) or None
        Ranks that count; None is all of them.
    ties : {"expected", "optimistic", "pessimistic"}
    normalizer : {"min_k_r", "hits", "relevant"}

    Returns
    -------
    ndarray of shape (n_queries,), float64
    """
    relevant = n_relevant.sum(axis=1, dtype=np.float64)
    row, s, R, n, r, m = _buckets(n_total, n_relevant, k)
    if ties == "expected":
        gain, hits = _expected_gain(s, R, n, r, m), r
        cut = m < n
    else:
        first = s if ties == "optimistic" else s + (n - r)
        hits = np.clip(s + m - first, 0, r)
        gain = hits + (R - first) * harmonic_run(first, hits)
        cut = np.zeros(len(row), dtype=bool)
    summed = _sum_of_rows(row, gain, len(relevant))
    if normalizer == "hits":
        value = summed / np.maximum(_sum_of_rows(row, hits, len(relevant)), 1)
        if cut.any():
            before = summed[row[cut]] - gain[cut]
            bucket = (s[cut], R[cut], n[cut], r[cut], m[cut])
            value[row[cut]] = _expected_share_of_hits(before, *bucket)
    else:
        possible = relevant
        if k is not None and normalizer == "min_k_r":
            possible = np.minimum(relevant, k)
        value = summed / np.maximum(possible, 1)
    value[relevant == 0] = np.nan
    return value


def _sum_of_rows(row: np.ndarray, values: np.ndarray, n_rows: int) -> np.ndarray:
    # numpy counts nothing at all as integers, weights or not.
    return np.bincount(row, weights=values, minlength=n_rows).astype(np.float64)


def _buckets(
    n_total: np.ndarray, n_relevant: np.ndarray, k: int | np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Buckets with relevant items above the cut: row, s, R, n, r and ranks m above it.

    Buckets without relevant items add nothing to any sum, and learned codes leave most
    buckets without them.
    """
    after = np.cumsum(n_total, axis=1, dtype=np.float64)
    seen = np.cumsum(n_relevant, axis=1, dtype=np.float64)
    used = n_relevant > 0
    limit = np.full(len(used), np.inf) if k is None else np.broadcast_to(k, len(used))
    if k is not None:
        used &= after - n_total < limit[:, None]
    row = np.nonzero(used)[0]
    n = n_total[used].astype(np.float64)
    r = n_relevant[used].astype(np.float64)
    s = after[used] - n
    m = np.minimum(n, limit[row] - s)
    return row, s, seen[used] - r, n, r, m


def _expected_gain(
    s: np.ndarray, R: np.ndarray, n: np.ndarray, r: np.ndarray, m: np.ndarray
) -> np.ndarray:
    """Expected sum of precisions at the relevant items among a bucket's first m ranks.

    At rank s + i an item is relevant with probability r / n, and then expects
    ``R + 1 + (i - 1) (r - 1) / (n - 1)`` relevant items up to itself.
    """
    # Any slope will do for a single item; 1 keeps perfect rankings at exactly 1.
    slope = np.where(n > 1, (r - 1) / np.maximum(n - 1, 1), 1)
    flat = R + 1 - slope * (1 + s)
    return (r / n) * (slope * m + flat * harmonic_run(s, m))


def _expected_share_of_hits(
    before: np.ndarray,
    s: np.ndarray,
    R: np.ndarray,
    n: np.ndarray,
    r: np.ndarray,
    m: np.ndarray,
) -> np.ndarray:
    """E[precisions / hits] when the cut leaves m of the n items of a bucket.

    The number h of relevant items above the cut is hypergeometric and stands in the
    divisor, so the ratio is averaged over h. Given h the bucket above the cut is a
    bucket of m items with h relevant ones.
    """
    spread = np.sqrt(_WINDOW * np.minimum(m, n - m)) + 1
    mean = m * (r / n)
    low = np.maximum(np.maximum(0, m - (n - r)), np.floor(mean - spread))
    high = np.minimum(np.minimum(m, r), np.ceil(mean + spread))
    value = np.empty(len(before))
    width = int((high - low).max()) + 1
    step = max(1, _CELLS // width)
    for i in range(0, len(before), step):
        a = slice(i, i + step)
        h = low[a, None] + np.arange(width)
        weight = _hypergeometric(h, high[a, None], n[a, None], r[a, None], m[a, None])
        columns = (s[a, None], R[a, None], m[a, None])
        gain = _expected_gain(columns[0], columns[1], columns[2], h, columns[2])
        hits = R[a, None] + h
        ratio = (before[a, None] + gain) / np.maximum(hits, 1)
        value[a] = (weight * ratio).sum(axis=1)
    return value


def _hypergeometric(
    h: np.ndarray, high: np.ndarray, n: np.ndarray, r: np.ndarray, m: np.ndarray
) -> np.ndarray:
    """Probability of each h (ascending by one along axis 1), zero beyond `high`.

    Built from the ratios of neighbours: no factorials, no cancellation.
    """
    inside = h[:, 1:] <= high
    up = np.where(inside, (r - h[:, :-1]) * (m - h[:, :-1]), 1.0)
    down = np.where(inside, h[:, 1:] * (n - r - m + h[:, 1:]), 1.0)
    logs = np.zeros(h.shape)
    np.cumsum(np.log(up / down), axis=1, out=logs[:, 1:])
    weight = np.where(h <= high, np.exp(logs - logs.max(axis=1, keepdims=True)), 0.0)
    return weight / weight.sum(axis=1, keepdims=True)
