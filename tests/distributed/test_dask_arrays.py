"""Metrics of dask arrays, which are measured where they lie."""

import dask
import dask.array as da
import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhash import EmbeddingNeighbors as LocalVectors
from skhash import metrics
from skhash.baselines import ITQ, RotatedSigns
from skhash.distributed import EmbeddingNeighbors, HammingNeighbors, ShardedCodes
from skhash.metrics import elsewhere
from skhash.neighbors import HammingNeighbors as Local

RNG = np.random.default_rng(0)
CODES = RNG.integers(16, size=(60, 2)).astype(np.uint8)
LABELS = RNG.integers(3, size=60)
QUERIES, ASKED = CODES[:9] ^ 1, LABELS[:9]


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(autouse=True)
def _never_here(monkeypatch):
    """A dask array of codes or items that is made an array of is an error."""
    made = da.Array.__array__

    def refused(self, *args, **options):
        assert len(self) < 20, "The array came here."
        return made(self, *args, **options)

    monkeypatch.setattr(da.Array, "__array__", refused)


def chunked(array, sizes=(25, 1, 34)):
    return da.from_array(array, chunks=(sizes, *([-1] * (array.ndim - 1))))


def test_metrics_and_reports_of_dask_arrays():
    given = chunked(CODES), chunked(LABELS, (60,))
    here = CODES, LABELS
    for metric in (metrics.mean_average_precision, metrics.ndcg):
        found, wanted = (metric(QUERIES, c, ASKED, y) for c, y in (given, here))
        assert found == wanted
    found, wanted = (
        metrics.evaluate(
            QUERIES, c, ASKED, y, k=5, n_resamples=20, X_queries=QUERIES, X_database=X
        )
        for c, y, X in ((*given, chunked(CODES, (30, 30))), (*here, CODES))
    )
    np.testing.assert_equal(
        found.to_dict(per_query=True), wanted.to_dict(per_query=True)
    )
    itself = metrics.evaluate(QUERIES, *given[:1], ASKED, LABELS, k=5, n_resamples=20)
    assert metrics.compare(found, itself, n_resamples=20).n_queries == 9
    assert metrics.code_health(given[0]) == metrics.code_health(CODES)


def test_scores_of_estimators_whose_database_lies_elsewhere():
    X, y = make_blobs(70, n_features=6, centers=3, random_state=0)
    encoder = RotatedSigns(12, random_state=0).fit(X)
    codes, queries = encoder.transform(X[:60]), encoder.transform(X[60:])
    scorer = metrics.mean_average_precision_scorer
    wanted = scorer(Local().fit(codes, y[:60]), queries, y[60:])
    shards = HammingNeighbors().fit(chunked(codes), y[:60])
    assert scorer(shards, queries, y[60:]) == wanted
    assert shards.score(queries, y[60:]) == wanted
    assert scorer(shards, da.from_array(queries), da.from_array(y[60:])) == wanted
    local = LocalVectors().fit(X[:60], y[:60])
    vectors = EmbeddingNeighbors().fit(chunked(X[:60]), y[:60])
    assert scorer(vectors, X[60:], y[60:]) == scorer(local, X[60:], y[60:])


def test_items_of_a_dask_array_are_encoded_by_chunks():
    X, y = make_blobs(60, n_features=6, centers=3, random_state=0)
    scorer = metrics.mean_average_precision_scorer
    for encoder in (
        RotatedSigns(12, random_state=0),
        make_pipeline(StandardScaler(), ITQ(6, random_state=0)),
        StandardScaler(),  # signs of real outputs
    ):
        encoder.fit(X, y)
        assert scorer(encoder, chunked(X), y) == scorer(encoder, X, y)


def test_neighbor_recall_wants_vectors_here():
    vectors = RNG.normal(size=(60, 5))
    sides = CODES[:9], vectors[:9]
    for database, items in (
        (ShardedCodes(chunked(CODES)), vectors),
        (chunked(CODES), vectors),
        (CODES, chunked(vectors)),
    ):
        with pytest.raises(TypeError, match="lies in shards: give arrays"):
            metrics.neighbor_recall(sides[0], database, sides[1], items)
    with pytest.raises(TypeError, match="given as items lies in shards"):
        metrics.neighbor_recall_scorer(RotatedSigns().fit(vectors), chunked(vectors))


@pytest.mark.parametrize("sets", [False, True])
def test_scores_by_length_and_order_of_bits(sets):
    labels = csr_array(RNG.random((60, 4)) < 0.4) if sets else LABELS
    bits = np.unpackbits(CODES, axis=1, count=11).astype(bool)
    shards = ShardedCodes(chunked(bits), labels)
    options = {"zero_relevant": 0}
    found = metrics.score_by_length(bits[:9], shards, labels[:9], **options)
    wanted = metrics.score_by_length(bits[:9], bits, labels[:9], labels, **options)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    for n_samples in (99, 20):
        options = {"n_samples": n_samples, "random_state": 0, "k": 5}
        wanted = metrics.order_bits(bits, labels, **options)
        plain = ShardedCodes(chunked(bits))
        for codes, given in ((shards, None), (plain, labels)):
            found = metrics.order_bits(codes, given, **options)
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_duplicates_of_items_of_a_dask_array(dtype):
    items = RNG.integers(2, size=(60, 2, 3)).astype(dtype)
    queries = items[:15].astype(np.int16 if dtype == np.uint8 else dtype)
    queries[0] = 7
    if dtype == np.float32:
        queries[queries == 0] = -0.0
    wanted = metrics.find_duplicates(queries, items)
    assert len(wanted) > 0
    for asked in (queries, da.from_array(queries, chunks=(4, -1, -1))):
        found = metrics.find_duplicates(asked, chunked(items))
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype
    for itself in (False, True):
        one, other = (
            metrics.evaluate(
                CODES,
                CODES,
                LABELS,
                LABELS,
                exclude_self=itself,
                n_resamples=2,
                X_queries=X,
                X_database=X,
            ).checks
            for X in (chunked(items), items)
        )
        np.testing.assert_equal(one, other)
    with pytest.raises(ValueError, match="items of the same shape"):
        metrics.find_duplicates(queries[:, :1], chunked(items))
    with pytest.raises(TypeError, match="not the codes in shards"):
        metrics.find_duplicates(CODES, ShardedCodes(chunked(CODES)))


def test_nobody_measures_dask_arrays_unless_asked_to(monkeypatch):
    monkeypatch.setattr(elsewhere, "_REGISTERED", [])
    with pytest.raises(TypeError, match=r"`import skhash\.distributed` first"):
        metrics.mean_average_precision(QUERIES, chunked(CODES), ASKED, LABELS)
