"""The database of codes that is asked for neighbours."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skhash.hamming import within
from skhash.neighbors._graphs import as_rows, csr_graph, drop_self_from_rows
from skhash.neighbors._search import KNeighborsMixin, check_mode
from skhash.neighbors._validation import fit_codes, query_codes


class HammingNeighbors(KNeighborsMixin, BaseEstimator):
    """Exact nearest neighbours among binary codes.

    The methods and arguments are those of
    :class:`~sklearn.neighbors.NearestNeighbors`. Distances are numbers of differing
    bits, and neighbours at equal distance come in order of their index.

    As the last step of a pipeline after an encoder, ``score`` is the mean average
    precision of the queries against the fitted database, so that a grid search ranks
    by retrieval. Such a pipeline is no classifier: pass
    ``cv=StratifiedKFold(..., shuffle=True)`` when labels come sorted.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours that :meth:`kneighbors` finds.
    radius : int, default=2
        Distance in bits within which :meth:`radius_neighbors` finds, inclusive.
    n_jobs : int, default=None
        Number of threads. None means all cores the process may use, within the limits
        of an active joblib context and of threadpoolctl, and one inside a worker.
        Answers do not depend on it.

    Attributes
    ----------
    codes_ : ndarray of shape (n_samples_fit_, n_bytes), uint8
        The packed codes of the database; the caller's own memory when it was packed
        and C-contiguous.
    labels_ : ndarray or None
        The labels given to `fit`.
    n_samples_fit_ : int
        Number of codes in the database.
    n_features_in_ : int
        Number of columns seen in `fit`: bytes of packed codes, or bits.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    See Also
    --------
    HammingNeighborsClassifier : Vote of the neighbours.
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
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "radius": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [None, Integral],
    }

    def __init__(self, n_neighbors=5, radius=2, *, n_jobs=None):
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Take the codes of a database.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_bytes)
            Codes: packed uint8, or bool bits, or integers from 0 to 255. Packed
            C-contiguous arrays and memory maps are not copied.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Labels, or multi-hot rows; for :meth:`score`.

        Returns
        -------
        self : HammingNeighbors
        """
        codes = fit_codes(self, X)
        if y is not None:
            check_consistent_length(codes, y)
            y = np.asarray(y)
        self.codes_ = codes
        self.labels_ = y
        self.n_samples_fit_ = len(codes)
        return self

    def radius_neighbors(
        self, X=None, radius=None, return_distance=True, sort_results=False
    ):
        """Find all codes of the database within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        radius : int, default=None
            In bits; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: results are always in order of
            (distance, index).

        Returns
        -------
        distances : ndarray of shape (n_queries,) of arrays, int32
            In bits, ascending. Only if `return_distance`.
        indices : ndarray of shape (n_queries,) of arrays, int64
            Rows of the database; equal distances in order of index.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(radius=1).fit(database)
        >>> distances, indices = neighbors.radius_neighbors([[0b001]])
        >>> indices[0]
        array([0, 1])
        """
        indptr, distances, indices = self._within(X, radius)
        indices = as_rows(indices, indptr)
        return (as_rows(distances, indptr), indices) if return_distance else indices

    def radius_neighbors_graph(
        self, X=None, radius=None, mode="connectivity", sort_results=False
    ):
        """Build the sparse graph of all neighbours within a radius, inclusive.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        radius : int, default=None
            In bits; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances in bits. Zero distances are stored.
        sort_results : bool, default=False
            Kept for scikit-learn's signature: results are always in order of
            (distance, index).

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
        """
        check_mode(mode)
        indptr, distances, indices = self._within(X, radius)
        data = (
            np.ones(indices.size)
            if mode == "connectivity"
            else distances.astype(np.float64)
        )
        shape = (len(indptr) - 1, len(self.codes_))
        return csr_graph(data, indices, indptr, shape)

    def _within(self, X, radius):
        check_is_fitted(self, "codes_")
        queries = self.codes_ if X is None else query_codes(self, X)
        radius = self.radius if radius is None else radius
        found = within(queries, self.codes_, radius, n_jobs=self.n_jobs)
        return drop_self_from_rows(*found) if X is None else found

    def score(self, X, y):
        """Mean average precision of queries against the fitted database.

        Equal distances count with their expected precision over all orders; queries
        without any relevant item are left out, with a warning.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes)
            Query codes.
        y : array-like of shape (n_queries,) or (n_queries, n_classes)
            Their labels, of the fitted labels' kind.

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
        check_is_fitted(self, "codes_")
        if self.labels_ is None:
            raise ValueError(
                "score measures retrieval by label: fit the database with labels, "
                "`fit(X, y)`."
            )
        queries = query_codes(self, X)
        # Here, since most searches need no metric.
        from skhash.metrics import mean_average_precision

        return mean_average_precision(
            queries, self.codes_, y, self.labels_, n_jobs=self.n_jobs
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        return tags
