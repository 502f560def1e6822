"""Searching a fitted database: what every estimator of this package can do."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skhash.documentation import DocLink
from skhash.hamming.indexes.scan import Scan
from skhash.hints import OptionErrors
from skhash.neighbors._graphs import csr_graph, drop_self
from skhash.neighbors._lock import changing
from skhash.neighbors._validation import check_n_neighbors, query_codes
from skhash.progress import followed

# Queries that are searched for together where progress is shown.
TOGETHER = 1 << 13


class FittedCodes(DocLink, OptionErrors):
    """The fitted database, for an estimator that keeps it in `_database`."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_database")

    def _fitted(self):
        """Return the database as it is now; later changes leave it alone."""
        try:
            return self._database
        except AttributeError:
            check_is_fitted(self)
            raise

    def _take(self, database, seen, **more):
        """End a fit: the estimator is what it was, or all that is new, to others.

        A change of the former database that is under way ends first, so that it does
        not undo this.
        """
        with changing():
            former = {"feature_names_in_"} - seen.keys()
            vars(self).update(seen, _database=database, **more)
            for name in former:
                vars(self).pop(name, None)
        return self

    def _of_database(self, name):
        # A property must raise AttributeError for hasattr to say no.
        if not hasattr(self, "_database"):
            raise AttributeError(f"{type(self).__name__} is not fitted yet.")
        return getattr(self._database, name)

    @property
    def codes_(self):
        """Packed codes of the database, shape (`n_samples_fit_`, n_bytes), uint8."""
        return self._of_database("codes")

    @property
    def labels_(self):
        """Labels of the database as given to `fit`, or None."""
        return self._of_database("labels")

    @property
    def n_samples_fit_(self):
        """Number of codes in the database."""
        return len(self._of_database("codes"))


class KNeighborsMixin(FittedCodes):
    """k nearest neighbours for an estimator with `n_neighbors` and `n_jobs`."""

    def kneighbors(
        self, X=None, n_neighbors=None, return_distance=True, *, filter=None
    ):
        """Find the nearest codes of the database, exactly.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            Search only these codes: a mask over the database, or a list or set of ids
            (of rows, where the database has no ids). All `n_neighbors` are found among
            them. True and False are always a mask; ids are compared by value, so that
            5.0 finds 5.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), int32
            In bits, ascending. Only if `return_distance`.
        indices : ndarray of shape (n_queries, n_neighbors)
            Rows of the database, int64, or the ids given to `fit`; equal distances in
            order of insertion.

        Raises
        ------
        ValueError
            If `X` does not hold codes of the fitted width, there are fewer codes than
            neighbours asked for, a mask has another length than the database, or no
            code has an id of `filter`.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(n_neighbors=2).fit(database)
        >>> queries = np.array([[0b001]], dtype=np.uint8)
        >>> neighbors.kneighbors(queries)
        (array([[1, 1]], dtype=int32), array([[0, 1]]))
        >>> neighbors.kneighbors(queries, filter=[False, True, True])
        (array([[1, 2]], dtype=int32), array([[1, 2]]))
        """
        database = self._fitted()
        distances, indices = self._nearest(database, X, n_neighbors, filter)
        indices = database.named(indices)
        return (distances, indices) if return_distance else indices

    def _nearest(self, database, X, n_neighbors=None, filter=None):
        """Distances and rows of the nearest neighbours in a snapshot."""
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        part = None if filter is None else filtered(database, X, filter)
        if X is None:
            check_n_neighbors(k, len(database), len(database), True)
            return drop_self(*self._found(database.searcher, database.codes, k + 1))
        queries = query_codes(self, X, database.codes.shape[1])
        if part is None:
            check_n_neighbors(k, len(database), len(queries), False)
            return self._found(database.searcher, queries, k)
        searcher, rows = part
        check_n_neighbors(k, len(rows), len(queries), False)
        distances, indices = self._found(searcher, queries, k)
        return distances, rows[indices]

    def _found(self, searcher, queries, k):
        """What a searcher finds; a long search is told of, where that is asked for."""
        n_queries = len(queries)
        if not self.verbose or n_queries <= TOGETHER:
            return searcher.nearest(queries, k, n_jobs=self.n_jobs)
        distances = np.empty((n_queries, k), np.int32)
        indices = np.empty((n_queries, k), np.int64)
        parts = [slice(i, i + TOGETHER) for i in range(0, n_queries, TOGETHER)]
        for part in followed(parts, "searching", len(parts), size=lambda part: 1):
            found = searcher.nearest(queries[part], k, n_jobs=self.n_jobs)
            distances[part], indices[part] = found
        return distances, indices

    def kneighbors_graph(
        self, X=None, n_neighbors=None, mode="connectivity", *, filter=None
    ):
        """Build the sparse graph of the nearest neighbours.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances in bits. Zero distances are stored.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            Search only these codes, as :meth:`kneighbors` does; there is a column for
            each code of the database just the same.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Each row's neighbours in order of distance. Columns are rows of the
            database, whatever its ids.

        Raises
        ------
        ValueError
            If `mode` is unknown, `X` does not hold codes of the fitted width, there
            are fewer codes than neighbours asked for, or `filter` names no codes.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(n_neighbors=1).fit(database)
        >>> neighbors.kneighbors_graph(mode="distance").toarray()
        array([[0., 2., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
        """
        check_mode(mode)
        database = self._fitted()
        distances, indices = self._nearest(database, X, n_neighbors, filter)
        data = (
            np.ones(indices.size)
            if mode == "connectivity"
            else distances.ravel().astype(np.float64)
        )
        indptr = np.arange(0, indices.size + 1, indices.shape[1])
        return csr_graph(data, indices.ravel(), indptr, (len(indices), len(database)))


def filtered(database, X, filter):
    """What searches the codes that a filter lets through, and their rows, ascending."""
    if X is None:
        raise ValueError("filter needs queries: pass X, not None.")
    rows = np.unique(database.positions(filter))
    return Scan(database.codes[rows]), rows


def check_mode(mode):
    """Raise scikit-learn's error for an unknown kind of graph."""
    if mode not in ("connectivity", "distance"):
        raise ValueError(
            'Unsupported mode, must be one of "connectivity", or "distance" but got '
            f'"{mode}" instead'
        )
