"""What every way to search offers, and what those share that answer only some queries.

Answers are the same from all; they differ in time and memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.engine.choose import compiled, engine
from skhash.hamming.indexes.cost import Record
from skhash.hamming.keys import blocks, joined_answers
from skhash.hamming.search import check_k, check_radius
from skhash.hamming.simd.words import padded
from skhash.hamming.threads.count import n_threads

Nearest = tuple[NDArray[np.int32], NDArray[np.int64]]
Within = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]


class Searcher(ABC):
    """A database of codes, and a way to search it. Made by ``cls(codes, n_jobs=...)``.

    A new way is a class like this and a line in `skhash.hamming.indexes.ALGORITHMS`.
    """

    # What `algorithm` calls it, and whether it is nothing without compiled kernels.
    name: ClassVar[str]
    needs_kernels: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, codes: NDArray[np.uint8], *, n_jobs: int | None = None) -> None:
        """Take the codes, and build with some threads what is to be built."""

    @property
    @abstractmethod
    def n_bytes(self) -> int:
        """Memory taken, beyond the codes."""

    @abstractmethod
    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> Nearest:
        """Find the k nearest items, as :func:`skhash.hamming.nearest` does."""

    @abstractmethod
    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> Within:
        """Find all items within a radius, as :func:`skhash.hamming.within` does."""

    @abstractmethod
    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        """Count items within a radius, as :func:`skhash.hamming.count_within` does."""

    def parts_within(
        self, queries: ArrayLike, radius: int, most: int, *, n_jobs: int | None = None
    ) -> Iterator[Within]:
        """Find all items within a radius, of some queries after the other.

        Parameters
        ----------
        queries : array-like of shape (n_queries, n_bytes)
            Codes (see :func:`check_codes`).
        radius : int
            The largest distance that counts as within, in bits.
        most : int
            How many items a part may hold, of more queries than one.
        n_jobs : int, default=None
            Number of threads; None means all cores the process may use.

        Yields
        ------
        indptr, distances, indices : ndarray of shape (n_part + 1,), (n,) and (n,)
            What :meth:`within` returns, for the next queries.

        Raises
        ------
        ValueError
            If `queries` holds no codes of the same width, or `radius` is negative.
        """
        checked = check_codes(queries, name="queries")
        counts = self.count_within(checked, radius, n_jobs=n_jobs)
        for a, b in blocks(np.concatenate([[0], np.cumsum(counts)]), most):
            yield self._known_within(checked[a:b], radius, n_jobs, counts[a:b])

    def without(
        self, keep: NDArray[np.bool_], codes: NDArray[np.uint8] | None = None
    ) -> Searcher | None:
        """Return the same for some items only, numbered anew, if that is quick.

        Parameters
        ----------
        keep : ndarray of shape (n_items,), bool
            Which items are kept.
        codes : ndarray of shape (n_kept, n_bytes), uint8, default=None
            Their codes, if there is such an array already.

        Returns
        -------
        searcher : Searcher or None
            None where it takes as long as making one of those codes.
        """
        return None

    @classmethod
    def suits(
        cls,
        codes: ArrayLike,
        radius: int | None = None,
        *,
        n_jobs: int | None = None,
    ) -> bool:
        """Whether this way is likely to be the soonest for these codes.

        Parameters
        ----------
        codes : array-like of shape (n_items, n_bytes)
            Codes (see :func:`check_codes`).
        radius : int, default=None
            The largest distance that will be asked for, in bits; not known when None.
        n_jobs : int, default=None
            Number of threads; None means all cores the process may use.

        Returns
        -------
        suits : bool

        Raises
        ------
        ValueError
            If `codes` holds no codes, or `radius` is negative.
        """
        return False

    def _pays(self) -> bool:
        """Whether it keeps, once built, what `suits` promised."""
        return True

    def from_row(self, first: int) -> tuple[Searcher, int]:
        """Return what finds all items from a row on, and maybe others.

        Parameters
        ----------
        first : int
            The row.

        Returns
        -------
        searcher : Searcher
        start : int
            The row that it counts from.
        """
        return self, 0

    def _known_within(
        self,
        queries: ArrayLike,
        radius: int,
        n_jobs: int | None,
        counts: NDArray[np.int64],
    ) -> Within:
        """As `within`, where the numbers of items are known, which may save a pass."""
        return self.within(queries, radius, n_jobs=n_jobs)


class Index(Searcher):
    """Tables or lists that answer some queries sooner than a scan, which has the rest.

    Subclasses set `codes` and `_padded`, the same codes as whole machine words.
    """

    codes: NDArray[np.uint8]

    def _set(self, codes: NDArray[np.uint8]) -> None:
        """Take the codes; they are copied only if they are no whole words."""
        self.codes, self._padded = codes, padded(codes)
        self._record, self._has_kernels = Record(), compiled()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_padded": None, "_record": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._set(self.codes)

    @property
    def _padding_bytes(self) -> int:
        return 0 if self._padded is self.codes else self._padded.nbytes

    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> Nearest:
        queries = self._checked(queries)
        k, threads = check_k(k, len(self.codes), queries), n_threads(n_jobs)
        if not self._tries(k):
            return engine().nearest(queries, self._padded, k, threads)
        distances = np.empty((len(queries), k), np.int32)
        indices = np.empty((len(queries), k), np.int64)
        left = self._try_nearest(queries, k, threads, distances, indices)
        n_left = int(np.count_nonzero(left))
        self._record.note(k, len(left), len(left) - n_left)
        if n_left:
            scanned = engine().nearest(queries[left], self._padded, k, threads)
            distances[left], indices[left] = scanned
        return distances, indices

    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> Within:
        queries, radius = self._checked(queries), self._clipped(radius)
        threads = n_threads(n_jobs)
        counts, left, found = self._try_within(queries, radius, threads, keep=True)
        n_left = int(np.count_nonzero(left))
        if n_left == len(left):
            return engine().within(queries, self._padded, radius, threads)
        if not n_left:
            return joined_answers(counts, found)
        scanned = engine().within(queries[left], self._padded, radius, threads)
        return joined_answers(counts, found, left, scanned)

    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        queries, radius = self._checked(queries), self._clipped(radius)
        threads = n_threads(n_jobs)
        counts, left, _ = self._try_within(queries, radius, threads, keep=False)
        if left.any():
            counts[left] = engine().count_within(
                queries[left], self._padded, radius, threads
            )
        return counts

    @abstractmethod
    def _try_nearest(
        self,
        queries: NDArray[np.uint8],
        k: int,
        threads: int,
        distances: NDArray[np.int32],
        indices: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Fill the rows of queries that are answered, and say which are left."""

    @abstractmethod
    def _try_within(
        self, queries: NDArray[np.uint8], radius: int, threads: int, *, keep: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[NDArray[np.int64]]]:
        """Numbers of items, which queries are left, and the keys of the others.

        Keys come in order, and only if they are to be kept.
        """

    def _tries(self, k: int) -> bool:
        """Whether to try queries for k neighbours at all."""
        return self._has_kernels and self._record.promises(k)

    def _checked(self, queries: ArrayLike) -> NDArray[np.uint8]:
        """The queries, as wide as the whole codes are."""
        checked = check_codes(queries, n_bytes=self.codes.shape[1], name="queries")
        return checked if self._padded is self.codes else padded(checked)

    def _clipped(self, radius: int) -> int:
        return min(check_radius(radius), 8 * self.codes.shape[1])
