"""The database of codes past one machine."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context

from skhash.distributed import _shard
from skhash.distributed._changes import ChangingShards
from skhash.distributed._chunks import here
from skhash.distributed._queries import Queries
from skhash.distributed._searches import SearchedShards
from skhash.distributed._shards import Shards
from skhash.distributed._tree import Nearest, all_within, total
from skhash.hamming.search import check_radius
from skhash.neighbors.shards import (
    ALGORITHM,
    N_NEIGHBORS,
    RADIUS,
    check_fit_radius,
    query_codes,
    warn_of_features,
)


class HammingNeighbors(ChangingShards, SearchedShards, BaseEstimator):
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

    _distances = np.int32

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

    def score(self, X, y, sample_weight=None):
        """Mean average precision of queries against the fitted database.

        Parameters
        ----------
        X : array-like or dask array of shape (n_queries, n_bytes)
            Query codes.
        y : array-like or dask array of shape (n_queries,) or (n_queries, n_classes)
            Their labels, of the fitted labels' kind.
        sample_weight : array-like of shape (n_queries,), default=None
            Weights of the queries in the mean.

        Returns
        -------
        score : float
            From 0 to 1; that of :class:`skhash.HammingNeighbors`, to the last bit.

        Raises
        ------
        ValueError
            If the database was fitted without labels.
        """
        shards = self._fitted()
        if not shards.has_labels:
            raise ValueError(
                "score measures retrieval by label: fit the database with labels, "
                "`fit(X, y)`."
            )
        queries = query_codes(self, here(X), shards.n_bytes)
        from skhash.metrics import mean_average_precision
        from skhash.metrics.averages import advice_on_folds

        with advice_on_folds(y):
            return mean_average_precision(
                queries, shards, y, sample_weight=sample_weight
            )

    def info(self):
        """Say what the fitted database is, and what lies where.

        Returns
        -------
        info : dict
            ``n_samples_fit``, ``n_bytes_per_code``, ``codes_bytes``, ``index_bytes``
            (memory beyond the codes), and ``shards``: for each its ``chunk``,
            ``n_samples``, ``algorithm`` and ``workers``.
        """
        shards = self._fitted()
        return {
            "n_samples_fit": len(shards),
            "n_bytes_per_code": shards.n_bytes,
            "codes_bytes": sum(each.codes_bytes for each in shards.facts),
            "index_bytes": sum(each.index_bytes for each in shards.facts),
            "shards": self._placed("algorithm"),
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        return tags

    def _queries(self, shards, X, k):
        k = k if isinstance(k, int) and k > 0 else 1  # refused later, if it is not
        return Queries.of(self, shards, X, k)

    def _check_radius(self, shards, radius):
        return check_radius(radius)

    def _ask_nearest(self, shards, queries, k, rows, ids):
        task = _shard.nearest, Nearest(k)
        return [shards.ask(*task, q, k, rows=rows, ids=ids) for q in queries.pieces]

    def _ask_within(self, shards, queries, radius, rows, ids):
        task, options = (_shard.within, all_within), {"rows": rows, "ids": ids}
        return [shards.ask(*task, q, radius, **options) for q in queries.pieces]

    def _ask_counts(self, shards, queries, radius, rows):
        task = _shard.count, total
        counts = [shards.ask(*task, q, radius, rows=rows) for q in queries.pieces]
        if not queries.itself:
            return counts
        without_one = shards.cluster.dask.delayed(_shard.without_one, pure=True)
        return [without_one(each) for each in counts]

    def _to_add(self, shards, X):
        codes = query_codes(self, X, shards.n_bytes)
        if not shards.on_bits:
            warn_of_features(codes, type(self).__name__)
        return codes
