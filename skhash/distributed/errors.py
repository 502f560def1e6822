"""What can go wrong past one machine."""


class ChunkError(ValueError):
    """A chunk could not be read or used; the message names it and its worker.

    Parameters
    ----------
    message : str
        It names the chunk and the worker, and says what went wrong.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from skhash.distributed import ChunkError, ShardedCodes
    >>> def read(block):
    ...     raise FileNotFoundError("codes.npy")
    >>> codes = da.zeros((4, 1), chunks=2, dtype=np.uint8)
    >>> try:
    ...     ShardedCodes(codes.map_blocks(read, dtype=np.uint8, meta=codes._meta))
    ... except ChunkError as error:
    ...     print(error)
    Chunk 0 (rows 0 to 1) failed in this process: FileNotFoundError: codes.npy
    """

    def __init__(self, message):
        super().__init__(message)


class ClusterClosed(RuntimeError):
    """The cluster that holds the shards is gone.

    Parameters
    ----------
    message : str
        What to do.

    Examples
    --------
    >>> from skhash.distributed import ClusterClosed
    >>> issubclass(ClusterClosed, RuntimeError)
    True
    """

    def __init__(self, message):
        super().__init__(message)
