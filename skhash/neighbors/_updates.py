"""Adding and removing codes."""

from threading import RLock

from skhash.neighbors._database import as_ids, as_labels
from skhash.neighbors._search import FittedCodes
from skhash.neighbors._validation import query_codes

# One for all estimators: changes are rare and short, and estimators stay plain to
# copy and pickle.
_changing = RLock()


class UpdatesMixin(FittedCodes):
    """Changes of a fitted database that concurrent queries see whole or not at all."""

    def add(self, X, y=None, ids=None):
        """Add codes at the end of the database.

        Memory for more codes is set aside, so that many small additions cost no more
        than few large ones. Queries that run meanwhile see the database without the
        new codes; later ones see all of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_bytes)
            Codes of the fitted kind and width.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Their labels, of the fitted labels' kind and width, if and only if the
            database has labels.
        ids : array-like of shape (n_samples,), default=None
            Their ids, if and only if the database has ids.

        Returns
        -------
        self : object

        Examples
        --------
        >>> import numpy as np
        >>> from skhash.neighbors import HammingNeighbors
        >>> codes = np.array([[0b000], [0b011]], dtype=np.uint8)
        >>> neighbors = HammingNeighbors(n_neighbors=1).fit(codes)
        >>> neighbors.add(np.array([[0b111]], dtype=np.uint8)).kneighbors([[7]])
        (array([[0]], dtype=int32), array([[2]]))
        """
        codes = query_codes(self, X, self._fitted().codes.shape[1])
        labels, ids = as_labels(y, codes), as_ids(ids, codes)
        with _changing:
            self._database = self._database.with_more(codes, labels, ids)
        return self

    def remove(self, ids):
        """Remove codes from the database.

        Parameters
        ----------
        ids : array-like of shape (n_removed,)
            Their ids or, where the database has none, their rows. The codes after a
            removed row move up; equal distances stay in order of insertion.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no such id.

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
        self._fitted()
        with _changing:
            database = self._database
            self._database = database.without(database.positions(ids))
        return self
