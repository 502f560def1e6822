"""Search by pivots: only codes as far from a pivot as the query is can be near it.

Every code hangs on its nearest pivot, in a list ordered by their distance. If a query
has distance p to a pivot, the triangle inequality leaves of its list, for neighbours
within T, only the codes at distance p - T to p + T: an annulus, side by side in
memory. On clustered codes few remain. On others nearly all do, which is known before
any is compared; such a query is answered by a scan.
"""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.indexes.cost import Record
from skhash.hamming.indexes.pivot_kernels import (
    COLUMNS,
    nearest_by_pivots,
    within_by_pivots,
)
from skhash.hamming.keys import joined_answers
from skhash.hamming.scan.nearest import nearest_words
from skhash.hamming.scan.within import count_words, within_words
from skhash.hamming.search import check_k, check_radius
from skhash.hamming.simd.words import as_words, width_tag
from skhash.hamming.threads.count import n_threads
from skhash.hamming.threads.pool import run, spans

# A scan compares codes about ten times faster than lists do, whose pieces are short.
# Measured on codes of 64 and 128 bits.
SCAN_ADVANTAGE = 10
# Queries that are tried before the rest is taken to be like them.
TRIED = 32


class PivotIndex:
    """Codes in lists by their nearest pivot.

    Answers are those of :func:`skhash.hamming.nearest` and
    :func:`skhash.hamming.within`, in the same order. The codes given are kept, not
    copied, for queries that a scan answers sooner; the lists hold a copy.

    Parameters
    ----------
    codes : array-like of shape (n_items, n_bytes)
        Codes (see :func:`check_codes`).
    n_pivots : int, default=None
        Number of pivots; about one for 256 codes, at most 4096, when None.
    n_jobs : int, default=None
        Number of threads that build; None means all cores the process may use.

    References
    ----------
    E. Chávez, G. Navarro, R. Baeza-Yates, J. Marroquín, "Searching in metric spaces",
    ACM Computing Surveys 33 (2001), section 5: pivots and rings around them.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import PivotIndex
    >>> index = PivotIndex(np.array([[7], [0], [7], [0]], np.uint8), n_pivots=2)
    >>> index.nearest(np.array([[1]], np.uint8), 3)
    (array([[1, 1, 2]], dtype=int32), array([[1, 3, 0]]))
    """

    def __init__(
        self,
        codes: ArrayLike,
        n_pivots: int | None = None,
        *,
        n_jobs: int | None = None,
    ) -> None:
        checked = check_codes(codes)
        n, n_bins = len(checked), 8 * checked.shape[1] + 1
        if n_pivots is None:
            n_pivots = min(4096, max(1, n // 256))
        elif not isinstance(n_pivots, Integral) or n_pivots < 1 or n_pivots is True:
            raise ValueError(
                f"n_pivots must be a whole number, 1 or more: {n_pivots!r}"
            )
        self.codes = checked
        self._record = Record()
        self._words = as_words(checked)
        threads = n_threads(n_jobs)
        pivots = choose_pivots(checked, min(n_pivots, n), threads)
        self._pivots = as_words(pivots)
        distances, nearest = nearest_words(self._words, self._pivots, 1, threads)
        cell = nearest[:, 0] * n_bins + distances[:, 0]
        self._rows = np.argsort(cell, kind="stable")
        counts = np.bincount(cell, minlength=len(pivots) * n_bins)
        self._offsets = np.zeros(len(pivots) * n_bins + 1, np.int64)
        np.cumsum(counts, out=self._offsets[1:])
        # Chunks may reach beyond the end.
        self._lists = np.zeros((n + 64, self._words.shape[1]), self._words.dtype)
        np.take(self._words, self._rows, axis=0, out=self._lists[:n])
        self._lists.flags.writeable = False
        taken = counts.reshape(len(pivots), n_bins) > 0
        widest = n_bins - 1 - taken[:, ::-1].argmax(axis=1)
        # Whole columns of pivots are looked through; no list is near the last ones.
        self._widest = np.full(-(-len(pivots) // COLUMNS) * COLUMNS, -n_bins, np.int16)
        self._widest[: len(pivots)] = np.where(taken.any(axis=1), widest, -n_bins)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_words": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._words = as_words(self.codes)
        # As they were: kernels are compiled for arrays that can not be written.
        for array in (self._lists, self._pivots):
            array.flags.writeable = False

    @property
    def n_bytes(self) -> int:
        return sum(
            array.nbytes
            for array in (self._pivots, self._rows, self._offsets, self._lists)
        )

    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Find the k nearest items, as :func:`skhash.hamming.nearest` does."""
        words = as_words(check_codes(queries, n_bytes=self.codes.shape[1]))
        k = check_k(k, len(self.codes), words)
        distances = np.empty((len(words), k), np.int32)
        indices = np.empty((len(words), k), np.int64)
        unanswered = np.ones(len(words), bool)
        threads = n_threads(n_jobs)
        if not self._record.promises(k):
            return nearest_words(words, self._words, k, threads)
        for part in self._promising(len(words), unanswered):
            tasks = [
                (self._lists, self._rows, self._offsets, self._pivots, self._widest,
                 words, a, b, k, self._limit, distances, indices, unanswered,
                 width_tag(words))
                for a, b in spans(part.start, part.stop, 4 * threads, 1)
            ]  # fmt: skip
            run(nearest_by_pivots, tasks, threads)
        n_left = int(np.count_nonzero(unanswered))
        self._record.note(k, len(words), len(words) - n_left)
        if n_left:
            rest = chosen(words, unanswered)
            found = nearest_words(rest, self._words, k, threads)
            distances[unanswered], indices[unanswered] = found
        return distances, indices

    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Find all items within a radius, as :func:`skhash.hamming.within` does."""
        words = as_words(check_codes(queries, n_bytes=self.codes.shape[1]))
        radius = min(check_radius(radius), 8 * self.codes.shape[1])
        threads = n_threads(n_jobs)
        counts, found = self._listed(words, radius, threads, keep=True)
        rest = counts < 0
        if rest.all():
            return within_words(words, self._words, radius, threads)
        if not rest.any():
            return joined_answers(counts, found)
        scanned = within_words(chosen(words, rest), self._words, radius, threads)
        return joined_answers(counts, found, rest, scanned)

    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        """Count items within a radius, as :func:`skhash.hamming.count_within` does."""
        words = as_words(check_codes(queries, n_bytes=self.codes.shape[1]))
        radius = min(check_radius(radius), 8 * self.codes.shape[1])
        threads = n_threads(n_jobs)
        counts, _ = self._listed(words, radius, threads, keep=False)
        rest = counts < 0
        if rest.any():
            counts[rest] = count_words(
                chosen(words, rest), self._words, radius, threads
            )
        return counts

    def _listed(
        self, words: NDArray, radius: int, threads: int, *, keep: bool
    ) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
        """Numbers of items within a radius, -1 for queries left to a scan, and keys."""
        counts = np.empty(len(words), np.int64)
        tasks = [
            (self._lists, self._rows, self._offsets, self._pivots, self._widest,
             words, a, b, radius, self._limit, keep, counts, width_tag(words))
            for a, b in spans(0, len(words), 4 * threads, 1)
        ]  # fmt: skip
        return counts, run(within_by_pivots, tasks, threads)

    def promise(self, queries: ArrayLike, k: int) -> float:
        """Share of the queries whose k nearest the lists find sooner than a scan.

        Parameters
        ----------
        queries : array-like of shape (n_queries, n_bytes)
            Codes (see :func:`check_codes`).
        k : int
            Number of neighbours, from 1 to n_items.

        Returns
        -------
        share : float
            From 0 to 1.

        Raises
        ------
        ValueError
            If `queries` holds no codes of the same width, or `k` is out of range.
        """
        words = as_words(check_codes(queries, n_bytes=self.codes.shape[1]))
        unanswered = np.ones(len(words), bool)
        nearest_by_pivots(
            self._lists, self._rows, self._offsets, self._pivots, self._widest,
            words, 0, len(words), check_k(k, len(self.codes), words), self._limit,
            np.empty((len(words), k), np.int32), np.empty((len(words), k), np.int64),
            unanswered, width_tag(words),
        )  # fmt: skip
        return 1 - float(unanswered.mean())

    @property
    def _limit(self) -> int:
        return len(self.codes) // SCAN_ADVANTAGE

    def _promising(self, n_queries: int, unanswered: NDArray) -> Any:
        """Parts of the queries to try; none after a first part that failed."""
        yield slice(0, min(TRIED, n_queries))
        if n_queries > TRIED and unanswered[:TRIED].mean() < 0.5:
            yield slice(TRIED, n_queries)


def chosen(words: NDArray, which: NDArray[np.bool_]) -> NDArray:
    """Some rows of words, of the type that kernels are compiled for."""
    some = np.ascontiguousarray(words[which])
    some.flags.writeable = False
    return some


def choose_pivots(
    codes: NDArray[np.uint8], n_pivots: int, threads: int
) -> NDArray[np.uint8]:
    """Draw codes, and move each to the majority bits of the codes nearest to it."""
    rng = np.random.default_rng(0)
    pivots = codes[np.sort(rng.choice(len(codes), n_pivots, replace=False))]
    size = min(len(codes), 40 * n_pivots)
    sample = codes[np.sort(rng.choice(len(codes), size, replace=False))]
    nearest = nearest_words(as_words(sample), as_words(pivots), 1, threads)[1][:, 0]
    order = np.argsort(nearest, kind="stable")
    counts = np.bincount(nearest, minlength=n_pivots)
    starts = np.minimum(np.cumsum(counts) - counts, size - 1)
    majority = np.empty_like(pivots)
    for byte in range(codes.shape[1]):
        bits = np.unpackbits(sample[order, byte : byte + 1], axis=1).astype(np.int32)
        sums = np.add.reduceat(bits, starts, axis=0)
        majority[:, byte] = np.packbits(2 * sums > counts[:, None], axis=1)[:, 0]
    # No code came to it: it stays.
    majority[counts == 0] = pivots[counts == 0]
    return majority
