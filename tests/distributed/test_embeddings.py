"""Vectors in shards against those in this process: equal to the last bit."""

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhash import EmbeddingNeighbors as Local
from skhash.baselines import ITQ, RotatedSigns
from skhash.distributed import ChunkError, EmbeddingNeighbors
from skhash.distributed._fold import Fold, ended, with_chunk
from tests.distributed.test_neighbors import same

RNG = np.random.default_rng(0)
METRICS = ["euclidean", "cosine", "inner_product"]


@pytest.fixture(autouse=True, scope="module")
def _small_steps():
    """Few rows a block, few vectors ready and few queries together, here and there."""
    with pytest.MonkeyPatch.context() as patch, dask.config.set(scheduler="sync"):
        patch.setattr("skhash.neighbors._vector_input._BLOCK", 24)
        patch.setattr("skhash.neighbors._bounds.ROWS", 7)
        patch.setattr("skhash.distributed._vector_shards.ROWS", 7)
        patch.setattr("skhash.neighbors._embedding_search.READY", 2)
        patch.setattr("skhash.distributed._reading.READY", 2)
        patch.setattr("skhash.distributed._vector_queries._PIECE", 3)
        yield


@st.composite
def tasks(draw):
    """Vectors, some equal and some zero, chunk sizes, options, ids or none."""
    sizes = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(sum))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    width = draw(st.sampled_from([3, 8]))
    dtype = draw(st.sampled_from([np.float64, np.float32, np.float16, np.int8]))
    vectors = rng.normal(size=(sum(sizes) + 5, width)) * 9
    if draw(st.booleans()):  # many are equal
        vectors = np.rint(vectors / 9)
    vectors[rng.random(len(vectors)) < 0.1] = 0
    vectors = vectors.astype(dtype)
    options = {
        "metric": draw(st.sampled_from(METRICS)),
        "vectors": draw(st.sampled_from(["keep", "float16", "int8", None])),
        "epsilon": draw(st.sampled_from([0.0, 1.9, 6.0])),
        "query_bits": draw(st.sampled_from([1, 4])),
        "encoder": draw(
            st.sampled_from(
                [
                    None,
                    RotatedSigns(16, random_state=1),
                    RotatedSigns(11, random_state=1),
                ]
            )
        ),
    }
    ids = rng.permutation(sum(sizes)) * 7 - 5 if draw(st.booleans()) else None
    return vectors[:-5], tuple(sizes), vectors[-5:], options, ids


def both(X, sizes, ids=None, y=None, **options):
    """The local database and the one in shards."""
    local = Local(n_jobs=1, **options).fit(X, y, ids)
    chunks = da.from_array(X, chunks=(sizes, -1))
    return local, EmbeddingNeighbors(**options).fit(chunks, y, ids)


@pytest.mark.slow
@settings(max_examples=15)
@given(tasks(), st.integers(1, 40), st.data())
def test_answers_are_those_of_one_database(task, k, data):
    vectors, sizes, queries, options, ids = task
    local, shards = both(vectors, sizes, ids, **options)
    k = min(k, len(vectors))
    wanted = local.kneighbors(queries, k)
    same(shards.kneighbors(queries, k), wanted)
    radius = float(np.median(wanted[0]))
    if options["metric"] != "inner_product":
        radius = abs(radius)
    for call in ("radius_neighbors", "count_neighbors"):
        same(
            getattr(shards, call)(queries, radius),
            getattr(local, call)(queries, radius),
        )
    same(shards.codes_, local.codes_)
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(vectors), max_size=len(vectors)))
    )
    same(
        shards.radius_neighbors(queries, radius, filter=mask),
        local.radius_neighbors(queries, radius, filter=mask),
    )
    if mask.any():
        k = min(k, mask.sum())
        names = mask if ids is None else list(ids[mask])
        same(
            shards.kneighbors(queries, k, filter=names),
            local.kneighbors(queries, k, filter=names),
        )


