"""Search by pivots: only codes as far from a pivot as the query is can be near it.

Every code hangs on its nearest pivot, in a list ordered by their distance. If a query
has distance p to a pivot, the triangle inequality leaves of its list, for neighbours
within T, only the codes at distance p - T to p + T: an annulus, side by side in
memory. On clustered codes few remain. On others nearly all do, which is known before
any is compared; such a query is answered by a scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from numbers import Integral
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming import search
from skhash.hamming.codes import check_codes
from skhash.hamming.engine.choose import compiled, engine
from skhash.hamming.indexes.base import Index
from skhash.hamming.indexes.cost import least_seconds
from skhash.hamming.indexes.pivot_layout import COLUMNS, LIST_COST
from skhash.hamming.search import check_k
from skhash.hamming.simd.words import as_words, width_tag
from skhash.hamming.threads.count import n_threads
from skhash.hamming.threads.pool import run, spans

# A scan compares codes about ten times faster than lists do, whose pieces are short.
# Measured on codes of 64 and 128 bits.
SCAN_ADVANTAGE = 10
# Queries that are tried before the rest is taken to be like them.
TRIED = 32
# Pivots are tried for no fewer codes unless asked for: below, a query takes them at
# best half the time of a scan, and building them the time of ten thousand scans.
LARGE = 1 << 18
# Neighbours that are asked for in trials.
NEIGHBORS = 10
# Codes, queries, and share of a scan's time in which pivots must answer, in a trial.
SAMPLE, QUERIES, WORTH = 1 << 15, 64, 0.6


class PivotIndex(Index):
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

    name = "pivot"
    needs_kernels = True

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
        if not compiled():  # a scan will answer, whatever there is
            n_pivots = 1
        self._set(checked)
        threads = n_threads(n_jobs)
        pivots = choose_pivots(checked, min(n_pivots, n), threads)
        distances, nearest = engine().nearest(checked, pivots, 1, threads)
        cell = nearest[:, 0] * n_bins + distances[:, 0]
        counts = np.bincount(cell, minlength=len(pivots) * n_bins)
        offsets = np.zeros(len(pivots) * n_bins + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        self._lay_out(pivots, np.argsort(cell, kind="stable"), offsets)

    def _lay_out(
        self,
        pivots: NDArray[np.uint8],
        rows: NDArray[np.int64],
        offsets: NDArray[np.int64],
    ) -> None:
        """Take lists of rows, each by its pivot and by distance from it."""
        words, n_bins = as_words(self._padded), 8 * self.codes.shape[1] + 1
        self._pivot_codes, self._pivots = pivots, as_words(pivots)
        self._rows, self._offsets = rows, offsets
        # Chunks may reach beyond the end.
        self._lists = np.zeros((len(rows) + 64, words.shape[1]), words.dtype)
        np.take(words, rows, axis=0, out=self._lists[: len(rows)])
        self._lists.flags.writeable = False
        taken = np.diff(offsets).reshape(len(pivots), n_bins) > 0
        widest = n_bins - 1 - taken[:, ::-1].argmax(axis=1)
        # Whole columns of pivots are looked through; no list is near the last ones.
        self._widest = np.full(-(-len(pivots) // COLUMNS) * COLUMNS, -n_bins, np.int16)
        self._widest[: len(pivots)] = np.where(taken.any(axis=1), widest, -n_bins)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # As they were: kernels are compiled for arrays that cannot be written.
        for array in (self._lists, self._pivots):
            array.flags.writeable = False

    @property
    def _tables(self) -> dict[str, NDArray]:
        """What takes long to build, for `_with_tables`."""
        return {
            "pivots": self._pivot_codes,
            "rows": self._rows,
            "offsets": self._offsets,
        }

    @classmethod
    def _with_tables(cls, codes: ArrayLike, tables: dict[str, NDArray]) -> PivotIndex:
        """The index of codes whose tables are known; a ValueError if these are none.

        They are checked, since kernels read where they point.
        """
        checked = check_codes(codes)
        pivots = check_codes(tables["pivots"], n_bytes=checked.shape[1])
        rows, offsets = (np.array(tables[name]) for name in ("rows", "offsets"))
        n, n_bins = len(checked), 8 * checked.shape[1] + 1
        fit = rows.shape == (n,) and offsets.shape == (len(pivots) * n_bins + 1,)
        fit = fit and rows.dtype == offsets.dtype == np.int64 and len(pivots) > 0
        if not (
            fit
            and (offsets[0], offsets[-1]) == (0, n)
            and (np.diff(offsets) >= 0).all()
            and rows.min() >= 0
            and rows.max() < n
        ):
            raise ValueError(f"These are no tables of {n} codes: build the index anew.")
        index = cls.__new__(cls)
        index._set(checked)
        index._lay_out(pivots, rows, offsets)
        return index

    @classmethod
    def suits(
        cls,
        codes: ArrayLike,
        radius: int | None = None,
        *,
        n_jobs: int | None = None,
    ) -> bool:
        checked = check_codes(codes)
        large = len(checked) >= LARGE and compiled()
        return large and predicted_work(checked, n_jobs) < WORTH

    def _pays(self) -> bool:
        queries = np.ascontiguousarray(self.codes[:: len(self.codes) // QUERIES])
        queries = queries[:QUERIES]
        indexed, scanned = least_seconds(
            lambda: self.nearest(queries, NEIGHBORS + 1, n_jobs=1),
            lambda: search.nearest(queries, self._padded, NEIGHBORS + 1, n_jobs=1),
        )
        return indexed < WORTH * scanned

    @property
    def n_bytes(self) -> int:
        own = self._pivots, self._rows, self._offsets, self._lists
        return sum(array.nbytes for array in own) + self._padding_bytes

    def _try_nearest(
        self,
        queries: NDArray[np.uint8],
        k: int,
        threads: int,
        distances: NDArray[np.int32],
        indices: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        words, left = as_words(queries), np.ones(len(queries), bool)
        args = k, self._limit, distances, indices, left, width_tag(words)
        for part in self._promising(len(words), left):
            tasks = [
                (self._kept, words, a, b, *args)
                for a, b in spans(part.start, part.stop, 4 * threads, 1)
            ]
            run(kernels().nearest_by_pivots, tasks, threads)
        return left

    def _try_within(
        self, queries: NDArray[np.uint8], radius: int, threads: int, *, keep: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[NDArray[np.int64]]]:
        counts = np.full(len(queries), -1)
        if not self._has_kernels:
            return counts, counts < 0, []
        words = as_words(queries)
        args = radius, self._limit, keep, counts, width_tag(words)
        tasks = [
            (self._kept, words, a, b, *args)
            for a, b in spans(0, len(words), 4 * threads, 1)
        ]
        found = run(kernels().within_by_pivots, tasks, threads)
        return counts, counts < 0, found

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
        checked = self._checked(queries)
        k = check_k(k, len(self.codes), checked)
        distances = np.empty((len(checked), k), np.int32)
        indices = np.empty((len(checked), k), np.int64)
        left = self._try_nearest(checked, k, 1, distances, indices)
        return 1 - float(left.mean())

    @property
    def _kept(self) -> tuple[NDArray, ...]:
        """What kernels read of the index."""
        return self._lists, self._rows, self._offsets, self._pivots, self._widest

    @property
    def _limit(self) -> int:
        return len(self.codes) // SCAN_ADVANTAGE

    def _promising(self, n_queries: int, left: NDArray[np.bool_]) -> Iterator[slice]:
        """Parts of the queries to try; none after a first part that failed."""
        yield slice(0, min(TRIED, n_queries))
        if n_queries > TRIED and left[:TRIED].mean() < 0.5:
            yield slice(TRIED, n_queries)


@cache
def kernels() -> ModuleType:
    """The kernels, loaded when first asked for, since numba takes long to load."""
    return import_module("skhash.hamming.indexes.pivot_kernels")


def choose_pivots(
    codes: NDArray[np.uint8], n_pivots: int, threads: int
) -> NDArray[np.uint8]:
    """Draw codes, and move each to the majority bits of the codes nearest to it."""
    rng = np.random.default_rng(0)
    pivots = codes[np.sort(rng.choice(len(codes), n_pivots, replace=False))]
    size = min(len(codes), 40 * n_pivots)
    sample = codes[np.sort(rng.choice(len(codes), size, replace=False))]
    nearest = engine().nearest(sample, pivots, 1, threads)[1][:, 0]
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


def predicted_work(codes: NDArray[np.uint8], n_jobs: int | None) -> float:
    """Predict the time that pivots take, relative to a scan.

    The distance that holds a query's neighbours, searched among all codes, leaves of a
    sample around its pivots the share that is left of all codes around theirs.
    """
    n, step = len(codes), len(codes) // SAMPLE
    sample = np.ascontiguousarray(codes[::step][:SAMPLE])
    queries = np.ascontiguousarray(codes[step // 2 :: n // QUERIES][:QUERIES])
    # A query finds itself.
    found = search.nearest(queries, codes, NEIGHBORS + 1, n_jobs=n_jobs)
    reach = found[0][:, -1:]
    n_pivots = min(4096, n // 256)
    pivots = choose_pivots(sample, n_pivots, n_threads(n_jobs))
    own, pivot = (
        each[:, 0] for each in search.nearest(sample, pivots, 1, n_jobs=n_jobs)
    )
    near = search.distances(queries, pivots, n_jobs=n_jobs)
    share = (np.abs(near[:, pivot] - own) <= reach).mean(axis=1)
    widest = np.full(n_pivots, -(1 << 20))
    np.maximum.at(widest, pivot, own)
    n_lists = (near - widest <= reach).sum(axis=1)
    work = SCAN_ADVANTAGE * (share + LIST_COST * n_lists / n)
    # A query that needs more is scanned for, soon after that is known.
    return float(np.minimum(work, 1.15).mean())
