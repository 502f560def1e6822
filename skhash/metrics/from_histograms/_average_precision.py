"""Average precision of rankings that are known only up to ties.

A query sees the database as a row of buckets, one per distance. Everything here is a
sum over buckets; no ranking is ever written out.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skhash.metrics.averages import nothing_relevant, settle_zero_relevant
from skhash.metrics.options import (
    NORMALIZERS,
    check_histograms,
    check_option,
    check_rank,
)

# Hoeffding's bound, which also holds for draws without replacement: a hypergeometric
# count strays from its mean by more than sqrt(20 * draws) with a probability below
# 2 exp(-40), less than float64 can see. The items not drawn may serve as the draws.
_WINDOW = 20.0
# Cells of a table of hypergeometric probabilities held at a time.
_CELLS = 1 << 20
# Harmonic numbers up to here are added up; the series is exact beyond.
_EXACT_BELOW = 64


def average_precision(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    k: int | None = None,
    ties: str = "expected",
    normalizer: str = "min_k_r",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Average precision of each query, from its distance histograms.

    All else is as in :func:`skhash.metrics.average_precision`, but `ties` may not be
    "index": histograms do not know the order of the database.

    Parameters
    ----------
    n_total : array-like of shape (n_queries, n_bins)
        Number of items at each distance.
    n_relevant : array-like of shape (n_queries, n_bins)
        Number of relevant items at each distance.

    Returns
    -------
    scores : ndarray of shape (n_queries,), float64
        NaN for queries left out.

    Raises
    ------
    ValueError
        If the arrays are no histograms, or an option is unknown.

    Examples
    --------
    Distances 0, 1, 1, 2, of which the first item and one of the tied two are relevant:

    >>> from skhash.metrics import from_histograms
    >>> n_total, n_relevant = [[1, 2, 1]], [[1, 1, 0]]
    >>> from_histograms.average_precision(n_total, n_relevant).round(6)
    array([0.916667])
    >>> from_histograms.average_precision(n_total, n_relevant, ties="pessimistic")
    array([0.83333333])
    """
    k = None if k is None else check_rank("k", k)
    check_option("normalizer", normalizer, NORMALIZERS)
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties, zero_relevant)
    values = _at_cutoff(n_total, n_relevant, k, ties, normalizer)
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


def average_precision_at_r(
    n_total: ArrayLike,
    n_relevant: ArrayLike,
    *,
    ties: str = "expected",
    zero_relevant: Any = "drop",
) -> np.ndarray:
    """Average precision of the first R ranks, divided by R.

    For the options see :func:`skhash.metrics.mean_average_precision_at_r`. Takes
    histograms, and returns one value a query, as :func:`average_precision` does.

    Examples
    --------
    >>> from skhash.metrics import from_histograms
    >>> from_histograms.average_precision_at_r([[1, 2, 1]], [[1, 1, 0]])
    array([0.75])
    """
    n_total, n_relevant = check_histograms(n_total, n_relevant, ties, zero_relevant)
    values = _at_cutoff(n_total, n_relevant, n_relevant.sum(axis=1), ties, "relevant")
    return settle_zero_relevant(values, nothing_relevant(n_relevant), zero_relevant)


class _Buckets(NamedTuple):
    """Buckets that hold relevant items above the cut, as float64 vectors but `row`."""

    row: np.ndarray  # which query
    before: np.ndarray  # items before the bucket
    found: np.ndarray  # relevant items before it
    size: np.ndarray  # items in it
    relevant: np.ndarray  # relevant items in it
    ranks: np.ndarray  # of its ranks, how many are above the cut

    @classmethod
    def of(
        cls, n_total: np.ndarray, n_relevant: np.ndarray, k: int | np.ndarray | None
    ) -> _Buckets:
        """Buckets without relevant items add nothing to any sum.

        Learned codes leave most buckets without them.
        """
        after = np.cumsum(n_total, axis=1, dtype=np.float64)
        seen = np.cumsum(n_relevant, axis=1, dtype=np.float64)
        used = n_relevant > 0
        n_rows = len(used)
        limit = np.full(n_rows, np.inf) if k is None else np.broadcast_to(k, n_rows)
        if k is not None:
            used &= after - n_total < limit[:, None]
        row = np.nonzero(used)[0]
        size = n_total[used].astype(np.float64)
        relevant = n_relevant[used].astype(np.float64)
        before = after[used] - size
        ranks = np.minimum(size, limit[row] - before)
        return cls(row, before, seen[used] - relevant, size, relevant, ranks)

    def subset(self, chosen: np.ndarray) -> _Buckets:
        """The buckets that a mask chooses."""
        return _Buckets(*(values[chosen] for values in self))


def _at_cutoff(
    n_total: np.ndarray,
    n_relevant: np.ndarray,
    k: int | np.ndarray | None,
    ties: str,
    normalizer: str,
) -> np.ndarray:
    """Average precision at `k`, one for all rows or one a row."""
    every = n_relevant.sum(axis=1, dtype=np.float64)
    buckets = _Buckets.of(n_total, n_relevant, k)
    row, before, found, size, relevant, ranks = buckets
    if ties == "expected":
        gain, hits = _expected_gain(before, found, size, relevant, ranks), relevant
        cut = ranks < size
    else:
        first = before if ties == "optimistic" else before + (size - relevant)
        hits = np.clip(before + ranks - first, 0, relevant)
        gain = hits + (found - first) * harmonic_run(first, hits)
        cut = np.zeros(len(row), dtype=bool)
    summed = _sum_by_row(row, gain, len(every))
    if normalizer == "hits":
        value = summed / np.maximum(_sum_by_row(row, hits, len(every)), 1)
        if cut.any():
            gained = summed[row[cut]] - gain[cut]
            value[row[cut]] = _expected_share_of_hits(gained, buckets.subset(cut))
    else:
        possible = every
        if k is not None and normalizer == "min_k_r":
            possible = np.minimum(every, k)
        value = summed / np.maximum(possible, 1)
    return value