@pytest.mark.slow
@settings(max_examples=10)
@given(tasks(), st.integers(1, 6))
def test_the_database_asks_itself_and_is_scored(task, k):
    vectors, sizes, queries, options, ids = task
    options["vectors"] = options["vectors"] or "keep"
    local, shards = both(
        vectors, sizes, ids, n_neighbors=min(k, len(vectors)), **options
    )
    assert shards.score(queries) == local.score(queries)
    same(shards.radius_neighbors(radius=3.0), local.radius_neighbors(radius=3.0))
    same(shards.count_neighbors(radius=3.0), local.count_neighbors(radius=3.0))
    if k < len(vectors):
        same(shards.kneighbors(), local.kneighbors())


@settings(max_examples=15)
@given(tasks(), st.data())
def test_changes_are_those_of_one_database(task, data):
    vectors, sizes, queries, options, ids = task
    local, shards = both(vectors, sizes, ids, **options)
    top = 0 if ids is None else 10**6
    for _ in range(3):
        names = np.arange(local.n_samples_fit_) if ids is None else local.ids_
        if data.draw(st.booleans()):
            gone = data.draw(st.lists(st.sampled_from(list(names)), unique=True))
            if len(gone) == len(names):  # what is left must be there to be found
                continue
            local.remove(gone)
            shards.remove(gone)
        else:
            dtype = data.draw(st.sampled_from([np.float32, np.int16, np.float16]))
            more = vectors[: data.draw(st.integers(1, 7))].astype(dtype)
            new = None if ids is None else np.arange(len(more)) + top
            top += 100
            local.add(more, ids=new)
            chunks = da.from_array(more, chunks=(data.draw(st.integers(1, 4)), -1))
            shards.add(chunks if data.draw(st.booleans()) else more, ids=new)
        assert shards._shards.noise == local._database.noise
        k = min(4, local.n_samples_fit_)
        same(shards.kneighbors(queries, k), local.kneighbors(queries, k))
        same(shards.radius_neighbors(queries, 3), local.radius_neighbors(queries, 3))
        same(shards.codes_, local.codes_)
        if ids is not None:
            same(shards.ids_, local.ids_)


@settings(max_examples=15)
@given(tasks(), st.integers(1, 6))
def test_stages_of_a_search_are_those_of_one_database(task, k):
    vectors, sizes, queries, options, ids = task
    options["vectors"] = options["vectors"] or "keep"
    local, shards = both(
        vectors, sizes, ids, n_neighbors=min(k, len(vectors)), **options
    )
    for each in (local, shards):
        more = vectors[:3]
        each.add(more, ids=None if ids is None else 10**6 + np.arange(len(more)))
    wanted = local.explain(queries)
    assert shards.explain(queries) == wanted
    assert list(wanted) == list(shards.explain(da.from_array(queries, chunks=(2, -1))))


def test_changes_that_cannot_be_are_refused():
    X = RNG.normal(size=(10, 4)).astype(np.float32)
    local, shards = both(X, (5, 5), ids=np.arange(10))
    large = X[:2] * np.float64(1e39)
    with pytest.raises(ValueError, match=r"large|hold") as wanted:
        local.add(large, ids=[20, 21])
    for kind in (np.asarray, da.from_array):
        more = kind(X[:2] + 1)
        with pytest.raises(ValueError, match="Ids must be unique, 2 is not"):
            shards.add(more, ids=[2, 20])
        with pytest.raises(ValueError, match="The database has ids: give some"):
            shards.add(more)
        with pytest.raises(ValueError, match="The database has no labels"):
            shards.add(more, y=[0, 1], ids=[20, 21])
        with pytest.raises(ValueError, match="expecting 4 features"):
            shards.add(more[:, :3], ids=[20, 21])
        with pytest.raises(ChunkError, match=r"Chunk \d .*row.* 10 .*failed") as found:
            shards.add(kind(large), ids=[20, 21])
        assert str(wanted.value) in str(found.value)
    with pytest.raises(ValueError, match="0 sample"):
        shards.add(more[:0], ids=[])
    with pytest.raises(ValueError, match="No code has the id 99"):
        shards.remove([99])
    assert shards.n_samples_fit_ == 10
    fresh = EmbeddingNeighbors().add(da.from_array(X))
    assert fresh.remove(np.arange(10) < 5).n_samples_fit_ == 5


