"""A database of vectors that changes: vectors are named, added and removed."""

from skhash.neighbors._changes import ChangingCodes
from skhash.neighbors._database import as_labels
from skhash.neighbors._ids import check_ids
from skhash.neighbors._lock import changing
from skhash.neighbors._vector_input import checked


class ChangingVectors(ChangingCodes):
    """Ids of vectors, and changes, for an estimator with ``fit(X, y, ids)``."""

    def codes_of(self, ids):
        """Look up the codes of vectors that are stored under some ids.

        Parameters
        ----------
        ids : collection of ids, or array-like of shape (`n_samples_fit_`,), bool
            Ids or, where the database has none, rows, or a mask, as :meth:`remove`
            takes them.

        Returns
        -------
        codes : ndarray of shape (n_ids, n_bytes), uint8
            Packed codes, in the order of `ids`; those of a mask in order of insertion.

        Raises
        ------
        ValueError
            If there is no such id, or a mask has another length than the database.
        """
        return super().codes_of(ids)

    def add(self, X, y=None, ids=None):
        """Add vectors at the end of the database; to an unfitted one, `fit` them.

        They are encoded by the encoder that is there; where they are unlike the first
        ones, fit anew now and then. Added vectors are kept in memory of their own, in
        the dtype of the first ones, which are not copied. Queries that run meanwhile
        see the database without them; later ones see all.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Vectors of the fitted width.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Their labels, if and only if the database has labels.
        ids : array-like of shape (n_samples,), default=None
            Their ids, of the same kind, if and only if the database has ids.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If X does not hold vectors of the fitted width, they are too large beside
            the first ones, or labels or ids are missing or not like those of the
            database. The database is then as it was.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skhash import EmbeddingNeighbors
        >>> X, _ = load_digits(return_X_y=True)
        >>> neighbors = EmbeddingNeighbors(n_neighbors=1).fit(X[:1000])
        >>> neighbors.add(X[1000:]).kneighbors(X[1500:1501])
        (array([[0.]]), array([[1500]]))
        """
        with changing():
            if not self.__sklearn_is_fitted__():
                return self.fit(X, y, ids=ids)
            database = self._fitted()
            X = checked(self, X)
            labels, ids = as_labels(y, X), check_ids(ids, len(X))
            self._database = database.with_more(X, labels, ids)
        return self

    def remove(self, ids):
        """Remove vectors from the database; what is left is copied.

        Parameters
        ----------
        ids : collection of ids, or array-like of shape (`n_samples_fit_`,), bool
            Their ids or, where the database has none, their rows, in a list, array, set
            or other collection; or a mask over the database that is True for them. The
            vectors after a removed row move up.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no such id, or a mask has another length than the database,
            which is then as it was.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from skhash import EmbeddingNeighbors
        >>> X, _ = load_digits(return_X_y=True)
        >>> neighbors = EmbeddingNeighbors(n_neighbors=1).fit(X)
        >>> neighbors.remove([0, 1, 2]).n_samples_fit_
        1794
        """
        return super().remove(ids)
