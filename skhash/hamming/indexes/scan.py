"""The scan: queries are compared with every code, as it lies in memory."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming.codes import check_codes
from skhash.hamming.engine.choose import engine
from skhash.hamming.indexes.base import Nearest, Searcher, Within
from skhash.hamming.search import check_k, check_radius
from skhash.hamming.simd.words import padded
from skhash.hamming.threads.count import n_threads


class Scan(Searcher):
    """Checked codes, compared with every query."""

    name = "brute"

    def __init__(self, codes: NDArray[np.uint8], *, n_jobs: int | None = None) -> None:
        self.codes = codes

    @cached_property
    def whole(self) -> NDArray[np.uint8]:
        """The codes; those that are no whole words are padded once, when first asked.

        Not before, so that codes can be added many times in a row.
        """
        return padded(self.codes)

    @property
    def n_bytes(self) -> int:
        whole = self.__dict__.get("whole", self.codes)
        return 0 if whole is self.codes else whole.nbytes

    def __getstate__(self) -> dict[str, Any]:
        return {"codes": self.codes}

    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> Nearest:
        queries, k = self._checked(queries), check_k(k, len(self.codes), queries)
        threads = n_threads(n_jobs, len(queries) * self.codes.size)
        return engine().nearest(queries, self.whole, k, threads)

    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> Within:
        return self._known_within(queries, radius, n_jobs, None)

    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        queries, radius = self._checked(queries), check_radius(radius)
        return engine().count_within(queries, self.whole, radius, n_threads(n_jobs))

    def without(
        self, keep: NDArray[np.bool_], codes: NDArray[np.uint8] | None = None
    ) -> Scan:
        return Scan(self.codes[keep] if codes is None else codes)

    def from_row(self, first: int) -> tuple[Scan, int]:
        part = Scan(self.codes[first:])
        part.whole = self.whole[first:]
        return part, first

    def _known_within(
        self,
        queries: ArrayLike,
        radius: int,
        n_jobs: int | None,
        counts: NDArray[np.int64] | None,
    ) -> Within:
        queries, radius = self._checked(queries), check_radius(radius)
        threads = n_threads(n_jobs)
        return engine().within(queries, self.whole, radius, threads, counts)

    def _checked(self, queries: ArrayLike) -> NDArray[np.uint8]:
        """The queries, as wide as the whole codes are."""
        checked = check_codes(queries, n_bytes=self.codes.shape[1], name="queries")
        return checked if self.whole is self.codes else padded(checked)