def test_small_additions_make_few_shards():
    X = RNG.normal(size=(20, 4))
    local, shards = both(X[:10], (5, 5), y=np.arange(10))
    for row in range(10, 20):
        local.add(X[row : row + 1], y=[row])
        shards.add(X[row : row + 1], y=[row])
    assert len(shards.info()["shards"]) == 4
    same(shards.kneighbors(X), local.kneighbors(X))
    same(shards.labels_, local.labels_)
    for each in (local, shards):
        each.remove(np.ones(20, bool))
    same(shards.count_neighbors(X), local.count_neighbors(X))
    for each in (local, shards):
        each.add(X[:4], y=[1, 2, 3, 4])
    same(shards.kneighbors(X, 3), local.kneighbors(X, 3))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("vectors", ["keep", "int8"])
def test_measured_encoders_are_frozen_and_the_same(metric, vectors):
    X = RNG.normal(size=(90, 8)) + 1
    for fitted in (
        ITQ(8, random_state=0),
        make_pipeline(StandardScaler(), RotatedSigns(8)),
    ):
        encoder = FrozenEstimator(fitted.fit(X[:50]))
        options = {"encoder": encoder, "metric": metric, "vectors": vectors}
        local, shards = both(X, (40, 1, 49), **options)
        np.testing.assert_array_equal(
            shards._shards.model[1].center, local._database.bounds.center
        )
        same(shards.kneighbors(X[:9]), local.kneighbors(X[:9]))
        same(shards.encode(X[:9]), local.encode(X[:9]))
        assert shards.encoder_ is encoder


def test_what_all_vectors_say_is_added_up_in_the_order_of_one_process():
    X = RNG.normal(size=(100, 5)).astype(np.float32)
    local, shards = both(X, (1, 0, 33, 2, 64))
    database = local._database
    np.testing.assert_array_equal(shards.encoder_.mean_, local.encoder_.mean_)
    assert shards._shards.model[1].scale == database.bounds.scale
    assert shards._shards.noise == database.noise


@pytest.mark.slow
@given(st.lists(st.integers(0, 9), max_size=6), st.integers(1, 7))
def test_a_fold_takes_whole_blocks_of_any_chunks(sizes, step):
    rows = np.arange(sum(sizes))
    fold = Fold(())
    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        fold = with_chunk(
            fold,
            lambda made, block: (*made, block.tolist()),
            rows[end - size : end],
            step,
        )
    found = ended(fold, lambda made, block: (*made, block.tolist()))
    assert list(found) == [
        rows[i : i + step].tolist() for i in range(0, len(rows), step)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["connectivity", "distance"])
def test_graphs_and_dask_queries(mode):
    X = RNG.normal(size=(60, 6))
    local, shards = both(X, (20, 40), radius=2.5)
    queries = da.from_array(X[:30], chunks=(20, 4))
    for asked, given_locally in ((X[:30], X[:30]), (queries, X[:30]), (None, None)):
        same(
            shards.kneighbors_graph(asked, mode=mode),
            local.kneighbors_graph(given_locally, mode=mode),
        )
        same(
            shards.radius_neighbors_graph(asked, mode=mode),
            local.radius_neighbors_graph(given_locally, mode=mode),
        )
    assert isinstance(shards.kneighbors(queries)[0], da.Array)
    same(shards.kneighbors(queries), local.kneighbors(X[:30]))
    same(shards.radius_neighbors(queries), local.radius_neighbors(X[:30]))
    same(shards.count_neighbors(queries), local.count_neighbors(X[:30]))
    same(shards.encode(queries), local.encode(X[:30]))
    unknown = queries[queries[:, 0] > 0]
    same(shards.kneighbors(unknown), local.kneighbors(unknown.compute()))
    assert shards.score(queries) == local.score(X[:30])


