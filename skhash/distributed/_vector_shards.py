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
from skhash.distributed._fold import Fold, ended, with_chunk
from skhash.distributed._shards import Shards
from skhash.distributed._vector_shard import Learning, Like, Mean, Squares
from skhash.neighbors.vector_shards import (
    ROWS,
    Vectors,
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
    extended = staticmethod(_vector_shard.extended)

    def __init__(self, X, labels, ids, estimator):
        check_vectors(X)
        encoder = encoder_to_fit(estimator.encoder, X.shape[1])
        self.cluster, self.metric = Cluster(), estimator.metric
        self.kind, self.n_columns, self.on_bits = estimator.vectors, X.shape[1], False
        self.shards, self.facts, self.names, self._noise = [], [], [], None
        chunks, columns, names = self._checked(X, labels, ids)
        try:
            if self.kind == "keep":  # else they are read again, and never all held
                chunks = self.cluster.persist(chunks)
            self.model = self._learned(encoder, chunks, X.chunks[0])
        except Exception as error:
            found = self._blamed(error, chunks, names)
            raise found from found.__cause__
        delayed = self.cluster.dask.delayed
        # Kept on the cluster, so that it does not travel with every question.
        (self.model_task,) = self.cluster.persist(
            [delayed(self.model, traverse=False, pure=False)]
        )
        build = delayed(_vector_shard.build, pure=True)
        shards = [
            build(*each, self.kind, self.model_task)
            for each in zip(chunks, *columns, strict=True)
        ]
        self._take(*self._made(shards, names), names)
        # No vectors, but the dtype in which others are kept.
        self.none = None
        if self.kind is not None:
            none, center = np.empty((0, self.n_columns), X.dtype), self.model[1].center
            self.none = Vectors.of(none, self.kind, center)

    @property
    def noise(self):
        """What rounding of queries weighs: a sum over all shards as they are now."""
        if self._noise is None:
            table_of = self.cluster.dask.delayed(_vector_shard.table_of, pure=True)
            sums = self.folded(self.shards, np.zeros(2), Squares(), ROWS, table_of)
            self._noise = ratio_of(self.compute([sums])[0])
        return self._noise

    def changed(self, shards, facts, names):
        """The same with other shards, of which the noise is not known yet."""
        other = super().changed(shards, facts, names)
        other._noise = None
        return other

    def with_chunks(self, X, labels, ids):
        """The vectors with those of another dask array after them, in shards anew."""
        check_vectors(X)
        check_columns(X, self.n_columns)
        return super().with_chunks(X, labels, ids)

    def _checked(self, X, labels, ids):
        """Checked chunks, what belongs to their rows, and their names."""
        chunks, sizes = checked_chunks(self.cluster.dask, X)
        dask = self.cluster.dask
        columns = (
            chunks_beside(labels, sizes, "y", dask),
            chunks_beside(ids, sizes, "ids", dask),
        )
        return chunks, columns, names_of(sizes, len(self))

    def _built(self, X, labels, ids):
        chunks, columns, names = self._checked(X, labels, ids)
        tasks = [self._added(*each) for each in zip(chunks, *columns, strict=True)]
        self._keep_as(X.dtype)
        return *self._made(tasks, names), names

    def with_more(self, X, labels, ids):
        """The vectors with others at their end, in the last shard while small."""
        other = super().with_more(X, labels, ids)
        other._keep_as(X.dtype)
        return other

    def _added(self, X, labels, ids):
        """A task for a shard of vectors that come later."""
        add = self.cluster.dask.delayed(_vector_shard.added, pure=True)
        return add(X, labels, ids, self.none, self.model_task)

    def _keep_as(self, dtype):
        """Keep vectors from now on as one process does once it has added these."""
        if self.none is not None:
            none = np.empty((0, self.n_columns), dtype)
            self.none = self.none.with_more(none)

    def _learned(self, encoder, chunks, sizes):
        """The fitted encoder, and bounds, measured as one process does."""
        delayed, sizes = self.cluster.dask.delayed, [n for n in sizes if n]
        step, metric, n = rows_of_block(self.n_columns), self.metric, sum(sizes)

        def whole(made, take):
            (made,) = self.cluster.compute([self.folded(chunks, made, take, step)])
            return made

        if learns_by_parts(encoder, self.n_columns):
            encoder = whole(encoder, Learning(metric))
        center = center_of(encoder, self.n_columns)
        if center is None:
            center = whole(np.zeros(self.n_columns), Mean(metric, n))
        farthest = delayed(_vector_shard.farthest, pure=True)
        norms = [farthest(each, metric, center) for each in chunks]
        largest = max(self.cluster.compute(norms))

        def rows_of(rows):
            ends = np.cumsum(sizes)
            parts = np.split(rows, np.searchsorted(rows, ends)[:-1])
            at = delayed(_vector_shard.rows_at, pure=True)
            starts = ends - sizes
            asked = zip(chunks, parts, starts, strict=True)
            tasks = [at(chunk, mine - start) for chunk, mine, start in asked]
            return np.concatenate(self.cluster.compute(tasks))

        bounds = bounds_about(encoder, metric, center, largest, n, rows_of)
        return encoder, bounds

    def folded(self, chunks, made, take, step, rows_of=None):
        """A task for what a fold over the rows of all chunks makes, one by one."""
        delayed = self.cluster.dask.delayed
        through = delayed(with_chunk, pure=False)
        state = delayed(Fold(made), traverse=False, pure=False)
        for chunk in chunks:
            rows = chunk if rows_of is None else rows_of(chunk)
            state = through(state, take, rows, step)
        return delayed(ended, pure=False)(state, take)

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


def check_columns(X, n_columns):
    """Raise unless a dask array holds vectors of this width."""
    if X.ndim != 2 or X.shape[1] != n_columns:
        raise ValueError(
            f"X has shape {X.shape}, but EmbeddingNeighbors is expecting {n_columns} "
            "features as input."
        )


def checked_chunks(dask, X):
    """Chunks of vectors, checked where they are read, and their sizes."""
    check = dask.delayed(_vector_shard.checked_chunk, pure=True)
    chunks, sizes = row_chunks(X)
    likes = [Like(size, X.shape[1], X.dtype) for size in sizes]
    return [check(*each) for each in zip(chunks, likes, strict=True)], sizes


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
