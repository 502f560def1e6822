"""Queries that come, and pairs that go, a batch at a time."""

import numpy as np

from skhash.hamming.search import check_radius
from skhash.neighbors._search import FittedCodes
from skhash.neighbors._searchers import Scan, parts_within

# Rows of the database that are compared with all later ones at a time, at most; and
# how many pairs there may be, of more rows than one.
ROWS, MOST = 1024, 1 << 21


class StreamsMixin(FittedCodes):
    """Searches whose input or output need not fit memory at once."""

    def iter_kneighbors(self, batches, n_neighbors=None, return_distance=True):
        """Find the nearest codes for a stream of queries.

        Parameters
        ----------
        batches : iterable of array-like of shape (n_queries, n_bytes)
            Query codes, taken one batch at a time.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        return_distance : bool, default=True
            Whether to yield distances.

        Yields
        ------
        answer : tuple of ndarray, or ndarray, of shape (n_queries, n_neighbors)
            What :meth:`kneighbors` returns for the batch. All batches see the
            database as it was at the first.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> codes = np.arange(4, dtype=np.uint8).reshape(4, 1)
        >>> neighbors = HammingNeighbors(n_neighbors=1).fit(codes)
        >>> for indices in neighbors.iter_kneighbors(
        ...     (codes[:3], codes[3:]), return_distance=False
        ... ):
        ...     print(indices.ravel())
        [0 1 2]
        [3]
        """
        database = self._fitted()
        for X in batches:
            distances, indices = self._nearest(database, X, n_neighbors)
            indices = database.named(indices)
            yield (distances, indices) if return_distance else indices

    def pairs(self, radius=None):
        """Find the pairs of codes within a radius of each other: near-duplicates.

        Parameters
        ----------
        radius : int, default=None
            In bits, inclusive; the constructor's when None.

        Yields
        ------
        left, right : ndarray of shape (n_pairs,)
            Rows of the database, int64, or the ids given to `fit`. Each pair comes
            once, the earlier row at the left, in order of the left row.
        distances : ndarray of shape (n_pairs,), int32
            In bits, ascending for each left row.

        Raises
        ------
        ValueError
            If `radius` is negative or no whole number.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> codes = np.array([[0b000], [0b111], [0b001]], dtype=np.uint8)
        >>> for left, right, distances in HammingNeighbors().fit(codes).pairs(2):
        ...     print(left, right, distances)
        [0 1] [2 2] [1 2]
        """
        database = self._fitted()
        radius = check_radius(self.radius if radius is None else radius)
        return self._pairs(database, radius)

    def _pairs(self, database, radius):
        codes, n_jobs, row = database.codes, self.n_jobs, 0
        searcher = database.searcher_within(radius, len(codes), n_jobs)
        for first in range(0, len(codes), ROWS):
            rows, start, part = codes[first : first + ROWS], 0, searcher
            if isinstance(searcher, Scan):
                # Rows before the first have met these already.
                start, part = first, Scan(searcher.whole[first:])
            for found in parts_within(part, rows, radius, n_jobs, MOST):
                indptr, distances, right = found
                n_rows = len(indptr) - 1
                left = row + np.repeat(np.arange(n_rows), np.diff(indptr))
                right += start
                once = right > left
                if once.any():
                    left, right = left[once], right[once]
                    yield database.named(left), database.named(right), distances[once]
                row += n_rows
