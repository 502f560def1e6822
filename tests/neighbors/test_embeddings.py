"""EmbeddingNeighbors: agreement with scikit-learn, graphs, storage, scores."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhash import EmbeddingNeighbors
from skhash.baselines import ITQ, PCAHashing, RotatedSigns, _base
from skhash.hamming import distances
from skhash.hamming.asymmetric import nearest_lower
from skhash.hamming.engine.choose import forced_engine
from skhash.metrics import mean_average_precision, mean_average_precision_scorer
from tests.neighbors.vectors import (
    DATABASE,
    LABELS,
    METRICS,
    QUERIES,
    QUERY_LABELS,
    SURE,
    true_distances,
)


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param


@pytest.fixture
def fitted(metric):
    return EmbeddingNeighbors(metric=metric, epsilon=SURE).fit(DATABASE)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int16])
def test_answers_are_scikit_learns(metric, dtype):
    database, queries = (10 * DATABASE).astype(dtype), (10 * QUERIES).astype(dtype)
    mine = EmbeddingNeighbors(n_neighbors=9, metric=metric, epsilon=SURE).fit(database)
    theirs = NearestNeighbors(n_neighbors=9, metric=metric)
    theirs.fit(database.astype(float))
    found, indices = mine.kneighbors(queries)
    expected, others = theirs.kneighbors(queries.astype(float))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    if dtype != np.int16:  # of whole numbers, some are equally far
        np.testing.assert_array_equal(indices, others)
    assert found.dtype == np.float64
    assert indices.dtype == np.int64


@pytest.mark.parametrize("k", [1, 5, 600])
def test_neighbours_come_in_order_of_distance_and_index(fitted, metric, k):
    found, indices = fitted.kneighbors(QUERIES, k)
    true = true_distances(QUERIES, DATABASE, metric)
    np.testing.assert_array_equal(
        indices, np.argsort(true, axis=1, kind="stable")[:, :k]
    )
    np.testing.assert_allclose(
        found, np.sort(true, axis=1)[:, :k], rtol=1e-9, atol=1e-9
    )


@pytest.mark.slow
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 60),
    d=st.integers(1, 10),
    query_bits=st.integers(1, 8),
    metric=st.sampled_from(METRICS),
)
def test_small_and_tied_databases_are_searched_exactly(seed, n, d, query_bits, metric):
    rng = np.random.default_rng(seed)
    database = rng.integers(-1, 3, size=(n, d))
    queries = rng.integers(-1, 3, size=(4, d))
    k = int(rng.integers(1, n + 1))
    mine = EmbeddingNeighbors(
        n_neighbors=k, metric=metric, epsilon=SURE, query_bits=query_bits
    ).fit(database)
    found, indices = mine.kneighbors(queries)
    true = true_distances(queries, database, metric)
    expected = np.sort(true, axis=1)[:, :k]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
    for row, at, dist in zip(true, indices, found, strict=True):
        assert len(set(at)) == k
        np.testing.assert_allclose(row[at], dist, rtol=1e-6, atol=1e-12)
        pairs = list(zip(dist, at, strict=True))
        assert pairs == sorted(pairs)


def test_without_queries_an_item_is_not_its_own_neighbour(fitted, metric):
    found, indices = fitted.kneighbors(n_neighbors=4)
    true = true_distances(DATABASE, DATABASE, metric)
    true[np.diag_indices(600)] = np.inf
    if metric != "inner_product":
        np.testing.assert_array_equal(indices, np.argsort(true, axis=1)[:, :4])
    assert (indices != np.arange(600)[:, None]).all()
    assert found.shape == (600, 4)


def radius_of(metric):
    return float(np.quantile(true_distances(QUERIES, DATABASE, metric), 0.03))


@pytest.mark.parametrize("vectors", ["keep", "float16"])
def test_radius_neighbors_are_all_within(metric, vectors):
    radius = radius_of(metric)
    mine = EmbeddingNeighbors(metric=metric, epsilon=SURE, vectors=vectors)
    found, indices = mine.fit(DATABASE).radius_neighbors(QUERIES, radius)
    kept = DATABASE
    if vectors == "float16":
        kept = mine._database.vectors.rows(np.arange(600))
    true = true_distances(QUERIES, kept, metric)
    for row, dist, at in zip(true, found, indices, strict=True):
        order = np.argsort(row, kind="stable")
        np.testing.assert_array_equal(at, order[row[order] <= radius])
        np.testing.assert_allclose(dist, row[at], rtol=1e-9, atol=1e-9)
    counts = [len(at) for at in indices]
    assert mine.count_neighbors(QUERIES, radius).tolist() == counts
    assert 0 < sum(counts) < len(QUERIES) * 600


def test_radius_is_inclusive_and_without_queries_leaves_items_out():
    grid = np.arange(5.0)[:, None]
    mine = EmbeddingNeighbors(radius=1).fit(grid)
    assert [each.tolist() for each in mine.radius_neighbors(return_distance=False)] == [
        [1],
        [0, 2],
        [1, 3],
        [2, 4],
        [3],
    ]


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
def test_graphs_are_scikit_learns(mode):
    mine = EmbeddingNeighbors(epsilon=SURE).fit(DATABASE)
    theirs = NearestNeighbors().fit(DATABASE)
    for queries in (QUERIES, None):
        graph = mine.kneighbors_graph(queries, 3, mode)
        assert issparse(graph)
        expected = theirs.kneighbors_graph(queries, 3, mode)
        np.testing.assert_allclose(graph.toarray(), expected.toarray())
        graph = mine.radius_neighbors_graph(queries, 15.0, mode)
        expected = theirs.radius_neighbors_graph(queries, 15.0, mode)
        np.testing.assert_allclose(graph.toarray(), expected.toarray())
        assert graph.nnz > 0


def test_a_second_scan_finds_what_the_first_did_not_make_ready(rng, monkeypatch):
    from skhash.neighbors import _embedding_search

    database, queries = rng.normal(size=(800, 20)), rng.normal(size=(10, 20))
    expected = EmbeddingNeighbors(epsilon=5).fit(database).kneighbors(queries)
    monkeypatch.setattr(_embedding_search, "READY", 1)
    monkeypatch.setattr(_embedding_search, "LISTED", 1000)
    found = EmbeddingNeighbors(epsilon=5).fit(database).kneighbors(queries)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("metric", METRICS)
def test_answers_do_not_depend_on_others_threads_or_engine(metric):
    make = EmbeddingNeighbors(metric=metric, n_jobs=1)
    expected = clone(make).fit(DATABASE).kneighbors(QUERIES)
    several = make.set_params(n_jobs=3).fit(DATABASE)
    alone = [several.kneighbors(query[None]) for query in QUERIES[:20]]
    for at, answer in enumerate((several.kneighbors(QUERIES), alone, None)):
        if at == 1:
            answer = [np.vstack(each) for each in zip(*answer, strict=True)]
        if at == 2:
            with forced_engine("numpy"):
                answer = several.kneighbors(QUERIES[:20])
        for left, right in zip(answer, expected, strict=True):
            np.testing.assert_array_equal(left, right[: len(left)])


@pytest.mark.parametrize(("vectors", "most"), [("float16", 1e-3), ("int8", 0.02)])
def test_compressed_vectors_are_near_those_given(metric, vectors, most):
    mine = EmbeddingNeighbors(metric=metric, epsilon=SURE, vectors=vectors)
    found, indices = mine.fit(DATABASE).kneighbors(QUERIES)
    true = true_distances(QUERIES, DATABASE, metric)
    scale = np.abs(true).max()
    gaps = np.abs(found - np.take_along_axis(true, indices, 1))
    assert gaps.max() < most * scale
    assert (gaps > 0).any()
    assert (
        mine.info()["vectors_bytes"]
        == {
            "float16": 2 * DATABASE.size,
            "int8": DATABASE.size + 4 * 600,
        }[vectors]
    )


def test_estimates_without_vectors(metric):
    make = EmbeddingNeighbors(
        RotatedSigns(1280, random_state=0), metric=metric, query_bits=8, vectors=None
    )
    mine = make.fit(DATABASE)
    found, indices = mine.kneighbors(QUERIES, 600)
    assert (np.diff(found, axis=1) >= 0).all()
    true = np.take_along_axis(true_distances(QUERIES, DATABASE, metric), indices, 1)
    assert np.abs(found - true).mean() < 0.1 * true.std()
    assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.97
    radius = found[0, 50:52].mean()
    inside = mine.radius_neighbors(QUERIES, radius)[0][0]
    np.testing.assert_allclose(inside, found[0, :51])
    assert mine.info()["vectors_bytes"] == 0
    with pytest.raises(ValueError, match="vectors=None kept no vectors"):
        mine.kneighbors()
    with pytest.raises(ValueError, match="vectors=None kept none"):
        mine.score(QUERIES)


@pytest.mark.parametrize(
    "encoder",
    [
        RotatedSigns(rotation="orthogonal", random_state=0),
        RotatedSigns(80, random_state=0),
        RotatedSigns(50, random_state=0),
        RotatedSigns(20, random_state=0),
        ITQ(24, random_state=0),
        make_pipeline(StandardScaler(), PCAHashing(30)),
        FrozenEstimator(RotatedSigns(random_state=0).fit(DATABASE + 1)),
        FrozenEstimator(make_pipeline(StandardScaler(), PCAHashing(30)).fit(DATABASE)),
    ],
    ids=str,
)
def test_other_encoders_find_nearly_all(encoder, metric):
    mine = EmbeddingNeighbors(encoder, metric=metric, epsilon=3.0).fit(DATABASE)
    assert mine.score(QUERIES) > 0.98
    if isinstance(encoder, FrozenEstimator):
        assert mine.encoder_ is encoder
    else:
        assert mine.encoder_ is not encoder
        assert type(mine.encoder_) is type(encoder)
    np.testing.assert_array_equal(mine.encode(DATABASE), mine.codes_)


def test_explain_tells_the_stages_apart():
    mine = EmbeddingNeighbors(n_neighbors=10).fit(DATABASE)
    told = mine.explain(QUERIES)
    assert list(told) == [
        "recall_centred",
        "recall_bits",
        "recall_query_bits",
        "recall_candidates",
        "recall",
        "vectors_read",
    ]
    assert told["recall_centred"] > 0.999  # a rotation loses nothing
    assert 0.1 < told["recall_bits"] < 0.9
    assert told["recall"] == mine.score(QUERIES) > 0.95
    assert 10 <= told["vectors_read"] <= 600
    few = EmbeddingNeighbors(RotatedSigns(8, random_state=0), n_neighbors=10)
    assert few.fit(DATABASE).explain(QUERIES)["recall_centred"] < 0.9


def test_score_is_recall_by_hand():
    mine = EmbeddingNeighbors(epsilon=0.0).fit(DATABASE)
    indices = mine.kneighbors(QUERIES, return_distance=False)
    true = np.argsort(true_distances(QUERIES, DATABASE, "euclidean"), axis=1)[:, :5]
    hits = [len(set(a) & set(b)) / 5 for a, b in zip(indices, true, strict=True)]
    assert mine.score(QUERIES) == pytest.approx(np.mean(hits))
    assert np.mean(hits) < 1


def test_confidence_buys_recall_with_reading():
    told = [
        EmbeddingNeighbors(epsilon=epsilon).fit(DATABASE).explain(QUERIES)
        for epsilon in (0.5, 1.9, 4.0)
    ]
    assert told[0]["recall"] < told[1]["recall"] <= told[2]["recall"]
    assert told[0]["vectors_read"] < told[1]["vectors_read"] < told[2]["vectors_read"]


def test_scorers_rank_codes_of_encoded_queries():
    mine = EmbeddingNeighbors().fit(DATABASE, LABELS)
    codes = mine.encoder_.transform(QUERIES)
    expected = mean_average_precision(codes, mine.codes_, QUERY_LABELS, LABELS)
    assert mean_average_precision_scorer(mine, QUERIES, QUERY_LABELS) == expected
    np.testing.assert_array_equal(mine.labels_, LABELS)


def test_searches_over_its_parameters():
    grid = {"encoder": [RotatedSigns(16, random_state=0), ITQ(16, random_state=0)]}
    search = GridSearchCV(EmbeddingNeighbors(vectors="int8"), grid, cv=2)
    search.fit(DATABASE)
    assert 0.5 < search.best_score_ <= 1
    by_label = GridSearchCV(
        EmbeddingNeighbors(), grid, cv=2, scoring=mean_average_precision_scorer
    ).fit(DATABASE, LABELS)
    assert 0 < by_label.best_score_ <= 1


def test_pickles_answer_as_before(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    for left, right in zip(
        again.kneighbors(QUERIES), fitted.kneighbors(QUERIES), strict=True
    ):
        np.testing.assert_array_equal(left, right)
    with pytest.raises(NotFittedError):
        clone(fitted).kneighbors(QUERIES)
    assert not hasattr(clone(fitted), "encoder_")


def test_hamming_distances_of_codes_order_items_roughly():
    mine = EmbeddingNeighbors().fit(DATABASE)
    apart = distances(mine.encode(QUERIES), mine.codes_).astype(float)
    true = true_distances(QUERIES, DATABASE, "euclidean")
    assert np.corrcoef(apart.ravel(), true.ravel())[0, 1] > 0.5


def read_one_by_one(neighbors, queries):
    """The nearest of each query, by reading in order of bounds until one is above."""
    database, nearest = neighbors._database, []
    asked = database.queries(queries, neighbors.epsilon, neighbors.query_bits)
    outputs = asked.outputs, database.codes, database.factors, len(database)
    bounds, order = nearest_lower(*outputs, asked.widths, query_bits=1)
    bounds = bounds * asked.scale + asked.lows[:, None]
    values = true_distances(queries, DATABASE[:9], "euclidean") ** 2
    for q, rows in enumerate(order):
        best = rows[0]
        for at in range(1, len(rows)):
            if bounds[q, at] > values[q, best]:
                break
            best = min(best, rows[at], key=lambda row: values[q, row])
        nearest.append(best)
    return nearest


def test_a_second_scan_keeps_what_was_nearer_than_its_bound(monkeypatch):
    from skhash.neighbors import _embedding_search

    monkeypatch.setattr(_embedding_search, "READY", 1)
    make = EmbeddingNeighbors(n_neighbors=1, epsilon=0, query_bits=1)
    neighbors = make.fit(DATABASE[:9])
    found = neighbors.kneighbors(DATABASE[9:], return_distance=False)[:, 0]
    np.testing.assert_array_equal(found, read_one_by_one(neighbors, DATABASE[9:]))


def test_items_far_from_themselves_keep_their_neighbours():
    vectors = np.array([[0.0, 0], [1, 0], [3, 0], [0, 4]])
    make = EmbeddingNeighbors(metric="cosine", epsilon=SURE, radius=0.5)
    found = make.fit(vectors).radius_neighbors(return_distance=False)
    assert [each.tolist() for each in found] == [[], [2], [1], []]
    assert make.count_neighbors().tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("encoder", [None, ITQ(8, random_state=0)])
def test_queries_are_checked_once(rng, monkeypatch, encoder):
    X = rng.normal(size=(300, 12))
    neighbors = EmbeddingNeighbors(encoder).fit(X)
    expected = neighbors.kneighbors(X[:5])

    def again(*args, **kwargs):
        raise AssertionError("checked again")

    monkeypatch.setattr(_base, "validate_data", again)
    for found, wanted in zip(neighbors.kneighbors(X[:5]), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_an_encoder_of_another_width_says_so(rng):
    frozen = FrozenEstimator(RotatedSigns(random_state=0).fit(rng.normal(size=(9, 4))))
    with pytest.raises(ValueError, match="X has 12 features, but RotatedSigns is exp"):
        EmbeddingNeighbors(frozen).fit(rng.normal(size=(30, 12)))
