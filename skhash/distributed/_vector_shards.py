"""Vectors that lie in shards on the workers of a cluster."""

import numpy as np
from sklearn.frozen import FrozenEstimator

from skhash.distributed import _vector_shard
from skhash.distributed._chunks import (
    check_array,
    chunks_beside,
    names_of,
    row_chunks,
)
from skhash.distributed._cluster import Cluster
from skhash.distributed._fold import Fold
from skhash.distributed._shards import Shards
from skhash.distributed._vector_shard import Learning, Like, Mean, Squares
from skhash.neighbors.vector_shards import (
    ROWS,
    bounds_about,
    center_of,
    learns_by_parts,
    new_encoder,
    ratio_of,
    rows_of_block,
)


class VectorShards(Shards):
    """Shards of vectors, and what is of all of them: encoder, bounds and noise."""

    facts_of = staticmethod(_vector_shard.facts)

    def __init__(self, X, labels, ids, estimator):
        check_vectors(X)
        encoder = encoder_to_fit(estimator.encoder, X.shape[1])
        self.cluster, self.metric = Cluster(), estimator.metric
        self.kind, self.n_columns, self.on_bits = estimator.vectors, X.shape[1], False
        self.shards, self.facts, self.names = [], [], []
        dask = self.cluster.dask
        chunks, sizes = row_chunks(X)
        names = names_of(sizes)
        columns = (
            chunks_beside(labels, sizes, "y", dask),
            chunks_beside(ids, sizes, "ids", dask),
        )
        checked = dask.delayed(_vector_shard.checked_chunk, pure=True)
        chunks = [
            checked(chunk, Like(size, X.shape[1], X.dtype))
            for chunk, size in zip(chunks, sizes, strict=True)
        ]
        try:
            if self.kind == "keep":  # else they are read again, and never all held
                chunks = self.cluster.persist(chunks)
            self._fit(encoder, chunks, sizes)
        except Exception as error:
            found = self._blamed(error, chunks, names)
            raise found from found.__cause__
        build = dask.delayed(_vector_shard.build, pure=True)
        model = (dask.delayed(each, traverse=False, pure=False) for each in self.model)
        model = tuple(model)
        shards = [
            build(*each, self.kind, *model)
            for each in zip(chunks, *columns, strict=True)
        ]
        self._take(*self._made(shards, names), names)
        self.noise = ratio_of(
            self._folded(self.shards, np.zeros(2), Squares(), ROWS, self.compute)
        )
        whole = (*self.model, self.noise)
        self.model_task = dask.delayed(whole, traverse=False, pure=False)

    def _fit(self, encoder, chunks, sizes):
        """Fit the encoder and measure bounds, as one process does."""
        delayed, n = self.cluster.dask.delayed, sum(sizes)
        step, metric = rows_of_block(self.n_columns), self.metric
        compute = self.cluster.compute
        if learns_by_parts(encoder, self.n_columns):
            encoder = self._folded(chunks, encoder, Learning(metric), step, compute)
        center = center_of(encoder, self.n_columns)
        if center is None:
            zeros = np.zeros(self.n_columns)
            center = self._folded(chunks, zeros, Mean(metric, n), step, compute)
        farthest = delayed(_vector_shard.farthest, pure=True)
        largest = max(compute([farthest(each, metric, center) for each in chunks]))

        def rows_of(rows):
            ends = np.cumsum(sizes)
            parts = np.split(rows, np.searchsorted(rows, ends)[:-1])
            at = delayed(_vector_shard.rows_at, pure=True)
            starts = ends - sizes
            asked = zip(chunks, parts, starts, strict=True)
            tasks = [at(chunk, mine - start) for chunk, mine, start in asked]
            return np.concatenate(compute(tasks))

        bounds = bounds_about(encoder, metric, center, largest, n, rows_of)
        self.model = encoder, bounds

    def _folded(self, chunks, made, take, step, compute):
        """What a fold over the rows of all chunks makes."""
        delayed = self.cluster.dask.delayed
        through = delayed(_vector_shard.folded, pure=False)
        state = delayed(Fold(made), traverse=False, pure=False)
        for chunk in chunks:
            state = through(state, take, chunk, step)
        (made,) = compute([delayed(_vector_shard.end_of, pure=False)(state, take)])
        return made

    def _blamed(self, error, chunks, names):
        """An error that names the first chunk that cannot be read, if there is one."""
        for chunk, name in zip(chunks, names, strict=True):
            if self.cluster.client is not None:
                from distributed import wait

                (chunk,) = self.cluster.persist([chunk])
                wait(chunk)
            found = self.cluster.chunk_error(error, [chunk], [name])
            if found is not error:
                return found
        return error


def check_vectors(X):
    """Raise unless a dask array holds vectors in rows, one or more."""
    check_array(X, "X")
    if X.ndim != 2:
        raise ValueError(f"X must hold a vector in each row, got shape {X.shape}.")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"X must hold real numbers, got dtype {X.dtype}.")
    if not all(X.shape):
        what = "sample" if not X.shape[0] else "feature"
        raise ValueError(
            f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is "
            "required by EmbeddingNeighbors."
        )


def encoder_to_fit(encoder, n_features):
    """A clone of an encoder that learns by parts or is fitted, or say what to do."""
    made = new_encoder(encoder)
    if isinstance(made, FrozenEstimator):
        return made.fit(None, None)
    if learns_by_parts(made, n_features):
        return made
    raise ValueError(
        f"{made} learns from all vectors at once, which lie in many places: fit it on "
        "a sample that one process holds, and give "
        "FrozenEstimator(encoder.fit(sample)), of sklearn.frozen. Only RotatedSigns "
        f"with a bit for each of the {n_features} features or more is fitted here."
    )
