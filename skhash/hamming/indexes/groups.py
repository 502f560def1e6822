"""Equal codes stored once: search the distinct ones, then list their items."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.engine.choose import engine
from skhash.hamming.indexes.base import Nearest, Searcher, Within
from skhash.hamming.search import check_k, check_radius, within
from skhash.hamming.simd.words import as_words, padded
from skhash.hamming.threads.count import n_threads

# Above this many distinct codes, first ask only for enough of them to hold k items.
MANY_CODES = 1 << 16
# Fewer items are scanned in microseconds.
SMALL = 2048
# Up to this many items have their distinct codes counted by hash; of more, a sample
# tells.
MOST_HASHED = 1 << 24
# Codes that are hashed at a time.
HASHED = 1 << 15


class GroupedCodes(Searcher):
    """A database whose equal codes are searched as one.

    Learned codes repeat: an encoder with 12 bits may send 60000 images to a few
    hundred codes. Searching those and listing their items gives the same answers, in
    the same order, for a fraction of the work.

    Parameters
    ----------
    codes : array-like of shape (n_items, n_bytes)
        Codes (see :func:`check_codes`).
    n_jobs : int, default=None
        Ignored: there for the signature of all ways to search.

    Attributes
    ----------
    codes : ndarray of shape (n_distinct, n_bytes), uint8
        The distinct codes, in order of their first item.
    n_items : int
        Number of items.
    n_bytes : int
        Memory taken.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming import GroupedCodes
    >>> database = GroupedCodes(np.array([[7], [0], [7], [0]], np.uint8))
    >>> database.codes.tolist()
    [[7], [0]]
    >>> database.nearest(np.array([[1]], np.uint8), 3)
    (array([[1, 1, 2]], dtype=int32), array([[1, 3, 0]]))
    """

    name = "grouped"

    def __init__(self, codes: ArrayLike, *, n_jobs: int | None = None) -> None:
        checked = check_codes(codes)
        _, first, group = np.unique(
            as_values(checked), return_index=True, return_inverse=True
        )
        # The first items' order makes the k nearest distinct codes hold the k nearest
        # items: each of those codes has an item before any item of a later code.
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        group = rank[group.reshape(-1)]
        self.codes = checked[first[order]]
        self._padded = padded(self.codes)
        self.n_items = len(checked)
        self._items = np.argsort(group, kind="stable")
        self._bounds = np.zeros(len(order) + 1, np.int64)
        np.cumsum(np.bincount(group, minlength=len(order)), out=self._bounds[1:])

    @classmethod
    def suits(
        cls,
        codes: ArrayLike,
        radius: int | None = None,
        *,
        n_jobs: int | None = None,
    ) -> bool:
        checked = check_codes(codes)
        return len(checked) > SMALL and mostly_repeated(checked)

    def without(
        self, keep: NDArray[np.bool_], codes: NDArray[np.uint8] | None = None
    ) -> GroupedCodes:
        kept = keep[self._items]
        sums = np.concatenate([[0], np.cumsum(kept)])[self._bounds]
        counts, left = np.diff(sums), np.flatnonzero(np.diff(sums))
        items = (np.cumsum(keep) - 1)[self._items[kept]]
        # Codes stay in order of their first item, which may be another one now.
        left = left[np.argsort(items[sums[left]])]
        part = copy(self)
        part.codes, part.n_items = self.codes[left], len(items)
        part._padded = padded(part.codes)
        part._bounds = np.concatenate([[0], np.cumsum(counts[left])])
        shifts = np.repeat(sums[left] - part._bounds[:-1], counts[left])
        part._items = items[shifts + np.arange(len(items))]
        return part

    @property
    def n_bytes(self) -> int:
        own = 0 if self._padded is self.codes else self._padded.nbytes
        return self.codes.nbytes + own + self._items.nbytes + self._bounds.nbytes

    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> Nearest:
        queries = check_codes(queries, n_bytes=self.codes.shape[1], name="queries")
        k = check_k(k, self.n_items, queries)
        queries = padded(queries)
        # This many codes hold k items in any case; far fewer usually do.
        few = most = min(k, len(self.codes))
        if len(self.codes) > MANY_CODES:
            few = min(most, 16 + 4 * k * len(self.codes) // self.n_items)
        distances = np.empty((len(queries), k), np.int32)
        indices = np.empty((len(queries), k), np.int64)
        search, threads = engine(), n_threads(n_jobs)
        lists = self._bounds, self._items
        found, groups = search.nearest(queries, self._padded, few, threads)
        if few == most or (enough := self._hold(found, groups, k)).all():
            search.expand_nearest(found, groups, *lists, distances, indices)
            return distances, indices
        more = search.nearest(queries[~enough], self._padded, most, threads)
        for rows, near in ((enough, (found[enough], groups[enough])), (~enough, more)):
            part = distances[rows], indices[rows]
            search.expand_nearest(*near, *lists, *part)
            distances[rows], indices[rows] = part
        return distances, indices

    def _hold(self, found: NDArray, groups: NDArray, k: int) -> NDArray[np.bool_]:
        """Which rows of nearest codes surely hold the k nearest items."""
        sizes = np.diff(self._bounds)[groups]
        # Codes left out at that distance have no item before these codes' first ones.
        sizes[found == found[:, -1:]] = 1
        return sizes.sum(axis=1) >= k

    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> Within:
        queries = check_codes(queries, n_bytes=self.codes.shape[1], name="queries")
        rows, found, groups = within(
            padded(queries), self._padded, radius, n_jobs=n_jobs
        )
        # Numbers of items in the first 0, 1, 2, ... of the groups listed.
        sums = np.zeros(len(groups) + 1, np.int64)
        np.take(np.diff(self._bounds), groups, out=sums[1:])
        np.cumsum(sums, out=sums)
        indptr = sums[rows]
        del sums
        distances = np.empty(indptr[-1], np.int32)
        indices = np.empty(indptr[-1], np.int64)
        engine().expand_within(
            rows, found, groups, self._bounds, self._items, distances, indices
        )
        return indptr, distances, indices

    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        queries = check_codes(queries, n_bytes=self.codes.shape[1], name="queries")
        radius, threads = check_radius(radius), n_threads(n_jobs)
        sizes = np.diff(self._bounds)
        row: Any = slice(None)
        # More queries than codes are likely to repeat: each is asked for once.
        if len(queries) > len(self.codes):
            _, first, row = np.unique(
                as_values(queries), return_index=True, return_inverse=True
            )
            queries = queries[first]
        counts = engine().count_within(
            padded(queries), self._padded, radius, threads, sizes
        )
        return counts[row]


def as_values(codes: NDArray[np.uint8]) -> NDArray:
    """Each code as one value: bytes sort much faster than rows do."""
    return codes.view(np.dtype((np.void, codes.shape[1])))[:, 0]


def mostly_repeated(codes: NDArray[np.uint8]) -> bool:
    """Whether at most a quarter of the codes are distinct.

    Counted among the codes with some hash: these are all of a kind or none of it.
    """
    n, some = len(codes), []
    if n <= MOST_HASHED:
        # About 16384 codes, if they are distinct.
        bits = max(1, (n >> 14).bit_length())
        for first in range(0, n, HASHED):
            hashes = hashed(codes[first : first + HASHED])
            some.append(hashes[hashes >> np.uint64(64 - bits) == 0])
    values = np.concatenate(some) if some else np.empty(0, np.uint64)
    # Codes of few kinds may all have another hash.
    if len(values) < SMALL // 2:
        values = hashed(np.ascontiguousarray(codes[:: max(1, n // 4096)]))
    return 4 * len(np.unique(values)) <= len(values)


def hashed(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """One 64-bit number for each code, equal where codes are."""
    numbers = np.zeros(len(codes), np.uint64)
    for column in as_words(codes).T:
        numbers = (numbers ^ column) * np.uint64(0x9E3779B97F4A7C15)
        numbers ^= numbers >> np.uint64(32)
    return numbers * np.uint64(0xD6E8FEB86659FD93)
