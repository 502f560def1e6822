"""Searching a fitted database: what every estimator of this package can do."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skhash.hamming import nearest
from skhash.neighbors._graphs import csr_graph, drop_self
from skhash.neighbors._validation import check_n_neighbors, query_codes


class KNeighborsMixin:
    """k nearest neighbours for an estimator with `codes_` and `n_neighbors`."""

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        """Find the nearest codes of the database, exactly.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        return_distance : bool, default=True
            Whether to return distances.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), int32
            In bits, ascending. Only if `return_distance`.
        indices : ndarray of shape (n_queries, n_neighbors), int64
            Rows of the database; equal distances in order of index.

        Raises
        ------
        ValueError
            If `X` does not hold codes of the fitted width, or there are fewer codes
            than neighbours asked for.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(n_neighbors=2).fit(database)
        >>> neighbors.kneighbors(np.array([[0b001]], dtype=np.uint8))
        (array([[1, 1]], dtype=int32), array([[0, 1]]))
        """
        check_is_fitted(self, "codes_")
        itself = X is None
        queries = self.codes_ if itself else query_codes(self, X)
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        check_n_neighbors(k, len(self.codes_), len(queries), itself)
        distances, indices = nearest(
            queries, self.codes_, k + itself, n_jobs=self.n_jobs
        )
        if itself:
            distances, indices = drop_self(distances, indices)
        return (distances, indices) if return_distance else indices

    def kneighbors_graph(self, X=None, n_neighbors=None, mode="connectivity"):
        """Build the sparse graph of the nearest neighbours.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_bytes), default=None
            Query codes. When None, every code of the database is a query, and is not
            its own neighbour.
        n_neighbors : int, default=None
            Number of neighbours; the constructor's when None.
        mode : {"connectivity", "distance"}, default="connectivity"
            Edges are ones, or distances in bits. Zero distances are stored.

        Returns
        -------
        graph : sparse matrix of shape (n_queries, n_samples_fit), CSR, float64
            Each row's neighbours in order of distance.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> database = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(n_neighbors=1).fit(database)
        >>> neighbors.kneighbors_graph(mode="distance").toarray()
        array([[0., 2., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
        """
        check_mode(mode)
        distances, indices = self.kneighbors(X, n_neighbors)
        data = (
            np.ones(indices.size)
            if mode == "connectivity"
            else distances.ravel().astype(np.float64)
        )
        indptr = np.arange(0, indices.size + 1, indices.shape[1])
        shape = (len(indices), len(self.codes_))
        return csr_graph(data, indices.ravel(), indptr, shape)


def check_mode(mode):
    """Raise scikit-learn's error for an unknown kind of graph."""
    if mode not in ("connectivity", "distance"):
        raise ValueError(
            'Unsupported mode, must be one of "connectivity", or "distance" but got '
            f'"{mode}" instead'
        )
