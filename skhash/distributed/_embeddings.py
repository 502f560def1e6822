"""The database of float vectors past one machine."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context

from skhash.distributed import _vector_queries, _vector_recall, _vector_shard
from skhash.distributed._changes import ChangingShards
from skhash.distributed._chunks import here, is_dask
from skhash.distributed._graph import of_others
from skhash.distributed._queries import as_dask, empty
from skhash.distributed._reading import Reading, nearest_read
from skhash.distributed._searches import SearchedShards
from skhash.distributed._shard import within_without_self
from skhash.distributed._tree import Nearest, all_within
from skhash.distributed._vector_queries import query_chunks, vector_queries
from skhash.distributed._vector_shards import VectorShards
from skhash.neighbors.shards import check_n_neighbors
from skhash.neighbors.vector_shards import FACTORS_BYTES, check_distance, checked
from skhash.neighbors.vector_shards import EmbeddingNeighbors as Local


class EmbeddingNeighbors(ChangingShards, SearchedShards, BaseEstimator):
    """Nearest neighbours among float vectors that lie on many machines.

    The methods of :class:`skhash.EmbeddingNeighbors` on a dask array: each chunk is a
    shard, whose codes and vectors stay on its worker, and are read there. Vectors are
    read by bounds, in an order that goes over all shards, so that the answers are those
    of one array (C-contiguous), to the last bit, whatever the number of chunks and
    workers, and also where workers are lost: others read the lost chunks again.

    The encoder sees the rows in the blocks in which one process sees them. So it must
    learn block by block, as the default does, or be fitted already; those that multiply
    matrices may round otherwise in other batches.

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

    _distances = np.float64

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
            return encode(checked(self, X), shards.model)
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
        shards, queries = self._recall_task(X)
        k = self.n_neighbors
        found = self._values(shards, queries, k, None, ids=False)
        return _vector_recall.recall(shards, queries, found, k)

    def explain(self, X):
        """Say which stage of a search loses neighbours.

        Shards are asked one after the other, since all vectors are compared in the
        blocks of one process.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_features)
            Queries.

        Returns
        -------
        report : dict of float
            What :meth:`skhash.EmbeddingNeighbors.explain` returns.

        Raises
        ------
        ValueError
            As :meth:`score`.

        Examples
        --------
        >>> import dask.array as da
        >>> from sklearn.datasets import load_digits
        >>> from skhash.distributed import EmbeddingNeighbors
        >>> X, _ = load_digits(return_X_y=True)
        >>> vectors = da.from_array(X[:1500], chunks=(400, 64))
        >>> report = EmbeddingNeighbors().fit(vectors).explain(X[1500:])
        >>> report["recall_centred"] > report["recall_bits"]
        True
        """
        shards, queries = self._recall_task(X)
        X = checked(self, here(X))
        k = self.n_neighbors
        found = self._read(shards, queries, k, None, ids=False)
        options = self.epsilon, self.query_bits
        return _vector_recall.stage_recalls(shards, X, found, k, *options)

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
        beside = sum(each.index_bytes for each in shards.facts)
        factors_bytes = len(shards) * FACTORS_BYTES
        return {
            "n_samples_fit": len(shards),
            "n_bytes_per_code": shards.n_bytes,
            "codes_bytes": sum(each.codes_bytes for each in shards.facts),
            "factors_bytes": factors_bytes,
            "vectors_bytes": beside - factors_bytes,
            "shards": self._placed(),
        }

    def _to_add(self, shards, X):
        return checked(self, X)

    def _queries(self, shards, X, k):
        if X is None and shards.kind is None:
            raise ValueError(
                "X=None asks for the neighbours of the database itself, of which "
                "vectors=None kept no vectors: pass them as X, or fit with "
                "vectors='keep', 'float16' or 'int8'."
            )
        return vector_queries(self, shards, X)

    def _check_radius(self, shards, radius):
        return check_distance(radius, shards.metric)

    def _ask_nearest(self, shards, queries, k, rows, ids):
        in_distances = _vector_queries.nearest_in_distances
        measured = shards.cluster.dask.delayed(in_distances, pure=True)
        found = self._values(shards, queries, k, rows, ids)
        return [measured(each, shards.metric) for each in found]

    def _values(self, shards, queries, k, rows, ids):
        """Values and neighbours, in the order of one search, of each piece."""
        delayed = shards.cluster.dask.delayed
        if shards.kind is not None:
            ended = delayed(nearest_read, pure=True)
            found = self._read(shards, queries, k, rows, ids)
            return [ended(each, k) for each in found]
        ended = delayed(_vector_queries.values_of_estimates, pure=True)
        task = _vector_shard.estimated, Nearest(k)
        return [
            ended(shards.ask(*task, piece, k, rows=rows, ids=ids), piece)
            for piece in queries.pieces
        ]

    def _read(self, shards, queries, k, rows, ids):
        """What is read for the k nearest, of each piece."""
        task = _vector_shard.nearest, Reading(k)
        return [shards.ask(*task, p, k, rows=rows, ids=ids) for p in queries.pieces]

    def _ask_within(self, shards, queries, radius, rows, ids):
        value = radius**2 if shards.metric == "euclidean" else radius
        in_distances = _vector_queries.within_in_distances
        measured = shards.cluster.dask.delayed(in_distances, pure=True)
        task, options = (_vector_shard.within, all_within), {"rows": rows, "ids": ids}
        found = [shards.ask(*task, p, value, **options) for p in queries.pieces]
        return [measured(each, shards.metric) for each in found]

    def _ask_counts(self, shards, queries, radius, rows):
        # An item may be farther than the radius from itself: it is dropped by its row.
        found = self._ask_within(shards, queries, radius, rows, ids=False)
        found = of_others(shards, queries, found, within_without_self)
        of_each = shards.cluster.dask.delayed(_vector_queries.numbers, pure=True)
        return [of_each(each) for each in found]

    def _recall_task(self, X):
        """The shards and the queries of a measure of recall, which needs vectors."""
        shards = self._fitted()
        if shards.kind is None:
            raise ValueError(
                "Recall needs the vectors, of which vectors=None kept none: fit with "
                "vectors='keep', 'float16' or 'int8'."
            )
        queries = vector_queries(self, shards, X)
        check_n_neighbors(self.n_neighbors, len(shards), len(queries), False)
        return shards, queries