def _sum_by_row(row: np.ndarray, values: np.ndarray, n_rows: int) -> np.ndarray:
    """Sum of the values of each row's buckets, as float64."""
    # bincount of an empty array is integer even with weights.
    return np.bincount(row, weights=values, minlength=n_rows).astype(np.float64)


def _expected_gain(
    before: np.ndarray,
    found: np.ndarray,
    size: np.ndarray,
    relevant: np.ndarray,
    ranks: np.ndarray,
) -> np.ndarray:
    """Expected sum of precisions at the relevant items among a bucket's first ranks.

    The i-th item of a bucket is relevant with probability ``relevant / size``, and then
    expects ``found + 1 + (i - 1) (relevant - 1) / (size - 1)`` relevant items up to
    itself.
    """
    # Any slope will do for a single item; 1 keeps perfect rankings at exactly 1.
    slope = np.where(size > 1, (relevant - 1) / np.maximum(size - 1, 1), 1)
    flat = found + 1 - slope * (1 + before)
    return (relevant / size) * (slope * ranks + flat * harmonic_run(before, ranks))


def _expected_share_of_hits(gained: np.ndarray, cut: _Buckets) -> np.ndarray:
    """E[precisions / hits] of queries whose ranking ends within a bucket.

    The number of relevant items above the cut is hypergeometric and stands in the
    divisor, so the ratio is averaged over it. Given that number, the bucket above the
    cut is a bucket of its own. `gained` are the precisions before the bucket.
    """
    _, before, found, size, relevant, ranks = cut
    spread = np.sqrt(_WINDOW * np.minimum(ranks, size - ranks)) + 1
    mean = ranks * (relevant / size)
    low = np.maximum(np.maximum(0, ranks - (size - relevant)), np.floor(mean - spread))
    high = np.minimum(np.minimum(ranks, relevant), np.ceil(mean + spread))
    value = np.empty(len(gained))
    width = int((high - low).max()) + 1
    step = max(1, _CELLS // width)
    for i in range(0, len(gained), step):
        part = slice(i, i + step)
        column = lambda values, part=part: values[part, None]
        hits = column(low) + np.arange(width)
        drawn = column(ranks)
        weight = _hypergeometric(
            hits, column(high), column(size), column(relevant), drawn
        )
        gain = _expected_gain(column(before), column(found), drawn, hits, drawn)
        ratio = (column(gained) + gain) / np.maximum(column(found) + hits, 1)
        value[part] = (weight * ratio).sum(axis=1)
    return value


def _hypergeometric(
    hits: np.ndarray,
    high: np.ndarray,
    size: np.ndarray,
    relevant: np.ndarray,
    drawn: np.ndarray,
) -> np.ndarray:
    """Probability of each number of hits, which ascends by one along axis 1.

    Zero beyond `high`. Built from the ratios of neighbours: no factorials, no
    cancellation.
    """
    fewer, more = hits[:, :-1], hits[:, 1:]
    inside = more <= high
    up = np.where(inside, (relevant - fewer) * (drawn - fewer), 1.0)
    down = np.where(inside, more * (size - relevant - drawn + more), 1.0)
    logs = np.zeros(hits.shape)
    np.cumsum(np.log(up / down), axis=1, out=logs[:, 1:])
    weight = np.where(hits <= high, np.exp(logs - logs.max(axis=1, keepdims=True)), 0.0)
    return weight / weight.sum(axis=1, keepdims=True)


def harmonic_run(start: ArrayLike, length: ArrayLike) -> np.ndarray:
    """Sum of ``1 / t`` over the ranks ``t = start + 1, ..., start + length``.

    The textbook way, a table of harmonic numbers, needs a cell for every item and
    loses digits when two large numbers that are nearly equal are subtracted. Here the
    logarithm of the ratio is taken at once, so that a short run far down the ranking
    keeps full relative precision and the cost does not depend on the database.
    """
    start = np.asarray(start, dtype=np.float64)
    length = np.asarray(length, dtype=np.float64)
    leading = np.log1p(length / (start + 0.5))
    return leading + (_remainder(start + length) - _remainder(start))


def _remainder(t: np.ndarray) -> np.ndarray:
    """``H(t) - log(t + 1/2) - gamma``, H being the harmonic numbers."""
    small = _TABLE[np.minimum(t, _EXACT_BELOW - 1).astype(np.intp)]
    return np.where(t < _EXACT_BELOW, small, _series(t))


def _series(t: np.ndarray) -> np.ndarray:
    """The same for ``t >= 64``; the next term is below 1e-16."""
    square = 1.0 / (t + 0.5) ** 2
    return square * (1 / 24 + square * (-7 / 960 + square * (31 / 8064)))


def _exact_table() -> np.ndarray:
    """The same for t = 0..63, from correctly rounded harmonic numbers."""
    numbers = [math.fsum(1 / i for i in range(1, t + 1)) for t in range(_EXACT_BELOW)]
    t = np.arange(_EXACT_BELOW)
    return np.array(numbers) - np.log(t + 0.5) - np.euler_gamma


# Remainders of the first ranks, where the series is not exact yet.
_TABLE = _exact_table()