def test_labels_ids_and_sizes_are_told(capsys):
    X, y, ids = (
        RNG.normal(size=(10, 8)),
        np.arange(10) % 3,
        [f"v{i}" for i in range(10)],
    )
    local, shards = both(X, (4, 6), ids, y, vectors="int8", verbose=1)
    assert "this process: 2 shards, 10 codes" in capsys.readouterr().out
    same(shards.labels_, local.labels_)
    same(shards.ids_, local.ids_)
    told, wanted = shards.info(), local.info()
    assert [each["n_samples"] for each in told.pop("shards")] == [4, 6]
    assert told == {name: wanted[name] for name in told}
    assert told["vectors_bytes"] == 10 * (8 + 4)


def test_same_errors_as_locally():
    X = RNG.normal(size=(10, 4))
    local, shards = both(X, (5, 5))
    nothing, kept_nothing = both(X, (5, 5), vectors=None)
    for call in (
        lambda each, _: each.kneighbors(X, 11),
        lambda each, _: each.kneighbors(X, 0),
        lambda each, _: each.kneighbors(X, 2, filter=[1]),
        lambda each, _: each.kneighbors(filter=[1]),
        lambda each, _: each.kneighbors(X, filter=[99]),
        lambda each, _: each.radius_neighbors(X, -1),
        lambda each, _: each.kneighbors_graph(X, mode="no"),
        lambda each, _: each.kneighbors(X[:, :1]),
        lambda each, _: each.kneighbors(X * np.nan),
        lambda _, none: none.kneighbors(),
        lambda _, none: none.score(X),
    ):
        with pytest.raises(ValueError) as wanted:  # noqa: PT011
            call(local, nothing)
        with pytest.raises(ValueError) as found:  # noqa: PT011
            call(shards, kept_nothing)
        assert str(found.value) == str(wanted.value)


def test_what_cannot_be_is_refused():
    X = da.from_array(RNG.normal(size=(10, 4)), chunks=(5, 4))
    fit = EmbeddingNeighbors().fit
    with pytest.raises(TypeError, match="X must be a dask array, got ndarray"):
        fit(X.compute())
    with pytest.raises(ValueError, match=r"X\.compute_chunk_sizes\(\)"):
        fit(X[X[:, 0] > 0])
    with pytest.raises(ValueError, match="0 sample"):
        fit(X[:0])
    for encoder in (ITQ(4), RotatedSigns(2)):
        with pytest.raises(ValueError, match="FrozenEstimator"):
            EmbeddingNeighbors(encoder).fit(X)
    with pytest.raises(ValueError, match="expecting 4 features"):
        fit(X).kneighbors(X[:, :2])
    with pytest.raises(ValueError, match="Ids must be unique, 1 is not"):
        fit(X, ids=[*range(9), 1])


@pytest.mark.parametrize("vectors", ["keep", "int8"])
def test_an_error_names_the_chunk(vectors):
    X = RNG.normal(size=(10, 4))
    X[7, 1] = np.nan
    make = EmbeddingNeighbors(vectors=vectors)
    with pytest.raises(ChunkError, match=r"Chunk 1 \(rows 5 to 9\) failed .* NaN"):
        make.fit(da.from_array(X, chunks=(5, 4)))
    large = np.full((10, 4), 1e5)
    with pytest.raises(ChunkError, match=r"Chunk 0 .* float16 holds"):
        EmbeddingNeighbors(vectors="float16").fit(da.from_array(large, chunks=(5, 4)))
    lying = da.zeros((4, 2), chunks=2).map_blocks(lambda each: each[:1], dtype=float)
    with pytest.raises(ChunkError, match=r"shape \(1, 2\), but the array says"):
        make.fit(lying)
    lying = da.zeros((4, 2), chunks=2).map_blocks(np.float32, meta=np.zeros((0, 0)))
    with pytest.raises(ChunkError, match="of dtype float32, but the array says"):
        make.fit(lying)
