"""Nearest neighbours among float vectors, by their codes."""

from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skhash.hamming import pack
from skhash.neighbors._database import as_labels
from skhash.neighbors._embedding_changes import ChangingVectors
from skhash.neighbors._embedding_database import make_database
from skhash.neighbors._embedding_methods import VectorSearch
from skhash.neighbors._embedding_search import Scanned
from skhash.neighbors._encoding import real_outputs
from skhash.neighbors._ids import check_ids
from skhash.neighbors._recall import search_recall, stage_recalls
from skhash.neighbors._validation import N_JOBS, N_NEIGHBORS, check_n_neighbors
from skhash.neighbors._vector_input import checked, fit_vectors, seen_by

_QUERY_BITS = [Interval(Integral, 1, 8, closed="both")]


class EmbeddingNeighbors(ChangingVectors, VectorSearch, BaseEstimator):
    """Nearest neighbours among float vectors: scan short codes, read few vectors.

    The methods and arguments are those of
    :class:`~sklearn.neighbors.NearestNeighbors`, and so are the distances: of vectors
    that are read, in float64. Which ones are read is decided by a bound below each
    distance, which the codes give. There is no number of candidates to choose: reading
    ends when no unread vector can be among the nearest, at a confidence of `epsilon`.

    Any number of threads may query at once, also while vectors are added or removed.

    Parameters
    ----------
    encoder : estimator, default=None
        What makes codes, fitted as a clone, on vectors of length 1 under "cosine": a
        transformer of :mod:`skhash.baselines`, :class:`~skhash.DeepHashEncoder`, or
        another with real outputs. One that is fitted already comes in
        :class:`~sklearn.frozen.FrozenEstimator`. None means
        ``RotatedSigns(random_state=0)``: one bit a dimension.
    n_neighbors : int, default=5
        Number of neighbours that :meth:`kneighbors` finds.
    radius : float, default=1.0
        Distance within which :meth:`radius_neighbors` finds, inclusive.
    metric : {"euclidean", "cosine", "inner_product"}, default="euclidean"
        Distance: Euclidean; 1 - cos, which is 1 for zero vectors; or -<x, q>. All
        ascend.
    epsilon : float, default=1.9
        Confidence of the bounds, in standard deviations: a neighbour is missed where
        its code errs by more. 1.9 misses fewer than 3 of 100, and mostly far fewer,
        since a bound that errs is mostly low enough still. The root of the number of
        bits, less 1, misses none of the default encoder.
    query_bits : int, default=4
        Bits that a query's outputs are rounded to in the scan, from 1 to 8.
    vectors : {"keep", "float16", "int8"} or None, default="keep"
        The vectors that are read: as given, a reference and no copy, memory maps
        included; in 16 bits; in 8 bits, with a scale of each vector; or none, where
        distances are estimates. Bounds hold for the vectors given.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use. Answers do not
        depend on it.
    verbose : int, default=0
        1 shows how far a long fit or search is.

    Attributes
    ----------
    encoder_ : estimator
        The fitted encoder.
    codes_ : ndarray of shape (`n_samples_fit_`, n_bytes), uint8
        The packed codes of the database.
    labels_ : ndarray of shape (`n_samples_fit_`,), bool ndarray or CSR array of shape \
            (`n_samples_fit_`, n_classes), or None
        The labels given to `fit`.
    ids_ : ndarray of shape (`n_samples_fit_`,) or None
        The ids given to `fit`.
    n_samples_fit_ : int
        Number of vectors in the database.
    n_features_in_ : int
        Number of dimensions.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the dimensions, if all are strings.

    See Also
    --------
    HammingNeighbors : Exact search of codes.
    skhash.hamming.nearest_real : The scan as a function.

    Notes
    -----
    The default encoder has the bound of the paper, also with several bits a dimension
    (``RotatedSigns(n_bits=2 * d)``). For all others slope and error of the estimate are
    measured at `fit`, on at most 1000 items and their nearest among 5000.

    Answers of the default encoder are the same to the last bit for a query alone and
    among others, on any number of threads and on any machine. Encoders that multiply
    matrices may differ there in the last place, and so, rarely, in what is read.

    References
    ----------
    J. Gao, C. Long. RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical
    Error Bound for Approximate Nearest Neighbor Search. SIGMOD 2024. Section 3.2, and
    the reading by bounds of section 4.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skhash import EmbeddingNeighbors
    >>> X, _ = load_digits(return_X_y=True)
    >>> neighbors = EmbeddingNeighbors(n_neighbors=3, metric="cosine").fit(X[:1500])
    >>> distances, indices = neighbors.kneighbors(X[1500:1502])
    >>> indices
    array([[1416, 1426, 1288],
           [ 820,  783, 1458]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "encoder": [None, HasMethods("fit")],
        "n_neighbors": N_NEIGHBORS,
        "radius": [Interval(Real, None, None, closed="neither")],
        "metric": [StrOptions({"euclidean", "cosine", "inner_product"})],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "query_bits": _QUERY_BITS,
        "vectors": [None, StrOptions({"keep", "float16", "int8"})],
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
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
        n_jobs=None,
        verbose=0,
    ):
        self.encoder = encoder
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.metric = metric
        self.epsilon = epsilon
        self.query_bits = query_bits
        self.vectors = vectors
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, ids=None):
        """Take the vectors of a database, fit the encoder on them, and encode them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Vectors of any real dtype, or a tensor. C-contiguous arrays and memory maps
            are not copied with ``vectors="keep"``, and read in blocks.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Labels, or label sets, for encoders and scorers that need them.
        ids : array-like of shape (n_samples,), default=None
            Unique names of the vectors, as :class:`HammingNeighbors` takes them.

        Returns
        -------
        self : EmbeddingNeighbors

        Raises
        ------
        ValueError
            If X is sparse, holds NaN or infinity, or values that the encoder or
            float16 cannot hold, `y` or `ids` do not fit, or a parameter is out of its
            range. A former fit then stays as it was.
        """
        X, seen = fit_vectors(self, X)
        labels, ids = as_labels(y, X), check_ids(ids, len(X))
        return self._take(make_database(self, X, y, labels, ids), seen)

    @property
    def encoder_(self):
        """The fitted encoder."""
        return self._of_database("encoder")

    def encode(self, X):
        """The codes of vectors, made as those of the database.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Vectors.

        Returns
        -------
        codes : ndarray of shape (n, n_bytes), uint8
            Packed codes, to compare with `codes_` by Hamming distance.

        Raises
        ------
        ValueError
            If X does not hold vectors of the fitted width.
        """
        database = self._fitted()
        seen = seen_by(database.bounds.metric, checked(self, X))
        return pack(real_outputs(database.encoder, seen) > 0)

    def info(self):
        """Say what the fitted database is, and what it takes.

        Returns
        -------
        info : dict
            ``n_samples_fit``, ``n_bytes_per_code``, ``codes_bytes``,
            ``factors_bytes``, ``vectors_bytes`` (of the kept vectors, which may lie on
            a disk), ``build_seconds``.
        """
        database = self._fitted()
        kept = database.vectors
        return {
            "n_samples_fit": len(database),
            "n_bytes_per_code": database.codes.shape[1],
            "codes_bytes": database.codes.nbytes,
            "factors_bytes": database.table.nbytes,
            "vectors_bytes": 0 if kept is None else kept.nbytes,
            "build_seconds": database.build_seconds,
        }

    def score(self, X, y=None):
        """Recall: share of the true nearest neighbours that :meth:`kneighbors` finds.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Queries.
        y : Ignored
            Present for scikit-learn's signature; scorers of :mod:`skhash.metrics`
            measure retrieval by label.

        Returns
        -------
        recall : float
            From 0 to 1, at `n_neighbors`, against all vectors as they are kept.

        Raises
        ------
        ValueError
            If the vectors are not kept, or there are fewer than `n_neighbors`.
        """
        return search_recall(*self._recall_task(X))

    def explain(self, X):
        """Say which stage of a search loses neighbours.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Queries.

        Returns
        -------
        report : dict of float
            Recall at `n_neighbors` of the order by the encoder's real outputs of both
            sides (``recall_centred``), by codes and real queries (``recall_bits``), by
            codes and queries of `query_bits` (``recall_query_bits``); of the vectors
            read (``recall_candidates``) and of the answer (``recall``). And
            ``vectors_read``, on average of the queries.

        Raises
        ------
        ValueError
            As :meth:`score`.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skhash import EmbeddingNeighbors
        >>> X, _ = load_digits(return_X_y=True)
        >>> report = EmbeddingNeighbors().fit(X[:1500]).explain(X[1500:])
        >>> report["recall_centred"] > report["recall_bits"]
        True
        >>> report["recall"] > 0.99
        True
        """
        return stage_recalls(*self._recall_task(X))

    def _recall_task(self, X):
        """What is searched, queries and their number of neighbours."""
        database = self._fitted()
        if database.vectors is None:
            raise ValueError(
                "Recall needs the vectors, of which vectors=None kept none: fit with "
                "vectors='keep', 'float16' or 'int8'."
            )
        X = checked(self, X)
        check_n_neighbors(self.n_neighbors, len(database), len(X), False)
        return Scanned.of(database, self), X, self.n_neighbors
