"""Vectors on two worker processes, some of which die: answers are the local ones."""

import os
import signal

import dask
import dask.array as da
import numpy as np
import pytest

from skhash import EmbeddingNeighbors as Local
from skhash.distributed import ChunkError, EmbeddingNeighbors
from skhash.distributed._vector_shards import VectorShards
from tests.distributed.test_neighbors import same

pytestmark = pytest.mark.slow

# Blocks of 2048 rows, which begin in one chunk and end in another.
WIDTH, SIZES = 512, (1300, 1, 1500, 1900)
VECTORS = np.random.default_rng(0).normal(size=(sum(SIZES), WIDTH)).astype(np.float32)
QUERIES = VECTORS[:20] + VECTORS[20:40]


def read(folder, i):
    """A chunk of the database, from its file."""
    return np.load(folder / f"{i}.npy")


@pytest.fixture
def chunks(tmp_path):
    """A dask array of files."""
    load = dask.delayed(read, pure=True)
    parts = np.split(VECTORS, np.cumsum(SIZES)[:-1])
    for i, part in enumerate(parts):
        np.save(tmp_path / f"{i}.npy", part)
    return da.concatenate(
        [
            da.from_delayed(load(tmp_path, i), part.shape, dtype=np.float32)
            for i, part in enumerate(parts)
        ]
    )


def kill_one(client):
    """Kill one worker by its process id, as a lack of memory would."""
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)


def test_fit_and_search_outlive_a_worker(client, chunks, monkeypatch):
    local = Local(metric="cosine").fit(VECTORS)
    fold, calls = VectorShards.folded, []

    def killing(self, *task):
        calls.append(task)
        if len(calls) == 2:  # the encoder is fitted, shards are made: some are lost
            kill_one(client)
        return fold(self, *task)

    monkeypatch.setattr(VectorShards, "folded", killing)
    neighbors = EmbeddingNeighbors(metric="cosine").fit(chunks)
    assert neighbors._shards.noise == local._database.noise
    assert len(calls) == 2
    same(neighbors.codes_.compute(), local.codes_)
    same(neighbors.kneighbors(QUERIES), local.kneighbors(QUERIES))
    same(neighbors.radius_neighbors(QUERIES), local.radius_neighbors(QUERIES))
    assert neighbors.score(QUERIES) == local.score(QUERIES)


@pytest.mark.parametrize("vectors", ["keep", "int8"])
def test_a_file_that_is_gone_names_its_chunk_and_worker(
    client, chunks, tmp_path, vectors
):
    (tmp_path / "2.npy").unlink()
    gone = r"Chunk 2 \(rows 1301 to 2800\) failed on tcp://.*FileNotFound"
    with pytest.raises(ChunkError, match=gone):
        EmbeddingNeighbors(vectors=vectors).fit(chunks)
