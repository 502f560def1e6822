"""The database of codes that is asked for neighbours."""

from typing import ClassVar

from sklearn.base import BaseEstimator, _fit_context

from skhash.hamming.search import check_radius
from skhash.neighbors._changes import ChangingCodes
from skhash.neighbors._database import as_labels, make_database
from skhash.neighbors._ids import check_ids
from skhash.neighbors._pairs import pairs_within
from skhash.neighbors._radius import RadiusNeighborsMixin
from skhash.neighbors._search import KNeighborsMixin
from skhash.neighbors._validation import (
    ALGORITHM,
    N_JOBS,
    N_NEIGHBORS,
    RADIUS,
    check_fit_radius,
    fit_codes,
    query_codes,
)


class HammingNeighbors(
    ChangingCodes, KNeighborsMixin, RadiusNeighborsMixin, BaseEstimator
):
    """Exact nearest neighbours among binary codes.

    The methods and arguments are those of
    :class:`~sklearn.neighbors.NearestNeighbors`. Distances are numbers of differing
    bits, and neighbours at equal distance come in order of their index.

    As the last step of a pipeline after an encoder, ``score`` is the mean average
    precision of the queries against the fitted database, so that a grid search ranks
    by retrieval. Such a pipeline is no classifier: pass
    ``cv=StratifiedKFold(..., shuffle=True)`` when labels come sorted.

    Any number of threads may query at once, also while codes are added or removed.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours that :meth:`kneighbors` finds.
    radius : int, default=2
        Distance in bits within which :meth:`radius_neighbors` finds, inclusive. A whole
        number; 2.0 will do.
    algorithm : {"auto", "brute", "grouped", "multi_index", "pivot", "torch"}, \
            default="auto"
        How to search; answers do not depend on it. "brute" compares queries with
        every code and copies nothing. "grouped" compares each distinct code once,
        which pays where codes repeat, as learned codes do. "pivot" hangs codes on
        nearby pivots and skips what the triangle inequality excludes, which pays for
        many codes in clusters. "multi_index" looks codes up by their substrings, which
        pays for small radii on codes of any kind. Queries that these two cannot help
        are answered by "brute". "torch" compares all codes on a GPU (by torch on the
        CPU where there is none). "auto" tries a sample of the codes and takes what
        pays.
    n_jobs : int, default=None
        Number of threads. None means all cores the process may use, within the limits
        of an active joblib context and of threadpoolctl, and one inside a worker.
        Answers do not depend on it.
    verbose : int, default=0
        1 shows how far a long search or graph is, and how long an index takes.

    Attributes
    ----------
    codes_ : ndarray of shape (`n_samples_fit_`, n_bytes), uint8
        The packed codes of the database; the caller's own memory when it was packed
        and C-contiguous.
    labels_ : ndarray of shape (`n_samples_fit_`,), bool ndarray or CSR array of shape \
            (`n_samples_fit_`, n_classes), or None
        The labels given to `fit`; label sets as 0/1 in bool.
    ids_ : ndarray of shape (`n_samples_fit_`,) or None
        The ids given to `fit`.
    n_samples_fit_ : int
        Number of codes in the database.
    n_features_in_ : int
        Number of columns seen in `fit`: bytes of packed codes, or bits.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are strings.

    See Also
    --------
    HammingNeighborsClassifier : Vote of the neighbours.
    HammingNeighborsTransformer : Graph of neighbours for other estimators.
    skhash.hamming.nearest : The same search as a function.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.neighbors import HammingNeighbors
    >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
    >>> neighbors = HammingNeighbors(n_neighbors=1).fit(database, ["a", "b", "b"])
    >>> neighbors.kneighbors(np.array([[0b010]], dtype=np.uint8))
    (array([[1]], dtype=int32), array([[0]]))
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": N_NEIGHBORS,
        "radius": RADIUS,
        "algorithm": ALGORITHM,
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
    }

    def __init__(
        self, n_neighbors=5, radius=2, *, algorithm="auto", n_jobs=None, verbose=0
    ):
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.algorithm = algorithm
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, ids=None):
        """Take the codes of a database.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_bytes)
            Codes: packed uint8, or bool bits, or integers from 0 to 255. Packed
            C-contiguous arrays and memory maps are not copied. Features that are such
            integers, pixels for instance, are told by a warning, from 24 columns on.
            A database may begin empty: ``np.empty((0, n_bytes), np.uint8)``.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Labels, or label sets as a 0/1 matrix, which may be sparse; for
            :meth:`score`.
        ids : array-like of shape (n_samples,), default=None
            Unique names of the codes, returned instead of row numbers: integers of any
            size, or floats, strings, bytes, dates, UUIDs or other hashable objects, all
            of one kind and none of them missing. Each comes back equal to the one
            given. True and False are no ids, since they make a mask.

        Returns
        -------
        self : HammingNeighbors

        Raises
        ------
        ValueError
            If `X` does not hold codes, `y` or `ids` do not fit, or a parameter is out
            of its range. A former fit then stays as it was.
        """
        check_fit_radius(self.radius)
        codes, seen = fit_codes(self, X)
        labels, ids = as_labels(y, codes), check_ids(ids, len(codes))
        database = make_database(
            codes, labels, ids, self.algorithm, self.n_jobs, self.verbose
        )
        return self._take(database, seen)

    def info(self):
        """Say what the fitted database is, what it takes, and how it is searched.

        Returns
        -------
        info : dict
            ``n_samples_fit``, ``n_bytes_per_code``, ``algorithm`` (the one chosen
            where that is "auto"), ``codes_bytes``, ``index_bytes`` (memory beyond the
            codes), ``build_seconds``.
        """
        database = self._fitted()
        return {
            "n_samples_fit": len(database),
            "n_bytes_per_code": database.codes.shape[1],
            "algorithm": database.searcher.name,
            "codes_bytes": database.codes.nbytes,
            "index_bytes": database.searcher.n_bytes,
            "build_seconds": database.build_seconds,
        }

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
        return pairs_within(database, radius, self.n_jobs, self.verbose)

    def score(self, X, y, sample_weight=None):
        """Mean average precision of queries against the fitted database.

        Equal distances count with their expected precision over all orders; queries
        without any relevant item are left out, with a warning.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes)
            Query codes.
        y : array-like of shape (n_queries,) or (n_queries, n_classes)
            Their labels, of the fitted labels' kind.
        sample_weight : array-like of shape (n_queries,), default=None
            Weights of the queries in the mean.

        Returns
        -------
        score : float
            From 0 to 1.

        Raises
        ------
        ValueError
            If the database was fitted without labels.

        See Also
        --------
        skhash.metrics.mean_average_precision : The same with all its options.
        """
        database = self._fitted()
        if database.labels is None:
            raise ValueError(
                "score measures retrieval by label: fit the database with labels, "
                "`fit(X, y)`."
            )
        queries = query_codes(self, X, database.codes.shape[1])
        # Here, since most searches need no metric.
        from skhash.metrics import mean_average_precision
        from skhash.metrics.averages import advice_on_folds

        with advice_on_folds(y):
            return mean_average_precision(
                queries,
                database.codes,
                y,
                database.labels,
                sample_weight=sample_weight,
                n_jobs=self.n_jobs,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        return tags
