"""The graph of neighbours, for estimators that take precomputed distances."""

from typing import ClassVar

from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import StrOptions

from skhash.neighbors._changes import ChangingCodes
from skhash.neighbors._database import make_database
from skhash.neighbors._ids import check_ids
from skhash.neighbors._radius import RadiusNeighborsMixin
from skhash.neighbors._search import KNeighborsMixin
from skhash.neighbors._validation import (
    ALGORITHM,
    N_JOBS,
    N_NEIGHBORS,
    RADIUS,
    check_fit_radius,
    fit_codes,
)


class HammingNeighborsTransformer(
    ChangingCodes,
    KNeighborsMixin,
    RadiusNeighborsMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Transform codes into their sparse graph of nearest neighbours.

    As :class:`~sklearn.neighbors.KNeighborsTransformer` and
    :class:`~sklearn.neighbors.RadiusNeighborsTransformer` do, for estimators that take
    ``metric="precomputed"``: DBSCAN, t-SNE, Isomap, SpectralClustering and others.

    Parameters
    ----------
    mode : {"distance", "connectivity"}, default="distance"
        Edges are distances in bits, or ones.
    n_neighbors : int, default=5
        Number of neighbours of each code. With ``mode="distance"`` one more is kept,
        since estimators count a code as its own neighbour.
    radius : int, default=None
        Keep all neighbours within this many bits, inclusive, instead of
        `n_neighbors`. A whole number; 2.0 will do.
    algorithm : str, default="auto"
        How to search; see :class:`HammingNeighbors`.
    n_jobs : int, default=None
        Number of threads; None means all cores the process may use.
    verbose : int, default=0
        1 shows how far a long graph is, and how long an index takes.

    Attributes
    ----------
    codes_ : ndarray of shape (`n_samples_fit_`, n_bytes), uint8
        The packed codes of the database.
    ids_ : ndarray of shape (`n_samples_fit_`,) or None
        Their ids.
    n_samples_fit_ : int
        Number of codes in the database, and of columns of the graph.
    n_features_in_ : int
        Number of columns seen in `fit`: bytes of packed codes, or bits.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are strings.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import DBSCAN
    >>> from sklearn.pipeline import make_pipeline
    >>> from skhash.neighbors import HammingNeighborsTransformer
    >>> codes = np.array([[0b0000], [0b0001], [0b1110], [0b1111]], dtype=np.uint8)
    >>> clusters = make_pipeline(
    ...     HammingNeighborsTransformer(radius=1),
    ...     DBSCAN(eps=1, min_samples=2, metric="precomputed"),
    ... )
    >>> clusters.fit_predict(codes)
    array([0, 0, 1, 1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "mode": [StrOptions({"distance", "connectivity"})],
        "n_neighbors": N_NEIGHBORS,
        "radius": RADIUS,
        "algorithm": ALGORITHM,
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        mode="distance",
        n_neighbors=5,
        radius=None,
        *,
        algorithm="auto",
        n_jobs=None,
        verbose=0,
    ):
        self.mode = mode
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
            Codes: packed uint8, or bool bits, or integers from 0 to 255.
        y : Ignored
            Present for scikit-learn's signature, here and in :meth:`add`.
        ids : array-like of shape (n_samples,), default=None
            Unique names of the codes, as :class:`HammingNeighbors` takes them. Columns
            of the graph are rows of the database just the same.

        Returns
        -------
        self : HammingNeighborsTransformer

        Raises
        ------
        ValueError
            If `X` does not hold codes, `ids` do not fit, or a parameter is out of its
            range.
        """
        if self.radius is not None:
            check_fit_radius(self.radius)
        codes, seen = fit_codes(self, X)
        ids = check_ids(ids, len(codes))
        database = make_database(
            codes, None, ids, self.algorithm, self.n_jobs, self.verbose
        )
        return self._take(database, seen)

    def transform(self, X):
        """Build the graph from queries to the fitted database.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes)
            Query codes.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Each row in order of distance; zero distances are stored.
        """
        self._fitted()
        if self.radius is not None:
            return self.radius_neighbors_graph(X, mode=self.mode)
        extra = self.mode == "distance"
        return self.kneighbors_graph(X, self.n_neighbors + extra, self.mode)

    @property
    def _n_features_out(self):
        return self.n_samples_fit_

    def _labels_of(self, y, codes):
        """No labels."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = []
        return tags
