"""The searches of an estimator that keeps its database in shards."""

from skhash.distributed._fitted import FittedShards
from skhash.distributed._graph import (
    counts_listed,
    graph_of,
    nearest_listed,
    of_others,
    within_listed,
)
from skhash.distributed._shard import within_without_self, without_self
from skhash.neighbors.shards import check_mode, check_n_neighbors


class SearchedShards(FittedShards):
    """Searches of codes and of vectors alike.

    An estimator says what its queries are (`_queries`), what it asks the shards
    (`_ask_nearest`, `_ask_within`, `_ask_counts`), which radii there are
    (`_check_radius`) and of what dtype distances are (`_distances`).
    """

    def kneighbors(
        self, X=None, n_neighbors=None, return_distance=True, *, filter=None
    ):
        """Find the nearest items of the database.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, `n_features_in_`), \
                default=None
            Queries, of the kind that was fitted. When None, every item of the database
            is a query, and is not its own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these items: a mask over the database, or a list or set of ids
            (of rows, where the database has no ids).

        Returns
        -------
        distances : ndarray or dask array of shape (n_queries, n_neighbors)
            Ascending: of codes int32, in bits; of vectors float64, or estimates where
            no vectors are kept. Only if `return_distance`. Arrays for arrays; dask
            arrays, computed when they are asked for, for dask arrays and for None.
        indices : ndarray or dask array of shape (n_queries, n_neighbors)
            Rows of the database, int64, or the ids given to `fit`; equal distances in
            order of insertion.

        Raises
        ------
        ValueError
            For what the estimator of one process refuses.
        ClusterClosed
            If the cluster of the fit is gone.
        """
        shards = self._fitted()
        found, queries, k = self._nearest(shards, X, n_neighbors, filter, ids=True)
        pair = nearest_listed(shards, found, queries, k, self._distances)
        return pair if return_distance else pair[1]

    def kneighbors_graph(
        self, X=None, n_neighbors=None, mode="connectivity", *, filter=None
    ):
        """Build the sparse graph of the nearest neighbours.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, `n_features_in_`), \
                default=None
            Queries, as in :meth:`kneighbors`.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances. Zero distances are stored.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these items; there is a column for each item of the database
            just the same.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Each row's neighbours in order of distance. Columns are rows of the
            database, whatever its ids. For dask arrays and None a dask array of such
            matrices.

        Raises
        ------
        ValueError
            If `mode` is unknown, and for what :meth:`kneighbors` refuses.
        """
        check_mode(mode)
        shards = self._fitted()
        found, queries, _ = self._nearest(shards, X, n_neighbors, filter, ids=False)
        return graph_of(shards, found, queries, mode)

    def radius_neighbors(
        self,
        X=None,
        radius=None,
        return_distance=True,
        sort_results=False,
        *,
        filter=None,
    ):
        """Find all items of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, `n_features_in_`), \
                default=None
            Queries, as in :meth:`kneighbors`.
        radius : int or float, default=None
            Distance, of codes in bits; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: results always come in order of
            distance, equal distances in order of insertion.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these items, as in :meth:`kneighbors`.

        Returns
        -------
        distances : ndarray or dask array of shape (n_queries,) of arrays
            As in :meth:`kneighbors`. Only if `return_distance`.
        indices : ndarray or dask array of shape (n_queries,) of arrays
            Rows of the database, int64, or the ids given to `fit`.

        Raises
        ------
        ValueError
            If the radius cannot be one, and for what :meth:`kneighbors` refuses.
        """
        shards = self._fitted()
        found, queries = self._within(shards, X, radius, filter, ids=True)
        both = within_listed(shards, found, queries)
        return both if return_distance else both[1]

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
        X : array-like or dask array of shape (n_queries, `n_features_in_`), \
                default=None
            Queries, as in :meth:`kneighbors`.
        radius : int or float, default=None
            Distance, of codes in bits; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances. Zero distances are stored.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: rows always come in order of distance.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these items, as in :meth:`kneighbors_graph`.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Columns are rows of the database, whatever its ids. For dask arrays and
            None a dask array of such matrices.

        Raises
        ------
        ValueError
            If `mode` is unknown, and for what :meth:`radius_neighbors` refuses.
        """
        check_mode(mode)
        shards = self._fitted()
        found, queries = self._within(shards, X, radius, filter, ids=False)
        return graph_of(shards, found, queries, mode, listed=True)

    def count_neighbors(self, X=None, radius=None, *, filter=None):
        """Count the items of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, `n_features_in_`), \
                default=None
            Queries. When None, every item of the database is a query, and does not
            count for itself.
        radius : int or float, default=None
            Distance, of codes in bits; the constructor's when None.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Count only these items, as :meth:`radius_neighbors` finds them.

        Returns
        -------
        counts : ndarray or dask array of shape (n_queries,), int64

        Raises
        ------
        ValueError
            For what :meth:`radius_neighbors` refuses.
        """
        shards = self._fitted()
        radius = self._radius(shards, radius)
        queries, rows = self._task(shards, X, filter)
        counts = self._ask_counts(shards, queries, radius, rows)
        return counts_listed(shards, counts, queries)

    def _nearest(self, shards, X, n_neighbors, filter, ids):
        """A task for each piece of queries, and queries and number of neighbours."""
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        queries, rows = self._task(shards, X, filter, k)
        candidates = len(shards) if rows is None else sum(map(len, rows))
        check_n_neighbors(k, candidates, len(queries), queries.itself)
        found = self._ask_nearest(shards, queries, k + queries.itself, rows, ids)
        return of_others(shards, queries, found, without_self), queries, k

    def _within(self, shards, X, radius, filter, ids):
        """A task for each piece of queries, and the queries."""
        radius = self._radius(shards, radius)
        queries, rows = self._task(shards, X, filter)
        found = self._ask_within(shards, queries, radius, rows, ids)
        return of_others(shards, queries, found, within_without_self), queries

    def _radius(self, shards, radius):
        """A checked radius; the constructor's for None."""
        return self._check_radius(shards, self.radius if radius is None else radius)

    def _task(self, shards, X, filter, k=1):
        """Queries, and the rows of each shard that they are limited to."""
        if filter is not None and X is None:
            raise ValueError("filter needs queries: pass X, not None.")
        queries = self._queries(shards, X, k)
        if filter is None:
            return queries, None
        return queries, shards.by_shard(shards.rows_of(filter))
