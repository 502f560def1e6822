"""Equal codes stored once: search the distinct ones, then list their items."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skhash.hamming._codes import check_codes
from skhash.hamming._engine import engine
from skhash.hamming._search import check_k, nearest, within


class GroupedCodes:
    """A database whose equal codes are searched as one.

    Learned codes repeat: an encoder with 12 bits may send 60000 images to a few
    hundred codes. Searching those and listing their items gives the same answers, in
    the same order, for a fraction of the work.

    Parameters
    ----------
    codes : array-like of shape (n_items, n_bytes)
        Codes (see :func:`check_codes`).

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

    def __init__(self, codes: ArrayLike) -> None:
        checked = check_codes(codes)
        # Bytes compare as one value, which sorts much faster than rows.
        rows = checked.view(np.dtype((np.void, checked.shape[1])))[:, 0]
        _, first, group = np.unique(rows, return_index=True, return_inverse=True)
        # The first items' order makes the k nearest distinct codes hold the k nearest
        # items: each of those codes has an item before any item of a later code.
        order = np.argsort(first, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        group = rank[group.reshape(-1)]
        self.codes = checked[first[order]]
        self.n_items = len(checked)
        self._items = np.argsort(group, kind="stable")
        self._bounds = np.zeros(len(order) + 1, np.int64)
        np.cumsum(np.bincount(group, minlength=len(order)), out=self._bounds[1:])

    @property
    def n_bytes(self) -> int:
        return self.codes.nbytes + self._items.nbytes + self._bounds.nbytes

    def nearest(
        self, queries: ArrayLike, k: int, *, n_jobs: int | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Find the k nearest items, as :func:`skhash.hamming.nearest` does."""
        k = check_k(k, self.n_items, queries)
        found, groups = nearest(
            queries, self.codes, min(k, len(self.codes)), n_jobs=n_jobs
        )
        distances = np.empty((len(found), k), np.int32)
        indices = np.empty((len(found), k), np.int64)
        engine().expand_nearest(
            found, groups, self._bounds, self._items, distances, indices
        )
        return distances, indices

    def within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Find all items within a radius, as :func:`skhash.hamming.within` does."""
        rows, found, groups = within(queries, self.codes, radius, n_jobs=n_jobs)
        indptr = self._sums(groups)[rows]
        distances = np.empty(indptr[-1], np.int32)
        indices = np.empty(indptr[-1], np.int64)
        engine().expand_within(
            rows, found, groups, self._bounds, self._items, distances, indices
        )
        return indptr, distances, indices

    def count_within(
        self, queries: ArrayLike, radius: int, *, n_jobs: int | None = None
    ) -> NDArray[np.int64]:
        """Count items within a radius, as :func:`skhash.hamming.count_within` does."""
        rows, _, groups = within(queries, self.codes, radius, n_jobs=n_jobs)
        return np.diff(self._sums(groups)[rows])

    def _sums(self, groups: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of items in the first 0, 1, 2, ... of the groups listed."""
        sums = np.zeros(len(groups) + 1, np.int64)
        np.cumsum(np.diff(self._bounds)[groups], out=sums[1:])
        return sums
