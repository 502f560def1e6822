"""Search by substrings: codes that are near each other agree in some part.

Cut codes into m substrings. Two codes within r bits of each other differ in at most
r // m bits of one of them, or in fewer of the others. So tables from the value of each
substring to its items list all neighbours, and those few lists are compared. How many
lists there are follows from the radius alone, and their sizes stand in the tables;
queries that a scan answers sooner are left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from math import comb, log2
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.engine.choose import engine
from skhash.hamming.indexes.base import Index, Within
from skhash.hamming.indexes.cost import TRIED, least_seconds
from skhash.hamming.keys import blocks, joined_answers
from skhash.hamming.search import check_radius
from skhash.hamming.simd.words import as_words, width_tag
from skhash.hamming.threads.count import n_threads
from skhash.hamming.threads.pool import run, spans

# Codes that a scan usually compares in the time of a lookup, or of a listed item.
USUAL_ADVANTAGE = 40
# From this many items on, that number is measured.
MEASURED = 1 << 14
# Widest substring, in bits: its table takes 64 MiB.
WIDEST = 24


class MultiIndex(Index):
    """Codes in tables by their substrings: multi-index hashing.

    Made for small radii, on codes of any kind: a few lookups replace a scan. Answers
    are those of :func:`skhash.hamming.within`, :func:`skhash.hamming.count_within` and
    :func:`skhash.hamming.nearest`, in the same order. The codes given are kept, not
    copied, if they are a whole number of machine words wide.

    Parameters
    ----------
    codes : array-like of shape (n_items, n_bytes)
        Codes (see :func:`check_codes`), fewer than 2 ** 32.
    n_substrings : int, default=None
        Number of tables. When None, chosen to give substrings of about log2(n_items)
        bits and lists of about one item, which suits radii below that number.
    n_jobs : int, default=None
        Number of threads that build; None means all cores the process may use.

    Attributes
    ----------
    codes : ndarray of shape (n_items, n_bytes), uint8
        The codes.
    n_substrings : int
        Number of tables.
    n_bytes : int
        Memory taken by the tables.

    References
    ----------
    M. Norouzi, A. Punjani, D. J. Fleet, "Fast exact search in Hamming space with
    multi-index hashing", IEEE Transactions on Pattern Analysis and Machine
    Intelligence 36 (2014), sections 2 to 4. Here each query takes its rarest
    substrings first.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import MultiIndex
    >>> index = MultiIndex(np.array([[7], [0], [1], [0]], np.uint8))
    >>> index.within(np.array([[0]], np.uint8), 1)
    (array([0, 3]), array([0, 0, 1], dtype=int32), array([1, 3, 2]))
    """

    name = "multi_index"

    def __init__(
        self,
        codes: ArrayLike,
        n_substrings: int | None = None,
        *,
        n_jobs: int | None = None,
    ) -> None:
        checked = check_codes(codes)
        n, n_bits = len(checked), 8 * checked.shape[1]
        if n >= 1 << 32:
            raise ValueError(f"MultiIndex holds fewer than 2 ** 32 codes, got {n}.")
        self._sizes = np.array(substring_sizes(n, n_bits, n_substrings))
        self.n_substrings = m = len(self._sizes)
        self._starts = np.cumsum(self._sizes) - self._sizes
        lengths = (1 << self._sizes) + 1
        self._firsts = np.cumsum(lengths) - lengths
        # Lists at each distance from a query's value.
        self._probes = np.array(
            [[comb(int(s), far) for far in range(n_bits // m + 2)] for s in self._sizes]
        )
        levels = np.arange(n_bits + 1) // m
        self._probes_within = np.cumsum(self._probes.max(axis=0)[levels])
        self._offsets = np.zeros(lengths.sum(), np.uint32)
        self._items = np.empty((m, n), np.uint32)
        self._set(checked)
        # Without a compiler the tables stay empty, and nothing is looked up.
        self._limit = n // USUAL_ADVANTAGE if self._has_kernels else 0
        if self._has_kernels:
            self._fill(n_threads(n_jobs))
        for array in (*self._tables, self._probes):  # so that kernels meet one type
            array.flags.writeable = False
        if self._has_kernels and n >= MEASURED:
            self._limit = self._measured_limit()

    def _fill(self, threads: int) -> None:
        words = as_words(self._padded)
        tables = np.split(self._offsets, self._firsts[1:])
        parts = zip(self._starts, self._sizes, tables, self._items, strict=True)
        run(kernels().fill_table, [(words, *part) for part in parts], threads)

    def _measured_limit(self) -> int:
        """How many items may be compared, or lists looked up, in the time of a scan."""
        step = len(self._padded) // TRIED
        queries = np.ascontiguousarray(self._padded[::step][:TRIED])
        radius = int(np.searchsorted(self._probes_within, self._limit // 4, "right"))
        probes = self._probes_within[max(0, radius - 1)]
        scan, listed = least_seconds(
            lambda: engine().count_within(queries, self._padded, 0, 1),
            lambda: self._listed(queries, max(0, radius - 1), 1, keep=True),
        )
        work = self._listed(queries, max(0, radius - 1), 1)[1]
        units = TRIED * probes + np.maximum(work, 0).sum()
        return int(scan / TRIED / (listed / units))

    @property
    def _tables(self) -> tuple[NDArray, ...]:
        """What kernels read, beside the codes."""
        return self._starts, self._sizes, self._firsts, self._offsets, self._items

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for array in (*self._tables, self._probes):
            array.flags.writeable = False

    @property
    def n_bytes(self) -> int:
        return self._offsets.nbytes + self._items.nbytes + self._padding_bytes

    def parts_within(
        self, queries: ArrayLike, radius: int, most: int, *, n_jobs: int | None = None
    ) -> Iterator[Within]:
        checked, radius = self._checked(queries), self._clipped(radius)
        threads = n_threads(n_jobs)
        # The tables answer no query that has more items than the limit, so what they
        # find for one step need not be counted first.
        step = max(1, most // max(1, self._limit))
        for first in range(0, len(checked), step):
            some = checked[first : first + step]
            counts, rest, found = self._try_within(some, radius, threads, keep=True)
            counts[rest] = engine().count_within(
                some[rest], self._padded, radius, threads
            )
            keys = np.concatenate([np.empty(0, np.int64), *found])
            for a, b in blocks(np.concatenate([[0], np.cumsum(counts)]), most):
                left, mine = rest[a:b], counts[a:b]
                scanned = engine().within(
                    some[a:b][left], self._padded, radius, threads, mine[left]
                )
                n_listed = int(mine[~left].sum())
                listed, keys = keys[:n_listed], keys[n_listed:]
                yield joined_answers(mine, [listed], left, scanned)

    def _tries(self, k: int) -> bool:
        return self._limit >= 4 and super()._tries(k)

    def _try_nearest(
        self,
        queries: NDArray[np.uint8],
        k: int,
        threads: int,
        distances: NDArray[np.int32],
        indices: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        limit = self._limit // 4
        args = k, self._probes, limit, limit, distances, indices
        return (
            self._run(kernels().nearest_by_substrings, queries, *args, threads=threads)[
                1
            ]
            < 0
        )

    def _try_within(
        self, queries: NDArray[np.uint8], radius: int, threads: int, *, keep: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[NDArray[np.int64]]]:
        counts, work, found = self._listed(queries, radius, threads, keep=keep)
        return counts, work < 0, found

    def promise(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> float:
        """Share of the queries that the tables answer sooner than a scan.

        Parameters
        ----------
        queries : array-like of shape (n_queries, n_bytes)
            Codes (see :func:`check_codes`).
        radius : int
            The largest distance that counts as within, in bits.
        n_jobs : int, default=None
            Number of threads; None means all cores the process may use.

        Returns
        -------
        share : float
            From 0 to 1.

        Raises
        ------
        ValueError
            If `queries` holds no codes of the same width, or `radius` is negative.
        """
        checked, radius = self._checked(queries), self._clipped(radius)
        _, work, _ = self._listed(checked, radius, n_threads(n_jobs))
        return float((work >= 0).mean())

    @classmethod
    def suits(
        cls,
        codes: ArrayLike,
        radius: int | None = None,
        *,
        n_jobs: int | None = None,
    ) -> bool:
        """Whether lookups within a radius are few, compared to the codes.

        Parameters
        ----------
        codes : array-like of shape (n_items, n_bytes)
            Codes (see :func:`check_codes`).
        radius : int, default=None
            The largest distance that counts as within, in bits. When None, lookups may
            be any number.
        n_jobs : int, default=None
            Ignored: there for the signature of all ways to search.

        Returns
        -------
        suits : bool

        Raises
        ------
        ValueError
            If `codes` holds no codes, or `radius` is negative.
        """
        if radius is None:
            return False
        checked = check_codes(codes)
        n, n_bits = len(checked), 8 * checked.shape[1]
        sizes = substring_sizes(n, n_bits)
        far, more = divmod(min(check_radius(radius), n_bits), len(sizes))
        probes = [sum(comb(size, at) for at in range(far + 1)) for size in sizes]
        less = [sum(comb(size, at) for at in range(far)) for size in sizes]
        n_probes = sum(probes[: more + 1]) + sum(less[more + 1 :])
        return 2 * n_probes * USUAL_ADVANTAGE <= n

    def _listed(
        self,
        queries: NDArray[np.uint8],
        radius: int,
        threads: int,
        *,
        keep: bool = False,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.int64]]]:
        """Answer what the tables answer sooner than a scan.

        Returns counts, the work of each query, -1 for those left, and the keys of the
        others in order, if they are to be kept.
        """
        counts = np.zeros(len(queries), np.int64)
        n_probes = int(self._probes_within[radius])
        # As much may be compared as is looked up.
        if not self._has_kernels or 2 * n_probes > self._limit:
            return counts, np.full(len(queries), -1), []
        limits = radius, n_probes, self._limit - n_probes, keep
        found, work = self._run(
            kernels().within_by_substrings, queries, *limits, counts, threads=threads
        )
        return counts, work, found

    def _run(
        self,
        kernel: Callable[..., Any],
        queries: NDArray[np.uint8],
        *args: Any,
        threads: int,
    ) -> tuple[list[Any], NDArray[np.int64]]:
        """Run a kernel over the queries; return its results and their work.

        That is -1 for queries left to a scan. Where these are most of the first, no
        more are tried: the others will be like them.
        """
        words, codes = as_words(queries), as_words(self._padded)
        work, tag = np.full(len(words), -1), width_tag(words)
        results: list[Any] = []
        for first, last in ((0, min(TRIED, len(words))), (TRIED, len(words))):
            tasks = [
                (codes, self._tables, words, *part, *args, work, tag)
                for part in spans(first, last, 4 * threads, 8)
            ]
            results += run(kernel, tasks, threads)
            if last == len(words) or (work[:last] < 0).mean() > 0.5:
                break
        return results, work


@cache
def kernels() -> ModuleType:
    """The kernels, loaded when first asked for, since numba takes long to load."""
    return import_module("skhash.hamming.indexes.multi_index_kernels")


def substring_sizes(
    n_items: int, n_bits: int, n_substrings: int | None = None
) -> list[int]:
    """Bits of each substring: about log2(n_items), if their number is not given."""
    least = -(-n_bits // WIDEST)
    if n_substrings is None:
        n_substrings = max(least, round(n_bits / max(log2(n_items + 1), 8)))
    elif n_substrings not in range(least, n_bits + 1):
        raise ValueError(
            f"Codes of {n_bits} bits are cut into {least} to {n_bits} substrings "
            f"(of {WIDEST} bits at most), got n_substrings={n_substrings!r}."
        )
    size, longer = divmod(n_bits, n_substrings)
    return [size + (j < longer) for j in range(n_substrings)]
