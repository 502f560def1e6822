"""What an estimator that keeps its database in shards says of itself."""

from sklearn.utils.validation import check_is_fitted

from skhash.hints import OptionErrors


class FittedShards(OptionErrors):
    """Attributes of an estimator that keeps its shards in `_shards`."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_shards")

    def __getstate__(self):
        if hasattr(self, "_shards"):
            raise TypeError(
                "The shards lie on a cluster, and go into no pickle: save the codes, "
                "e.g. by skhash.distributed.encode(..., store=folder), and fit again."
            )
        return super().__getstate__()

    def _fitted(self):
        """The shards as they are now; later changes leave them alone."""
        check_is_fitted(self)
        return self._shards

    def _of_shards(self, name):
        # A property must raise AttributeError for hasattr to say no.
        if not hasattr(self, "_shards"):
            raise AttributeError(f"{type(self).__name__} is not fitted yet.")
        return getattr(self._shards, name)

    @property
    def codes_(self):
        """Packed codes of the database, a dask array."""
        return self._of_shards("codes")

    @property
    def labels_(self):
        """Labels of the database, a dask array, or None."""
        return self._of_shards("labels")

    @property
    def ids_(self):
        """Ids of the database, a dask array, or None."""
        return self._of_shards("ids")

    @property
    def n_samples_fit_(self):
        """Number of items in the database."""
        return self._of_shards("shape")[0]

    def _placed(self, *facts):
        """The shards, where each lies, and some facts of each, for `info`."""
        shards = self._fitted()
        places = shards.cluster.places(shards.shards)
        given = zip(shards.names, shards.facts, places, strict=True)
        return [
            {
                "chunk": name,
                "n_samples": each.n_rows,
                **{fact: getattr(each, fact) for fact in facts},
                "workers": where,
            }
            for name, each, where in given
        ]

    def _told(self):
        """A line for each worker: how much lies there."""
        shards = self._fitted()
        held = {}
        for place, each in zip(
            shards.cluster.places(shards.shards), shards.facts, strict=True
        ):
            for worker in place or ["this process"]:
                held.setdefault(worker, []).append(each)
        return "\n".join(
            f"{worker}: {len(some)} shards, {sum(e.n_rows for e in some)} codes, "
            f"{sum(e.codes_bytes + e.index_bytes for e in some) / 1e6:.1f} MB"
            for worker, some in sorted(held.items())
        )
