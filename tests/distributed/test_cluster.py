"""Two worker processes, some of which die: the answers are the local ones."""

import os
import signal
import threading
import time

import dask
import dask.array as da
import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skhash import DeepHashEncoder, metrics
from skhash.baselines import RotatedSigns
from skhash.distributed import (
    ChunkError,
    ClusterClosed,
    EmbeddingNeighbors,
    HammingNeighbors,
    ShardedCodes,
    encode,
)
from skhash.neighbors import HammingNeighbors as Local

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
CODES = RNG.integers(16, size=(4000, 4)).astype(np.uint8)
LABELS = RNG.integers(5, size=4000)


def read(folder, i):
    """A chunk of the database, from its file."""
    return np.load(folder / f"{i}.npy")


@pytest.fixture
def folder(tmp_path):
    """Files of a quarter of the codes each."""
    for i in range(4):
        np.save(tmp_path / f"{i}.npy", CODES[1000 * i : 1000 * (i + 1)])
    return tmp_path


def chunks_of(folder):
    """A dask array of the files."""
    load = dask.delayed(read, pure=True)
    return da.concatenate(
        [da.from_delayed(load(folder, i), (1000, 4), dtype=np.uint8) for i in range(4)]
    )


def kill_one(client, worker=None):
    """Kill a worker, or any, by its process id, as a lack of memory would."""
    pids = client.run(os.getpid)
    os.kill(pids[worker or next(iter(pids))], signal.SIGKILL)
    return set(pids.values())


def same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_search_and_changes_outlive_a_worker(client, folder):
    local = Local().fit(CODES, LABELS, ids=np.arange(4000) + 7)
    neighbors = HammingNeighbors().fit(chunks_of(folder), LABELS, np.arange(4000) + 7)
    for each in (local, neighbors):
        each.add(CODES[:5], LABELS[:5], ids=np.arange(5) + 9000)
        each.remove(np.arange(0, 4000, 7) + 7)
    workers = {w for each in neighbors.info()["shards"] for w in each["workers"]}
    assert len(workers) == 2
    same(neighbors.kneighbors(CODES[:50]), local.kneighbors(CODES[:50]))
    kill_one(client)
    same(neighbors.kneighbors(CODES[:50]), local.kneighbors(CODES[:50]))
    assert neighbors.score(CODES[:50], LABELS[:50]) == local.score(
        CODES[:50], LABELS[:50]
    )


def test_the_scheduler_knows_what_shards_weigh(client, folder):
    from distributed import futures_of

    neighbors = HammingNeighbors(algorithm="brute").fit(
        chunks_of(folder), ids=np.arange(4000)
    )
    vectors = da.from_array(RNG.normal(size=(500, 40)).astype(np.float32))
    kept = EmbeddingNeighbors().fit(vectors)
    told = client.nbytes(summary=False)
    for each, least in ((neighbors, 1000 * (4 + 8)), (kept, 500 * 40 * 4)):
        for future in futures_of(each._shards.shards):
            assert least <= told[future.key] < 2 * least


def test_worker_dies_in_the_middle_of_a_search(client, folder):
    neighbors = HammingNeighbors().fit(chunks_of(folder))
    queries = da.from_array(np.tile(CODES[:500], (8, 1)), chunks=(500, 4))
    found = dask.persist(*neighbors.kneighbors(queries, 20))
    time.sleep(0.1)
    kill_one(client)
    wanted = Local().fit(CODES).kneighbors(CODES[:500], 20)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.compute(), np.tile(other, (8, 1)))


def test_worker_dies_in_the_middle_of_an_evaluation(client, folder, monkeypatch):
    database = ShardedCodes(chunks_of(folder), LABELS)
    compute = database._shards.cluster.client.compute

    def killing(tasks):
        futures = compute(tasks)
        if not killed:
            killed.update(kill_one(client))
        return futures

    killed = set()
    monkeypatch.setattr(database._shards.cluster.client, "compute", killing)
    found = metrics.evaluate(CODES[:300], database, LABELS[:300], n_resamples=20)
    wanted = metrics.evaluate(CODES[:300], CODES, LABELS[:300], LABELS, n_resamples=20)
    assert killed
    np.testing.assert_equal(
        found.to_dict(per_query=True), wanted.to_dict(per_query=True)
    )


def test_a_file_that_is_gone_names_its_chunk_and_worker(client, folder):
    (folder / "2.npy").unlink()
    with pytest.raises(
        ChunkError,
        match=r"Chunk 2 \(rows 2000 to 2999\) failed on tcp://.*FileNotFound",
    ):
        HammingNeighbors().fit(chunks_of(folder))


def test_a_file_of_another_width_names_its_chunk_and_worker(client, folder):
    np.save(folder / "1.npy", CODES[:1000, :3])
    with pytest.raises(
        ChunkError,
        match=r"Chunk 1 \(rows 1000 to 1999\) failed on tcp://.*\(1000, 3\)",
    ):
        HammingNeighbors().fit(chunks_of(folder))


def test_a_shard_that_cannot_be_made_again_is_named(client, folder):
    neighbors = HammingNeighbors().fit(chunks_of(folder))
    for file in folder.glob("*.npy"):
        file.unlink()
    kill_one(client, neighbors.info()["shards"][0]["workers"][0])

    def search_until_it_is_noticed():
        for _ in range(20):
            neighbors.kneighbors(CODES[:50])
            time.sleep(0.2)

    with pytest.raises(ChunkError, match=r"Chunk \d .* failed on tcp://.*FileNotFound"):
        search_until_it_is_noticed()


def test_a_closed_cluster_is_one_error(folder):
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        with Client(cluster):
            neighbors = HammingNeighbors().fit(chunks_of(folder))
        with pytest.raises(ClusterClosed, match="start another"):
            neighbors.kneighbors(CODES[:5])


class Slow:
    """An encoder that takes its time."""

    def __init__(self, encoder):
        self.encoder = encoder

    def transform(self, X):
        time.sleep(0.2)
        return self.encoder.transform(X)


def test_worker_dies_in_the_middle_of_an_encoding(client, tmp_path):
    X = RNG.normal(size=(1800, 32)).astype(np.float32)
    encoder = RotatedSigns(random_state=0).fit(X)

    def kill_after_the_first_parts():
        while not list(tmp_path.glob("*.json")):
            time.sleep(0.05)
        kill_one(client)

    killer = threading.Thread(target=kill_after_the_first_parts)
    killer.start()
    codes = encode(Slow(encoder), da.from_array(X, chunks=(200, 32)), store=tmp_path)
    killer.join()
    np.testing.assert_array_equal(codes, encoder.transform(X))


def test_grid_search_on_workers_finds_the_same_codes(client):
    X, y = make_blobs(120, n_features=6, centers=3, random_state=0)
    X = X.astype(np.float32)
    search = GridSearchCV(
        DeepHashEncoder(16, max_epochs=1, random_state=0, n_jobs=1),
        {"loss": ["csq", "dch"]},
        cv=StratifiedKFold(2, shuffle=True, random_state=0),
        scoring=metrics.mean_average_precision_scorer,
    )
    wanted = clone(search).fit(X, y)
    with joblib.parallel_config("dask", scatter=[X, y]):
        found = search.fit(X, y)
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(found.cv_results_[name], wanted.cv_results_[name])
    np.testing.assert_array_equal(found.transform(X), wanted.transform(X))
