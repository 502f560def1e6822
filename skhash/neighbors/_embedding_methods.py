"""Methods of scikit-learn's NearestNeighbors, for a database of vectors."""

from numbers import Real

import numpy as np

from skhash.neighbors._embedding_search import Scanned, nearest, within
from skhash.neighbors._graphs import drop_self, drop_self_from_rows
from skhash.neighbors._radius import RadiusNeighborsMixin
from skhash.neighbors._search import KNeighborsMixin
from skhash.neighbors._validation import check_n_neighbors
from skhash.neighbors._vector_input import checked


class VectorSearch(KNeighborsMixin, RadiusNeighborsMixin):
    """Searches for an estimator whose `_database` is one of vectors."""

    def kneighbors(
        self, X=None, n_neighbors=None, return_distance=True, *, filter=None
    ):
        """Find the nearest vectors of the database.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features), default=None
            Queries. When None, every vector of the database is a query, and is not its
            own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            Search only these vectors: a mask over the database, or a list or set of ids
            (of rows, where the database has no ids).

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), float64
            Ascending; estimates where no vectors are kept. Only if `return_distance`.
        indices : ndarray of shape (n_queries, n_neighbors)
            Rows of the database, int64, or the ids given to `fit`; equal distances in
            order of insertion.

        Raises
        ------
        ValueError
            If X does not hold vectors of the fitted width, there are fewer vectors than
            neighbours asked for, X is None and no vectors are kept, or `filter` names
            none.
        """
        return super().kneighbors(X, n_neighbors, return_distance, filter=filter)

    def kneighbors_graph(
        self, X=None, n_neighbors=None, mode="connectivity", *, filter=None
    ):
        """Build the sparse graph of the nearest neighbours.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features), default=None
            Queries. When None, every vector of the database is a query, and is not its
            own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances. Zero distances are stored.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            As in :meth:`kneighbors`; there is a column for each vector of the database
            just the same.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Each row's neighbours in order of distance. Columns are rows of the
            database, whatever its ids.

        Raises
        ------
        ValueError
            If `mode` is unknown, and for what :meth:`kneighbors` refuses.
        """
        return super().kneighbors_graph(X, n_neighbors, mode, filter=filter)

    def radius_neighbors(
        self,
        X=None,
        radius=None,
        return_distance=True,
        sort_results=False,
        *,
        filter=None,
    ):
        """Find the vectors of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features), default=None
            Queries. When None, every vector of the database is a query, and is not its
            own neighbour.
        radius : float, default=None
            Distance; the constructor's when None. Below zero only of "inner_product".
        return_distance : bool, default=True
            Whether to return distances.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: results always come in order of
            distance, equal distances in order of insertion.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            As in :meth:`kneighbors`.

        Returns
        -------
        distances : ndarray of shape (n_queries,) of arrays, float64
            Ascending; estimates where no vectors are kept. Only if `return_distance`.
        indices : ndarray of shape (n_queries,) of arrays
            Rows of the database, int64, or the ids given to `fit`.

        Raises
        ------
        ValueError
            If the radius cannot be one, and for what :meth:`kneighbors` refuses.
        """
        return super().radius_neighbors(
            X, radius, return_distance, sort_results, filter=filter
        )

    def radius_neighbors_graph(
        self,
        X=None,
        radius=None,
        mode="connectivity",
        sort_results=False,
        *,
        filter=None,
    ):
        """Build the sparse graph of the neighbours within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features), default=None
            Queries. When None, every vector of the database is a query, and is not its
            own neighbour.
        radius : float, default=None
            Distance; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances. Zero distances are stored.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: rows always come in order of distance.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            As in :meth:`kneighbors`; there is a column for each vector of the database
            just the same.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Columns are rows of the database, whatever its ids.

        Raises
        ------
        ValueError
            If `mode` is unknown, and for what :meth:`radius_neighbors` refuses.
        """
        return super().radius_neighbors_graph(
            X, radius, mode, sort_results, filter=filter
        )

    def count_neighbors(self, X=None, radius=None, *, filter=None):
        """Count the vectors of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features), default=None
            Queries. When None, every vector of the database is a query, and does not
            count for itself.
        radius : float, default=None
            Distance; the constructor's when None.
        filter : array-like of shape (n_samples_fit,), bool, or collection of ids, \
                default=None
            Count only these vectors, as :meth:`radius_neighbors` finds them.

        Returns
        -------
        counts : ndarray of shape (n_queries,), int64

        Raises
        ------
        ValueError
            For what :meth:`radius_neighbors` refuses.
        """
        return np.diff(self._within(self._fitted(), X, radius, filter)[0])

    def _nearest(self, database, X, n_neighbors=None, filter=None):
        """Distances and rows of the nearest neighbours in a snapshot."""
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        scanned, queries = self._task(database, X, filter)
        n_items, itself = len(scanned.codes), X is None
        check_n_neighbors(k, n_items, len(queries), itself)
        found = nearest(scanned, queries, k + itself, self.verbose)
        pair = found.distances, found.indices
        return drop_self(*pair) if itself else pair

    def _within(self, database, X, radius, filter):
        """Neighbours within a radius: indptr, distances and rows of a snapshot."""
        radius = self.radius if radius is None else radius
        radius = check_distance(radius, database.bounds.metric)
        scanned, queries = self._task(database, X, filter)
        found = within(scanned, queries, radius, self.verbose)
        return drop_self_from_rows(*found) if X is None else found

    def _task(self, database, X, filter):
        """What is searched, and the queries."""
        rows = None
        if X is None:
            if filter is not None:
                raise ValueError("filter needs queries: pass X, not None.")
            if database.vectors is None:
                raise ValueError(
                    "X=None asks for the neighbours of the database itself, of which "
                    "vectors=None kept no vectors: pass them as X, or fit with "
                    "vectors='keep', 'float16' or 'int8'."
                )
            queries = Itself(database.vectors)
        else:
            queries = checked(self, X)
        if filter is not None:
            rows = np.unique(database.positions(filter))
        return Scanned.of(database, self, rows), queries


class Itself:
    """The vectors of a database as queries, never all in float64 at once."""

    def __init__(self, vectors):
        self.vectors = vectors

    def __len__(self):
        return len(self.vectors)

    def __getitem__(self, rows):
        return self.vectors.rows(np.arange(len(self))[rows])


def check_distance(radius, metric):
    """A radius as a float, or say what is wrong with it."""
    if isinstance(radius, bool) or not isinstance(radius, Real):
        raise TypeError(f"radius must be a number, got {radius!r}.")
    value = float(radius)
    if np.isnan(value) or (value < 0 and metric != "inner_product"):
        raise ValueError(
            f"radius must be 0 or more for the metric {metric!r}, got {radius!r}."
        )
    return value
