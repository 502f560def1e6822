"""An index of the first codes, and a scan of those added since."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.indexes.base import Nearest, Searcher, Within
from skhash.hamming.indexes.scan import Scan
from skhash.hamming.keys import blocks

# Added codes are scanned beside an index up to this share of the codes it holds.
MOST_ADDED = 1 / 4
# Answers that are put in order at a time.
BLOCK = 1 << 20


class Joined(Searcher):
    """Answers of an index of the first codes merged with those of a scan of the rest.

    Of equal distances, those of the index come first, since its codes are earlier.
    """

    def __init__(
        self, indexed: Searcher, n_indexed: int, codes: NDArray[np.uint8]
    ) -> None:
        self.indexed = indexed
        self.n_indexed = n_indexed
        self.added = Scan(codes[n_indexed:])

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the index."""
        return self.indexed.name

    @property
    def n_bytes(self) -> int:
        return self.indexed.n_bytes + self.added.n_bytes

    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> Nearest:
        most = min(k, self.n_indexed), min(k, len(self.added.codes))
        first = self.indexed.nearest(queries, most[0], n_jobs=n_jobs)
        second = self.added.nearest(queries, most[1], n_jobs=n_jobs)
        distances = np.hstack([first[0], second[0]])
        indices = np.hstack([first[1], second[1] + self.n_indexed])
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return (
            np.take_along_axis(distances, order, axis=1),
            np.take_along_axis(indices, order, axis=1),
        )

    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> Within:
        parts = [
            self.indexed.within(queries, radius, n_jobs=n_jobs),
            self.added.within(queries, radius, n_jobs=n_jobs),
        ]
        parts[1][2][:] += self.n_indexed
        indptr = parts[0][0] + parts[1][0]
        distances = np.empty(indptr[-1], np.int32)
        indices = np.empty(indptr[-1], np.int64)
        for first, last in blocks(indptr, BLOCK):
            bounds = [part[0][first : last + 1] for part in parts]
            some = [slice(each[0], each[-1]) for each in bounds]
            numbers = np.arange(last - first)
            row = np.hstack([np.repeat(numbers, np.diff(each)) for each in bounds])
            near = np.hstack([part[1][s] for part, s in zip(parts, some, strict=True)])
            item = np.hstack([part[2][s] for part, s in zip(parts, some, strict=True)])
            order = np.lexsort((item, near, row))
            block = slice(indptr[first], indptr[last])
            distances[block], indices[block] = near[order], item[order]
        return indptr, distances, indices

    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        counts = self.indexed.count_within(queries, radius, n_jobs=n_jobs)
        return counts + self.added.count_within(queries, radius, n_jobs=n_jobs)

    def without(
        self, keep: NDArray[np.bool_], codes: NDArray[np.uint8] | None = None
    ) -> Searcher | None:
        n_left = int(keep[: self.n_indexed].sum())
        if codes is None:
            raise ValueError("Give the codes that are kept: an index may hold no copy.")
        indexed = self.indexed.without(keep[: self.n_indexed], codes[:n_left])
        n_added = len(codes) - n_left
        if indexed is None or not n_left or too_many(n_added, n_left):
            return None
        return Joined(indexed, n_left, codes) if n_added else indexed


def too_many(n_added: int, n_indexed: int) -> bool:
    """Whether enough codes were added to make an index of all anew."""
    return n_added > MOST_ADDED * n_indexed


def extended(
    searcher: Searcher, n_before: int, codes: NDArray[np.uint8]
) -> Searcher | None:
    """A searcher for codes of which another searches the first `n_before`.

    A few more codes are scanned beside the index, so that adding them is cheap. None
    where there are too many of them.
    """
    if isinstance(searcher, Joined):
        n_before, searcher = searcher.n_indexed, searcher.indexed
    if too_many(len(codes) - n_before, n_before):
        return None
    if isinstance(searcher, Scan):
        return Scan(codes)
    return Joined(searcher, n_before, codes)
