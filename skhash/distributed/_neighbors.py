"""The database of codes past one machine."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context

from skhash.distributed import _shard
from skhash.distributed._changes import ChangingShards
from skhash.distributed._graph import (
    counts_listed,
    graph_of,
    nearest_listed,
    of_others,
    within_listed,
)
from skhash.distributed._queries import Queries
from skhash.distributed._shards import Shards
from skhash.distributed._tree import Nearest, all_within, total
from skhash.hamming.search import check_radius
from skhash.neighbors.shards import (
    ALGORITHM,
    N_NEIGHBORS,
    RADIUS,
    check_fit_radius,
    check_mode,
    check_n_neighbors,
)


class HammingNeighbors(ChangingShards, BaseEstimator):
    """Exact nearest neighbours among binary codes that lie on many machines.

    The methods of :class:`skhash.HammingNeighbors` on a dask array: each chunk is a
    shard with an index of its own, which stays on its worker. Queries go to all shards,
    and the answers are merged by (distance, row) on the workers. They are those of one
    array, to the last bit, whatever the number of chunks and workers, and also where
    workers are lost: others read the lost chunks again.

    Where a :class:`distributed.Client` is there, its cluster is used; else the threads
    of this process.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours that :meth:`kneighbors` finds.
    radius : int, default=2
        Distance in bits within which :meth:`radius_neighbors` finds, inclusive.
    algorithm : {"auto", "brute", "grouped", "multi_index", "pivot", "torch"}, \
            default="auto"
        How each shard is searched, as in :class:`skhash.HammingNeighbors`; "auto"
        chooses for each shard.
    verbose : int, default=0
        1 says after a fit what lies where.

    Attributes
    ----------
    codes_ : dask array of shape (`n_samples_fit_`, n_bytes), uint8
        The packed codes of the database, in order of insertion.
    labels_ : dask array of shape (`n_samples_fit_`,) or (`n_samples_fit_`, \
            n_classes), or None
        The labels given to `fit`.
    ids_ : dask array of shape (`n_samples_fit_`,) or None
        The ids given to `fit`.
    n_samples_fit_ : int
        Number of codes in the database.
    n_features_in_ : int
        Number of columns seen in `fit`: bytes of packed codes, or bits.

    See Also
    --------
    skhash.HammingNeighbors : The same in one process, for codes that fit there.
    ShardedCodes : Codes in shards for metrics.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from skhash.distributed import HammingNeighbors
    >>> codes = da.from_array(np.array([[0b000], [0b011], [0b111]], np.uint8), chunks=2)
    >>> neighbors = HammingNeighbors(n_neighbors=1).fit(codes, ["a", "b", "b"])
    >>> neighbors.kneighbors(np.array([[0b110]], dtype=np.uint8))
    (array([[1]], dtype=int32), array([[2]]))
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": N_NEIGHBORS,
        "radius": RADIUS,
        "algorithm": ALGORITHM,
        "verbose": ["verbose"],
    }

    def __init__(self, n_neighbors=5, radius=2, *, algorithm="auto", verbose=0):
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.algorithm = algorithm
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, ids=None):
        """Take the codes of a database, each chunk as a shard.

        Parameters
        ----------
        X : dask array of shape (n_samples, n_bytes)
            Packed codes (uint8), or bits (bool).
        y : dask array or array-like of shape (n_samples,) or (n_samples, n_classes), \
                default=None
            Labels, or label sets as 0 and 1; for :meth:`score`.
        ids : dask array or array-like of shape (n_samples,), default=None
            Unique names of the codes, which stay with their shards.

        Returns
        -------
        self : HammingNeighbors

        Raises
        ------
        TypeError
            If `X` is no dask array.
        ValueError
            If `X` has chunks of unknown sizes, `y` or `ids` do not fit, an id is there
            twice, or a parameter is out of its range. A former fit stays as it was.
        ChunkError
            If a chunk cannot be read, or is not what the array says it is; the message
            names the chunk and its worker.
        """
        check_fit_radius(self.radius)
        shards = Shards(X, y, ids, self.algorithm)
        self._shards, self.n_features_in_ = shards, shards.n_columns
        self._fit_on_bits = shards.on_bits
        if self.verbose:
            print(self._told())
        return self

    def kneighbors(
        self, X=None, n_neighbors=None, return_distance=True, *, filter=None
    ):
        """Find the nearest codes of the database, exactly.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these codes, as in :class:`skhash.HammingNeighbors`.

        Returns
        -------
        distances : ndarray or dask array of shape (n_queries, n_neighbors), int32
            In bits, ascending. Only if `return_distance`. Arrays for arrays; dask
            arrays, computed when they are asked for, for dask arrays and for None.
        indices : ndarray or dask array of shape (n_queries, n_neighbors)
            Rows of the database, int64, or the ids given to `fit`; equal distances in
            order of insertion.

        Raises
        ------
        ValueError
            For what :class:`skhash.HammingNeighbors` refuses.
        ClusterClosed
            If the cluster of the fit is gone.
        """
        shards = self._fitted()
        found, queries, k = self._nearest(shards, X, n_neighbors, filter, ids=True)
        distances, indices = nearest_listed(shards, found, queries, k, np.int32)
        return (distances, indices) if return_distance else indices

    def _nearest(self, shards, X, n_neighbors, filter, ids):
        """A task for each piece of queries, and queries and number of neighbours."""
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        queries, rows = self._task(shards, X, filter, k)
        candidates = len(shards) if rows is None else sum(map(len, rows))
        check_n_neighbors(k, candidates, len(queries), queries.itself)
        wanted = k + queries.itself
        found = [
            shards.ask(
                _shard.nearest, Nearest(wanted), piece, wanted, rows=rows, ids=ids
            )
            for piece in queries.pieces
        ]
        return of_others(shards, queries, found, _shard.without_self), queries, k

    def _task(self, shards, X, filter, k=1):
        """Queries, and the rows of each shard that they are limited to."""
        if filter is not None and X is None:
            raise ValueError("filter needs queries: pass X, not None.")
        k = k if isinstance(k, int) and k > 0 else 1  # refused later, if it is not
        queries = Queries.of(self, shards, X, k)
        if filter is None:
            return queries, None
        return queries, shards.by_shard(shards.rows_of(filter))

    def kneighbors_graph(
        self, X=None, n_neighbors=None, mode="connectivity", *, filter=None
    ):
        """Build the sparse graph of the nearest neighbours.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_bytes), default=None
            Query codes, as in :meth:`kneighbors`.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances in bits. Zero distances are stored.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these codes.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Each row's neighbours in order of distance; for dask arrays and None a dask
            array of such matrices.

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
        """Find all codes of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_bytes), default=None
            Query codes, as in :meth:`kneighbors`.
        radius : int, default=None
            In bits; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: results always come in order of
            distance, equal distances in order of insertion.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these codes.

        Returns
        -------
        distances : ndarray or dask array of shape (n_queries,) of arrays, int32
            In bits, ascending. Only if `return_distance`.
        indices : ndarray or dask array of shape (n_queries,) of arrays
            Rows of the database, int64, or the ids given to `fit`.

        Raises
        ------
        ValueError
            If the radius is negative, and for what :meth:`kneighbors` refuses.
        """
        shards = self._fitted()
        found, queries = self._within(shards, X, radius, filter, ids=True)
        both = within_listed(shards, found, queries)
        return both if return_distance else both[1]

    def _within(self, shards, X, radius, filter, ids):
        """A task for each piece of queries, and the queries."""
        radius = check_radius(self.radius if radius is None else radius)
        queries, rows = self._task(shards, X, filter)
        found = [
            shards.ask(_shard.within, all_within, piece, radius, rows=rows, ids=ids)
            for piece in queries.pieces
        ]
        drop = _shard.within_without_self
        return of_others(shards, queries, found, drop), queries

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
        X : array-like or dask array of shape (n_queries, n_bytes), default=None
            Query codes, as in :meth:`kneighbors`.
        radius : int, default=None
            In bits; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances in bits. Zero distances are stored.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: rows always come in order of distance.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these codes.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            For dask arrays and None a dask array of such matrices.

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
        """Count the codes of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_bytes), default=None
            Query codes, as in :meth:`kneighbors`.
        radius : int, default=None
            In bits; the constructor's when None.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Count only these codes.

        Returns
        -------
        counts : ndarray or dask array of shape (n_queries,), int64

        Raises
        ------
        ValueError
            If the radius is negative, and for what :meth:`kneighbors` refuses.
        """
        shards = self._fitted()
        radius = check_radius(self.radius if radius is None else radius)
        queries, rows = self._task(shards, X, filter)
        counts = [
            shards.ask(_shard.count, total, piece, radius, rows=rows)
            for piece in queries.pieces
        ]
        return counts_listed(shards, counts, queries)
