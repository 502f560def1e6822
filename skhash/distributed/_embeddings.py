"""The database of float vectors past one machine."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context

from skhash.distributed import _vector_queries, _vector_shard
from skhash.distributed._chunks import is_dask
from skhash.distributed._fitted import FittedShards
from skhash.distributed._graph import (
    counts_listed,
    graph_of,
    nearest_listed,
    of_others,
    within_listed,
)
from skhash.distributed._queries import Queries, as_dask, empty
from skhash.distributed._reading import Reading, nearest_read
from skhash.distributed._shard import within_without_self, without_self
from skhash.distributed._tree import Nearest, all_within
from skhash.distributed._vector_queries import query_chunks, vector_queries
from skhash.distributed._vector_shards import VectorShards
from skhash.neighbors.shards import check_mode, check_n_neighbors
from skhash.neighbors.vector_shards import FACTORS_BYTES, check_distance, checked
from skhash.neighbors.vector_shards import EmbeddingNeighbors as Local


class EmbeddingNeighbors(FittedShards, BaseEstimator):
    """Nearest neighbours among float vectors that lie on many machines.

    The searches of :class:`skhash.EmbeddingNeighbors` on a dask array: each chunk is a
    shard, whose codes and vectors stay on its worker, and are read there. Vectors are
    read by bounds, in an order that goes over all shards, so that the answers are those
    of one array (C-contiguous), to the last bit, whatever the number of chunks and
    workers, and also where workers are lost: others read the lost chunks again.

    The encoder sees the rows in the blocks in which one process sees them. So it must
    learn block by block, as the default does, or be fitted already; those that multiply
    matrices may round otherwise in other batches.

    The database does not change once it is fitted: there is no `add` and no `remove`,
    and no `explain`, which :class:`skhash.EmbeddingNeighbors` has.

    Parameters
    ----------
    encoder : estimator, default=None
        What makes codes: :class:`~skhash.baselines.RotatedSigns` with a bit for each
        dimension or more, or a fitted encoder in
        :class:`~sklearn.frozen.FrozenEstimator`. None means
        ``RotatedSigns(random_state=0)``.
    n_neighbors : int, default=5
        Number of neighbours that :meth:`kneighbors` finds.
    radius : float, default=1.0
        Distance within which :meth:`radius_neighbors` finds, inclusive.
    metric : {"euclidean", "cosine", "inner_product"}, default="euclidean"
        Distance, as in :class:`skhash.EmbeddingNeighbors`.
    epsilon : float, default=1.9
        Confidence of the bounds, in standard deviations.
    query_bits : int, default=4
        Bits that a query's outputs are rounded to in the scan, from 1 to 8.
    vectors : {"keep", "float16", "int8"} or None, default="keep"
        The vectors that workers hold: as given; in 16 bits; in 8 bits, with a scale of
        each vector; or none, where distances are estimates. All but "keep" read the
        chunks three times in a fit, and never hold all of them.
    verbose : int, default=0
        1 says after a fit what lies where.

    Attributes
    ----------
    encoder_ : estimator
        The fitted encoder.
    codes_ : dask array of shape (`n_samples_fit_`, n_bytes), uint8
        The packed codes of the database.
    labels_ : dask array of shape (`n_samples_fit_`,) or (`n_samples_fit_`, \
            n_classes), or None
        The labels given to `fit`.
    ids_ : dask array of shape (`n_samples_fit_`,) or None
        The ids given to `fit`.
    n_samples_fit_ : int
        Number of vectors in the database.
    n_features_in_ : int
        Number of dimensions.

    See Also
    --------
    skhash.EmbeddingNeighbors : The same in one process.
    HammingNeighbors : Exact search of codes in shards.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import load_digits
    >>> from skhash.distributed import EmbeddingNeighbors
    >>> X, _ = load_digits(return_X_y=True)
    >>> vectors = da.from_array(X[:1500], chunks=(400, 64))
    >>> neighbors = EmbeddingNeighbors(n_neighbors=3, metric="cosine").fit(vectors)
    >>> distances, indices = neighbors.kneighbors(X[1500:1502])
    >>> indices
    array([[1416, 1426, 1288],
           [ 820,  783, 1458]])
    """

    _parameter_constraints: ClassVar[dict] = {
        name: rule
        for name, rule in Local._parameter_constraints.items()
        if name != "n_jobs"
    }

    def __init__(
        self,
        encoder=None,
        *,
        n_neighbors=5,
        radius=1.0,
        metric="euclidean",
        epsilon=1.9,
        query_bits=4,
        vectors="keep",
        verbose=0,
    ):
        self.encoder = encoder
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.metric = metric
        self.epsilon = epsilon
        self.query_bits = query_bits
        self.vectors = vectors
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, ids=None):
        """Take the vectors of a database, each chunk as a shard, and encode them.

        Parameters
        ----------
        X : dask array of shape (n_samples, n_features)
            Vectors of any real dtype, in chunks of rows.
        y : dask array or array-like of shape (n_samples,) or (n_samples, n_classes), \
                default=None
            Labels, or label sets, for scorers that need them.
        ids : dask array or array-like of shape (n_samples,), default=None
            Unique names of the vectors, which stay with their shards.

        Returns
        -------
        self : EmbeddingNeighbors

        Raises
        ------
        TypeError
            If `X` is no dask array.
        ValueError
            If `X` has chunks of unknown sizes or no rows, the encoder learns from all
            vectors at once, `y` or `ids` do not fit, an id is there twice, or a
            parameter is out of its range. A former fit stays as it was.
        ChunkError
            If a chunk cannot be read, is not what the array says it is, or holds NaN,
            infinity or values that the encoder or float16 cannot hold; the message
            names the chunk and its worker.
        """
        self._shards = VectorShards(X, y, ids, self)
        self.n_features_in_ = self._shards.n_columns
        if self.verbose:
            print(self._told())
        return self

    @property
    def encoder_(self):
        """The fitted encoder."""
        return self._of_shards("model")[0]

    def kneighbors(
        self, X=None, n_neighbors=None, return_distance=True, *, filter=None
    ):
        """Find the nearest vectors of the database.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_features), default=None
            Queries. When None, every vector of the database is a query, and is not its
            own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these vectors, as in :class:`skhash.EmbeddingNeighbors`.

        Returns
        -------
        distances : ndarray or dask array of shape (n_queries, n_neighbors), float64
            Ascending; estimates where no vectors are kept. Only if `return_distance`.
            Arrays for arrays; dask arrays, computed when they are asked for, for dask
            arrays and for None.
        indices : ndarray or dask array of shape (n_queries, n_neighbors)
            Rows of the database, int64, or the ids given to `fit`; equal distances in
            order of insertion.

        Raises
        ------
        ValueError
            For what :class:`skhash.EmbeddingNeighbors` refuses.
        ClusterClosed
            If the cluster of the fit is gone.
        """
        shards = self._fitted()
        found, queries, k = self._nearest(shards, X, n_neighbors, filter, ids=True)
        pair = nearest_listed(shards, found, queries, k, np.float64)
        return pair if return_distance else pair[1]

    def kneighbors_graph(
        self, X=None, n_neighbors=None, mode="connectivity", *, filter=None
    ):
        """Build the sparse graph of the nearest neighbours.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_features), default=None
            Queries, as in :meth:`kneighbors`.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances. Zero distances are stored.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these vectors.

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
        """Find the vectors of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_features), default=None
            Queries, as in :meth:`kneighbors`.
        radius : float, default=None
            Distance; the constructor's when None. Below zero only of "inner_product".
        return_distance : bool, default=True
            Whether to return distances.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: results always come in order of
            distance, equal distances in order of insertion.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these vectors.

        Returns
        -------
        distances : ndarray or dask array of shape (n_queries,) of arrays, float64
            Ascending; estimates where no vectors are kept. Only if `return_distance`.
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
        """Build the sparse graph of the neighbours within a radius, inclusive.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_features), default=None
            Queries, as in :meth:`kneighbors`.
        radius : float, default=None
            Distance; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances. Zero distances are stored.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: rows always come in order of distance.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Search only these vectors.

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
        """Count the vectors of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_features), default=None
            Queries, as in :meth:`kneighbors`.
        radius : float, default=None
            Distance; the constructor's when None.
        filter : array-like or dask array of shape (n_samples_fit,), bool, or \
                collection of ids, default=None
            Count only these vectors, as :meth:`radius_neighbors` finds them.

        Returns
        -------
        counts : ndarray or dask array of shape (n_queries,), int64

        Raises
        ------
        ValueError
            For what :meth:`radius_neighbors` refuses.
        """
        shards = self._fitted()
        found, queries = self._within(shards, X, radius, filter, ids=False)
        of_each = shards.cluster.dask.delayed(_vector_queries.numbers, pure=True)
        counts = [of_each(each) for each in found]
        return counts_listed(shards, counts, Queries(*queries[:3]))

    def encode(self, X):
        """The codes of vectors, made as those of the database.

        Parameters
        ----------
        X : array-like or dask array of shape (n, n_features)
            Vectors.

        Returns
        -------
        codes : ndarray or dask array of shape (n, n_bytes), uint8
            Packed codes, to compare with `codes_` by Hamming distance.

        Raises
        ------
        ValueError
            If X does not hold vectors of the fitted width.
        """
        shards, encode = self._fitted(), _vector_queries.codes_of_chunk
        if not is_dask(X):
            return encode(checked(self, X), (*shards.model, shards.noise))
        chunks, sizes = query_chunks(shards, X)
        task = shards.cluster.dask.delayed(encode, pure=True)
        codes = [task(chunk, shards.model_task) for chunk in chunks]
        return as_dask(codes, sizes, (shards.n_bytes,), empty(np.uint8))

    def score(self, X, y=None):
        """Recall: share of the true nearest neighbours that :meth:`kneighbors` finds.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_features)
            Queries.
        y : Ignored
            Present for scikit-learn's signature.

        Returns
        -------
        recall : float
            From 0 to 1, at `n_neighbors`, against all vectors as they are kept.

        Raises
        ------
        ValueError
            If the vectors are not kept, or there are fewer than `n_neighbors`.
        """
        shards, k = self._fitted(), self.n_neighbors
        if shards.kind is None:
            raise ValueError(
                "Recall needs the vectors, of which vectors=None kept none: fit with "
                "vectors='keep', 'float16' or 'int8'."
            )
        queries = vector_queries(self, shards, X)
        check_n_neighbors(k, len(shards), len(queries), False)
        hits = shards.cluster.dask.delayed(_vector_queries.hits, pure=True)
        least = [
            shards.ask(_vector_shard.least, Nearest(k), piece, k)
            for piece in queries.pieces
        ]
        found = self._values(shards, queries, k, None, ids=False)
        tasks = [hits(*each, k) for each in zip(found, least, strict=True)]
        n_hits, n = sum(shards.compute(tasks))
        return float(n_hits / n)

    def info(self):
        """Say what the fitted database is, and what lies where.

        Returns
        -------
        info : dict
            ``n_samples_fit``, ``n_bytes_per_code``, ``codes_bytes``,
            ``factors_bytes``, ``vectors_bytes`` (of the kept vectors), and ``shards``:
            for each its ``chunk``, ``n_samples`` and ``workers``.
        """
        shards = self._fitted()
        places = shards.cluster.places(shards.shards)
        given = zip(shards.names, shards.sizes, places, strict=True)
        beside = sum(each.index_bytes for each in shards.facts)
        factors_bytes = len(shards) * FACTORS_BYTES
        return {
            "n_samples_fit": len(shards),
            "n_bytes_per_code": shards.n_bytes,
            "codes_bytes": sum(each.codes_bytes for each in shards.facts),
            "factors_bytes": factors_bytes,
            "vectors_bytes": beside - factors_bytes,
            "shards": [
                {"chunk": name, "n_samples": size, "workers": where}
                for name, size, where in given
            ],
        }

    def _nearest(self, shards, X, n_neighbors, filter, ids):
        """A task for each piece of queries, and queries and number of neighbours."""
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        queries, rows = self._task(shards, X, filter)
        candidates = len(shards) if rows is None else sum(map(len, rows))
        check_n_neighbors(k, candidates, len(queries), queries.itself)
        found = self._values(shards, queries, k + queries.itself, rows, ids)
        found = of_others(shards, queries, found, without_self)
        in_distances = _vector_queries.nearest_in_distances
        measured = shards.cluster.dask.delayed(in_distances, pure=True)
        return [measured(each, shards.metric) for each in found], queries, k

    def _values(self, shards, queries, k, rows, ids):
        """Values and neighbours, in the order of one search, of each piece."""
        delayed = shards.cluster.dask.delayed
        options = {"rows": rows, "ids": ids}
        if shards.kind is None:
            ended = delayed(_vector_queries.values_of_estimates, pure=True)
            ask, merge = _vector_shard.estimated, Nearest(k)
            return [
                ended(shards.ask(ask, merge, piece, k, **options), piece)
                for piece in queries.pieces
            ]
        ended = delayed(nearest_read, pure=True)
        ask, merge = _vector_shard.nearest, Reading(k)
        return [
            ended(shards.ask(ask, merge, piece, k, **options), k)
            for piece in queries.pieces
        ]

    def _within(self, shards, X, radius, filter, ids):
        """A task for each piece of queries, and the queries."""
        radius = self.radius if radius is None else radius
        radius = check_distance(radius, shards.metric)
        value = radius**2 if shards.metric == "euclidean" else radius
        queries, rows = self._task(shards, X, filter)
        ask, options = _vector_shard.within, {"rows": rows, "ids": ids}
        found = [
            shards.ask(ask, all_within, piece, value, **options)
            for piece in queries.pieces
        ]
        found = of_others(shards, queries, found, within_without_self)
        in_distances = _vector_queries.within_in_distances
        measured = shards.cluster.dask.delayed(in_distances, pure=True)
        return [measured(each, shards.metric) for each in found], queries

    def _task(self, shards, X, filter):
        """Queries, and the rows of each shard that they are limited to."""
        if X is None and filter is not None:
            raise ValueError("filter needs queries: pass X, not None.")
        if X is None and shards.kind is None:
            raise ValueError(
                "X=None asks for the neighbours of the database itself, of which "
                "vectors=None kept no vectors: pass them as X, or fit with "
                "vectors='keep', 'float16' or 'int8'."
            )
        queries = vector_queries(self, shards, X)
        if filter is None:
            return queries, None
        return queries, shards.by_shard(shards.rows_of(filter))
