"""Metrics of the first ranks, row by row, from histograms."""

import numpy as np


def hits_at_rows(
    n_total: np.ndarray, n_relevant: np.ndarray, k: np.ndarray | int, ties: str
) -> np.ndarray:
    """Relevant items among the first `k` ranks: expected, most, or fewest.

    A bucket of n items with r relevant ones, cut to m ranks, has r m / n of them in
    expectation, min(r, m) at most and m - (n - r) at least.
    """
    n = n_total.astype(np.float64)
    start = np.cumsum(n, axis=1) - n
    m = np.clip(np.reshape(k, (-1, 1)) - start, 0, n)
    if ties == "expected":
        hits = n_relevant * (m / np.maximum(n, 1))
    elif ties == "optimistic":
        hits = np.minimum(n_relevant, m)
    else:
        hits = np.maximum(m - (n - n_relevant), 0)
    return np.asarray(hits.sum(axis=1))


def recall_rows(
    n_total: np.ndarray, n_relevant: np.ndarray, k: np.ndarray | int, ties: str
) -> np.ndarray:
    """Share of the relevant items among the first `k`; NaN where nothing is."""
    relevant = n_relevant.sum(axis=1, dtype=np.float64)
    found = hits_at_rows(n_total, n_relevant, k, ties) / np.maximum(relevant, 1)
    return np.where(relevant > 0, found, np.nan)


def r_precision_rows(
    n_total: np.ndarray, n_relevant: np.ndarray, ties: str
) -> np.ndarray:
    """Precision at as many ranks as there are relevant items; NaN where none is."""
    return recall_rows(n_total, n_relevant, n_relevant.sum(axis=1), ties)


def first_hit_rows(
    n_total: np.ndarray,
    n_relevant: np.ndarray,
    k: int | None,
    ties: str,
    reciprocal: bool,
) -> np.ndarray:
    """E[1 / rank of the first relevant item], or its chance to be within `k`.

    Ranks beyond `k` score 0. NaN where nothing is relevant.
    """
    some = np.asarray(n_relevant.sum(axis=1) > 0)
    row = np.nonzero(some)[0]
    bucket = (n_relevant[row] > 0).argmax(axis=1)
    n = n_total[row, bucket].astype(np.float64)
    r = n_relevant[row, bucket].astype(np.float64)
    s = np.cumsum(n_total[row], axis=1, dtype=np.float64)[np.arange(len(row)), bucket]
    s -= n
    limit = np.inf if k is None else float(k)
    value = np.full(len(some), np.nan)
    if ties == "expected":
        value[row] = _expected_first(s, n, r, np.minimum(limit - s, n), reciprocal)
    else:
        rank = s + 1 if ties == "optimistic" else s + n - r + 1
        value[row] = np.where(rank <= limit, 1 / rank if reciprocal else 1.0, 0.0)
    return value


def _expected_first(
    s: np.ndarray, n: np.ndarray, r: np.ndarray, m: np.ndarray, reciprocal: bool
) -> np.ndarray:
    """Sum over the first m places i of P(first relevant is at i), or that / (s + i).

    P(1) = r / n and P(i + 1) = P(i) (n - i - r + 1) / (n - i). The chances fall at
    least geometrically; what is left is added up in blocks until it cannot matter.
    """
    value = np.zeros(len(s))
    chance = r / n
    last = np.minimum(m, n - r + 1)
    active = np.nonzero(last >= 1)[0]
    first, width = 1, 16
    while active.size:
        i = first + np.arange(width, dtype=np.float64)
        left = np.maximum(n[active, None] - i, 1)
        step = np.maximum(left - (r[active, None] - 1), 0) / left
        chances = chance[active, None] * np.cumprod(step, axis=1)
        carry = chances[:, -1].copy()
        chances[:, 1:] = chances[:, :-1]
        chances[:, 0] = chance[active]
        chances[i > last[active, None]] = 0
        weight = 1 / (s[active, None] + i) if reciprocal else 1.0
        value[active] += (chances * weight).sum(axis=1)
        chance[active] = carry
        first, width = first + width, min(2 * width, 1024)
        active = active[(last[active] >= first) & (carry > 0)]
        # The rest of the places together are at most the chance of coming this far.
        rest = chance[active] * n[active] / r[active]
        active = active[rest > 1e-17]
    return value
