"""A database of codes in shards that changes, and what it says of itself."""

from skhash.distributed._chunks import check_array, is_dask
from skhash.distributed._fitted import FittedShards
from skhash.neighbors.shards import (
    as_labels,
    check_ids,
    query_codes,
    warn_of_features,
)


class ChangingShards(FittedShards):
    """Changes of an estimator that keeps its shards of codes in `_shards`."""

    def add(self, X, y=None, ids=None):
        """Add codes at the end of the database; to an unfitted one, `fit` them.

        An array goes into the last shard while that is no larger than others, so that
        many small additions make few shards; each chunk of a dask array becomes a
        shard. The former shards stay where they are.

        Parameters
        ----------
        X : array-like or dask array of shape (n_samples, n_bytes)
            Codes of the fitted kind and width.
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
            If `X` does not hold codes of the fitted width, or labels or ids are missing
            or not like those of the database. The database is then as it was.
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X, y, ids=ids)
        shards = self._fitted()
        if is_dask(X):
            check_array(X, "X")
            self._shards = shards.with_chunks(X, y, ids)
            return self
        codes = query_codes(self, X, shards.n_bytes)
        if not shards.on_bits:
            warn_of_features(codes, type(self).__name__)
        labels, ids = as_labels(y, codes), check_ids(ids, len(codes))
        self._shards = shards.with_more(codes, labels, ids)
        return self

    def remove(self, ids):
        """Remove codes from the database, each in its shard.

        Parameters
        ----------
        ids : collection of ids, or array-like or dask array of shape \
                (`n_samples_fit_`,), bool
            Their ids or, where the database has none, their rows; or a mask over the
            database that is True for them. The codes after a removed row move up; equal
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
        X = X.compute() if is_dask(X) else X
        queries = query_codes(self, X, shards.n_bytes)
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
        places = shards.cluster.places(shards.shards)
        return {
            "n_samples_fit": len(shards),
            "n_bytes_per_code": shards.n_bytes,
            "codes_bytes": sum(each.codes_bytes for each in shards.facts),
            "index_bytes": sum(each.index_bytes for each in shards.facts),
            "shards": [
                {
                    "chunk": name,
                    "n_samples": each.n_rows,
                    "algorithm": each.algorithm,
                    "workers": where,
                }
                for name, each, where in zip(
                    shards.names, shards.facts, places, strict=True
                )
            ],
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        return tags
