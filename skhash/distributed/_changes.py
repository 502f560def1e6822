"""A database in shards that changes: items are named, added and removed."""

from skhash.distributed._chunks import is_dask
from skhash.distributed._fitted import FittedShards
from skhash.neighbors.shards import as_labels, check_ids


class ChangingShards(FittedShards):
    """Changes of an estimator that keeps its shards in `_shards`.

    `_to_add` checks an array of items that are added.
    """

    def add(self, X, y=None, ids=None):
        """Add items at the end of the database; to an unfitted one, `fit` them.

        An array goes into the last shard while that is no larger than others, so that
        many small additions make few shards; each chunk of a dask array becomes a
        shard. The former shards stay where they are. Vectors are encoded by the encoder
        that is there.

        Parameters
        ----------
        X : array-like or dask array of shape (n_samples, `n_features_in_`)
            Codes or vectors, as those of the fit.
        y : array-like or dask array of shape (n_samples,) or (n_samples, n_classes), \
                default=None
            Their labels, if and only if the database has labels.
        ids : array-like or dask array of shape (n_samples,), default=None
            Their ids, of the same kind, if and only if the database has ids.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `X` does not hold items of the fitted kind and width, or labels or ids
            are missing or not like those of the database. The database is then as it
            was.
        ChunkError
            If a chunk cannot be read, or vectors are too large beside those of the fit;
            the message names the chunk and its worker.
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X, y, ids=ids)
        shards = self._fitted()
        if is_dask(X):
            self._shards = shards.with_chunks(X, y, ids)
            return self
        rows = self._to_add(shards, X)
        labels, ids = as_labels(y, rows), check_ids(ids, len(rows))
        self._shards = shards.with_more(rows, labels, ids)
        return self

    def remove(self, ids):
        """Remove items from the database, each in its shard.

        Parameters
        ----------
        ids : collection of ids, or array-like or dask array of shape \
                (`n_samples_fit_`,), bool
            Their ids or, where the database has none, their rows; or a mask over the
            database that is True for them. The items after a removed row move up; equal
            distances stay in order of insertion.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no such id, or a mask has another length than the database,
            which is then as it was.
        """
        shards = self._fitted()
        self._shards = shards.without(shards.rows_of(ids))
        return self

    def codes_of(self, ids):
        """Look up the codes that are stored under some ids.

        Parameters
        ----------
        ids : collection of ids, or array-like or dask array of shape \
                (`n_samples_fit_`,), bool
            Ids, rows or a mask, as :meth:`remove` takes them.

        Returns
        -------
        codes : ndarray of shape (n_ids, n_bytes), uint8
            Packed codes, in the order of `ids`; those of a mask in order of insertion.

        Raises
        ------
        ValueError
            If there is no such id, or a mask has another length than the database.
        """
        shards = self._fitted()
        return shards.codes_at(shards.rows_of(ids))
