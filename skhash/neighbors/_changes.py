"""A database that changes: codes are named, added and removed."""

from skhash.neighbors._database import as_labels
from skhash.neighbors._features import warn_of_features
from skhash.neighbors._ids import check_ids
from skhash.neighbors._lock import changing
from skhash.neighbors._search import FittedCodes
from skhash.neighbors._validation import query_codes


class ChangingCodes(FittedCodes):
    """Ids of codes, and changes, for an estimator with ``fit(X, y, ids)``."""

    @property
    def ids_(self):
        """The ids given to `fit` and `add`, or None."""
        return self._of_database("ids")

    def codes_of(self, ids):
        """Look up the codes that are stored under some ids.

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

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> codes = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors().fit(codes, ids=["x", "y", "z"])
        >>> neighbors.codes_of(["z", "x"])
        array([[7],
               [0]], dtype=uint8)
        """
        database = self._fitted()
        return database.codes[database.positions(ids)]

    def add(self, X, y=None, ids=None):
        """Add codes at the end of the database; to an unfitted one, `fit` them.

        Memory for more codes is set aside, so that many small additions cost no more
        than few large ones. Queries that run meanwhile see the database without the
        new codes; later ones see all of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_bytes)
            Codes of the fitted kind and width.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Their labels, of the fitted labels' kind and width, if and only if the
            database has labels. The first codes of an empty database may bring them.
        ids : array-like of shape (n_samples,), default=None
            Their ids, of the same kind, if and only if the database has ids. The first
            codes of an empty database may bring them.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `X` does not hold codes of the fitted width, or labels or ids are missing
            or not like those of the database. The database is then as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> codes = np.array([[0b000], [0b011]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(n_neighbors=1).fit(codes)
        >>> neighbors.add(np.array([[0b111]], dtype=np.uint8)).kneighbors([[7]])
        (array([[0]], dtype=int32), array([[2]]))
        """
        with changing():
            if not self.__sklearn_is_fitted__():
                return self.fit(X, y, ids=ids)
            database = self._fitted()
            codes = query_codes(self, X, database.codes.shape[1])
            if not self._fit_on_bits:
                warn_of_features(codes, type(self).__name__)
            labels, ids = self._labels_of(y, codes), check_ids(ids, len(codes))
            self._database = database.with_more(codes, labels, ids)
        return self

    def remove(self, ids):
        """Remove codes from the database.

        Parameters
        ----------
        ids : collection of ids, or array-like of shape (`n_samples_fit_`,), bool
            Their ids or, where the database has none, their rows, in a list, array, set
            or other collection; or a mask over the database that is True for them.
            True and False are always a mask; ids are compared by value, so that 5.0
            finds 5. The codes after a removed row move up; equal distances stay in
            order of insertion.

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
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> codes = np.array([[0b000], [0b011], [0b111]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(n_neighbors=1)
        >>> neighbors.fit(codes, ids=["x", "y", "z"]).remove(["y"])
        HammingNeighbors(n_neighbors=1)
        >>> neighbors.kneighbors([[0b011]])
        (array([[1]], dtype=int32), array([['z']], dtype='<U1'))
        """
        with changing():
            database = self._fitted()
            self._database = database.without(database.positions(ids))
        return self

    def _labels_of(self, y, codes):
        """Checked labels of codes, or None."""
        return as_labels(y, codes)
