"""What shards weigh: dask moves work to where most of its data lies."""

from skhash.neighbors.shards import Database
from skhash.neighbors.vector_shards import EmbeddingDatabase


def tell_sizes():
    """Let this process tell its scheduler how much memory shards take.

    Of a class that it does not know dask takes a few bytes for the memory of an object.
    A search of a shard would then run anywhere, and the shard be copied there.
    """
    from dask.sizeof import sizeof

    sizeof.register(Database, size_of_codes)
    sizeof.register(EmbeddingDatabase, size_of_vectors)


def size_of_codes(shard: Database) -> int:
    """Bytes of codes, what belongs to them, and the index."""
    return _columns(shard) + shard.searcher.n_bytes


def size_of_vectors(shard: EmbeddingDatabase) -> int:
    """Bytes of codes, what belongs to them, and the vectors that are kept."""
    kept = 0 if shard.vectors is None else shard.vectors.nbytes
    return _columns(shard) + shard.table.nbytes + kept


def _columns(shard):
    """Bytes of codes, labels and ids."""
    from dask.sizeof import sizeof

    columns = shard.codes, shard.labels, shard.ids
    return sum(sizeof(each) for each in columns if each is not None)
