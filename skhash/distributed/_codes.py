"""Codes in shards as a database for metrics."""

from skhash.distributed._shards import Shards


class ShardedCodes:
    """Codes of a database in shards, each with its own labels, ids and index.

    A chunk of the dask array is a shard, which stays on the worker that makes it. It is
    a function of its chunk: where a worker is lost, others read the chunk again, and
    make the same shard.

    It stands for the database in every metric of :mod:`skhash.metrics`, which then adds
    up the histograms of the shards: the values are those of one array, to the last bit.
    Its labels need not be given again.

    Parameters
    ----------
    codes : dask array of shape (n_items, n_bytes)
        Packed codes (uint8), or bits (bool), in chunks of rows.
    labels : dask array or array-like of shape (n_items,) or (n_items, n_classes), \
            default=None
        Labels, or label sets as 0 and 1.
    ids : dask array or array-like of shape (n_items,), default=None
        Unique names of the codes.
    algorithm : str, default="brute"
        How each shard is searched, see :class:`HammingNeighbors`. Metrics need no
        index.

    Attributes
    ----------
    shape : tuple of int
        Number of codes, and of bytes of each.

    Raises
    ------
    TypeError
        If `codes` is no dask array.
    ValueError
        If chunks are of unknown sizes, labels or ids do not fit, or an id is there
        twice.
    ChunkError
        If a chunk cannot be read, or is not what the array says it is.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from skhash.distributed import ShardedCodes
    >>> from skhash.metrics import mean_average_precision
    >>> codes = da.from_array(np.array([[0], [1], [254], [255]], np.uint8), chunks=2)
    >>> database = ShardedCodes(codes, ["cat", "cat", "dog", "dog"])
    >>> mean_average_precision([[0], [255]], database, ["cat", "dog"])
    1.0
    """

    def __init__(self, codes, labels=None, ids=None, *, algorithm="brute"):
        self._shards = Shards(codes, labels, ids, algorithm)

    def __len__(self):
        return len(self._shards)

    @property
    def shape(self):
        """Number of codes, and of bytes of each."""
        return self._shards.shape

    @property
    def ndim(self):
        """Number of axes, 2."""
        return 2

    @property
    def codes(self):
        """Packed codes, a dask array of shape (n_items, n_bytes), uint8."""
        return self._shards.codes

    @property
    def labels(self):
        """Labels as given, a dask array of shape (n_items,) or (n_items, n_classes)."""
        return self._shards.labels

    @property
    def ids(self):
        """Ids as given, a dask array of shape (n_items,)."""
        return self._shards.ids

    def __array__(self, *args, **options):
        raise TypeError(
            "The codes lie on the workers of a cluster, and are no array: `.codes` is "
            "a dask array of them, which `.compute()` brings here."
        )

    def __skhash_retrieval__(self, *task):
        return self._shards.__skhash_retrieval__(*task)

    def __skhash_bits__(self, n_bits):
        return self._shards.__skhash_bits__(n_bits)

    def __skhash_first_bits__(self, n_bits):
        return self._shards.__skhash_first_bits__(n_bits)

    def __skhash_sample__(self, *task):
        return self._shards.__skhash_sample__(*task)
