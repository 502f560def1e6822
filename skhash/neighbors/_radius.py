"""All neighbours within a radius."""

import numpy as np

from skhash.neighbors._graphs import as_rows, csr_graph, drop_self_from_rows
from skhash.neighbors._search import TOGETHER, FittedCodes, check_mode, filtered
from skhash.neighbors._validation import query_codes
from skhash.progress import followed


class RadiusNeighborsMixin(FittedCodes):
    """Neighbours within a radius for an estimator with `radius` and `n_jobs`."""

    def radius_neighbors(
        self,
        X=None,
        radius=None,
        return_distance=True,
        sort_results=False,
        *,
        filter=None,
    ):
        """Find all codes of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        radius : int, default=None
            In bits; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: results always come in order of
            distance, equal distances in order of insertion.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            Search only these codes: a mask over the database, or a list or set of ids
            (of rows, where the database has no ids).

        Returns
        -------
        distances : ndarray of shape (n_queries,) of arrays, int32
            In bits, ascending. Only if `return_distance`.
        indices : ndarray of shape (n_queries,) of arrays
            Rows of the database, int64, or the ids given to `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(radius=1).fit(database)
        >>> distances, indices = neighbors.radius_neighbors([[0b001]])
        >>> indices[0]
        array([0, 1])
        """
        database = self._fitted()
        indptr, distances, indices = self._within(database, X, radius, filter)
        indices = as_rows(database.named(indices), indptr)
        return (as_rows(distances, indptr), indices) if return_distance else indices

    def radius_neighbors_graph(
        self,
        X=None,
        radius=None,
        mode="connectivity",
        sort_results=False,
        *,
        filter=None,
    ):
        """Build the sparse graph of all neighbours within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        radius : int, default=None
            In bits; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances in bits. Zero distances are stored.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: rows always come in order of distance.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            As in :meth:`radius_neighbors`; there is a column for each code of the
            database just the same.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Columns are rows of the database, whatever its ids.

        Raises
        ------
        ValueError
            If `mode` is unknown, `X` does not hold codes of the fitted width, or the
            radius is negative.
        """
        check_mode(mode)
        database = self._fitted()
        indptr, distances, indices = self._within(database, X, radius, filter)
        data = (
            np.ones(indices.size)
            if mode == "connectivity"
            else distances.astype(np.float64)
        )
        return csr_graph(data, indices, indptr, (len(indptr) - 1, len(database)))

    def count_neighbors(self, X=None, radius=None, *, filter=None):
        """Count the codes of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and does
            not count for itself.
        radius : int, default=None
            In bits; the constructor's when None.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            Count only these codes, as :meth:`radius_neighbors` finds them.

        Returns
        -------
        counts : ndarray of shape (n_queries,), int64

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> HammingNeighbors().fit(database).count_neighbors(radius=2)
        array([1, 2, 1])
        """
        database = self._fitted()
        queries, radius, searcher, _ = self._task(database, X, radius, filter)
        counts = searcher.count_within(queries, radius, n_jobs=self.n_jobs)
        return counts - 1 if X is None else counts

    def _within(self, database, X, radius, filter):
        """Neighbours as `skhash.hamming.within` gives them, by rows of a snapshot."""
        queries, radius, searcher, rows = self._task(database, X, radius, filter)
        indptr, distances, indices = self._found_within(searcher, queries, radius)
        if rows is not None:
            return indptr, distances, rows[indices]
        found = indptr, distances, indices
        return drop_self_from_rows(*found) if X is None else found

    def _found_within(self, searcher, queries, radius):
        """What a searcher finds; a long search is told of, where that is asked for."""
        n_queries = len(queries)
        if not self.verbose or n_queries <= TOGETHER:
            return searcher.within(queries, radius, n_jobs=self.n_jobs)
        parts = [slice(i, i + TOGETHER) for i in range(0, n_queries, TOGETHER)]
        found = [
            searcher.within(queries[part], radius, n_jobs=self.n_jobs)
            for part in followed(parts, "searching", len(parts), size=lambda part: 1)
        ]
        offsets, distances, indices = zip(*found, strict=True)
        indptr = np.zeros(n_queries + 1, offsets[0].dtype)
        np.cumsum(np.concatenate([np.diff(each) for each in offsets]), out=indptr[1:])
        return indptr, np.concatenate(distances), np.concatenate(indices)

    def _task(self, database, X, radius, filter):
        """Queries, radius, what searches, and the rows that it is limited to."""
        radius = self.radius if radius is None else radius
        part = None if filter is None else filtered(database, X, filter)
        if X is None:
            queries = database.codes
        else:
            queries = query_codes(self, X, database.codes.shape[1])
        if part is not None:
            return queries, radius, *part
        searcher = database.searcher_within(radius, len(queries), self.n_jobs)
        return queries, radius, searcher, None
