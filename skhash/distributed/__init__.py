"""Past one machine, on dask: codes in shards on the workers of a cluster.

Needs the extra ``dask``. Answers are those of one process, to the last bit, whatever
the number of chunks and workers, and also where workers are lost.
"""

from skhash.distributed import _dask_arrays
from skhash.distributed._codes import ShardedCodes
from skhash.distributed._embeddings import EmbeddingNeighbors
from skhash.distributed._encode import encode
from skhash.distributed._neighbors import HammingNeighbors
from skhash.distributed.errors import ChunkError, ClusterClosed
from skhash.metrics.elsewhere import register

__all__ = [
    "ChunkError",
    "ClusterClosed",
    "EmbeddingNeighbors",
    "HammingNeighbors",
    "ShardedCodes",
    "encode",
]

# Metrics measure dask arrays where they lie from now on.
register(_dask_arrays)
