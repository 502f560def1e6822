"""Recall of neighbours, against loops over all pairs and all orders of ties."""

import math
import pickle
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhash import vectors
from skhash.hamming import pack
from skhash.metrics import (
    make_retrieval_scorer,
    neighbor_recall,
    neighbor_recall_scorer,
)
from skhash.neighbors import HammingNeighbors
from tests.metrics import brute

METRICS = ["cosine", "euclidean", "inner_product"]


def nearness(q, x, metric):
    """One pair, number by number."""
    q, x = [float(a) for a in q], [float(a) for a in x]
    product = math.fsum(a * b for a, b in zip(q, x, strict=True))
    if metric == "inner_product":
        return product
    if metric == "euclidean":
        return -math.fsum((a - b) ** 2 for a, b in zip(q, x, strict=True))
    lengths = [math.sqrt(math.fsum(a * a for a in side)) for side in (q, x)]
    return product / (lengths[0] * lengths[1]) if all(lengths) else 0.0


def slow_neighbors(queries, database, k, metric, exclude_self=False):
    rows = []
    for i, q in enumerate(queries):
        others = [j for j in range(len(database)) if not (exclude_self and i == j)]
        # Cosines of whole numbers that are equal may differ in the last places.
        key = lambda j, q=q: (-round(nearness(q, database[j], metric), 12), j)
        rows.append(sorted(others, key=key)[:k])
    return rows


def slow_recall(queries, database, Q, X, k, metric, exclude_self=False):
    """Mean over every order of equally near vectors and of codes at equal distances."""
    found = []
    for i, code in enumerate(queries):
        others = [j for j in range(len(database)) if not (exclude_self and i == j)]
        farness = [-round(nearness(Q[i], X[j], metric), 12) for j in others]
        truths = Counter(
            frozenset(order[:k]) for order in brute.all_orders(farness, others)
        )
        distances = [int(np.bitwise_count(code ^ database[j]).sum()) for j in others]
        recalls = [
            brute.over_orders(
                brute.recall_at_k,
                distances,
                [int(j in true) for j in others],
                "expected",
                k,
            )
            for true in truths
        ]
        found.append(np.average(recalls, weights=list(truths.values())))
    return np.mean(found)


def all_of(blocks):
    return np.concatenate(list(blocks))


# Few whole numbers: many are equally near, and all sums are exact.
tables = arrays(np.int8, (5, 2), elements=st.integers(-2, 2))


@pytest.mark.parametrize("metric", ["euclidean", "inner_product"])
@pytest.mark.parametrize("alone", [False, True])
@given(X=tables, Q=tables, codes=arrays(np.uint8, (5, 1)), k=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_recall_equals_loops_over_all_orders_of_ties(metric, alone, X, Q, codes, k):
    Q, queries = (X, codes) if alone else (Q[:3], codes[2:] ^ np.uint8(1))
    value = neighbor_recall(
        queries, codes, Q, X, k=k, metric=metric, exclude_self=alone
    )
    expected = slow_recall(queries, codes, Q, X, k, metric, alone)
    assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, bool])
@pytest.mark.parametrize("alone", [False, True])
def test_neighbours_equal_sorting_every_pair(monkeypatch, metric, dtype, alone):
    for name, size in {
        "_QUERIES": 7,
        "_ITEMS": 16,
        "_FIRST": 12,
        "_VALUES": 64,
    }.items():
        monkeypatch.setattr(vectors, name, size)
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(60, 5)) * 3).astype(dtype)
    X[20:25] = X[3]  # equal ones come by index
    X[40] = 0
    Q = X if alone else (rng.normal(size=(30, 5)) * 3).astype(dtype)
    found = all_of(vectors.nearest_vectors(Q, X, 6, metric, exclude_self=alone))
    assert found.dtype == np.int64
    if metric == "cosine" and dtype in (np.int64, bool):
        # Parallel vectors of other lengths: nothing but rounding tells them apart.
        near = lambda rows: [
            [round(nearness(q, X[j], metric), 9) for j in row]
            for q, row in zip(Q, rows, strict=True)
        ]
        assert near(found) == near(slow_neighbors(Q, X, 6, metric, alone))
    else:
        assert found.tolist() == slow_neighbors(Q, X, 6, metric, alone)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_do_not_depend_on_how_the_work_is_cut(monkeypatch, metric):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 33)).astype(np.float32)
    X[100:200] = X[:100]
    X[200:] = X[:100] * np.float32(1 + 1e-6)  # float32 products cannot tell these
    whole = all_of(vectors.nearest_vectors(X, X, 4, metric))
    monkeypatch.setattr(vectors, "_QUERIES", 50)
    monkeypatch.setattr(vectors, "_ITEMS", 77)
    np.testing.assert_array_equal(
        all_of(vectors.nearest_vectors(X, X, 4, metric)), whole
    )
    alone = [all_of(vectors.nearest_vectors(x[None], X, 4, metric)) for x in X[:9]]
    np.testing.assert_array_equal(np.concatenate(alone), whole[:9])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("factor", [1e-200, 1e-30, 1.0, 1e30, 1e200])
def test_numbers_of_any_size_have_the_same_neighbours(metric, factor):
    X = np.random.default_rng(2).normal(size=(50, 4))
    expected = all_of(vectors.nearest_vectors(X, X, 5, metric))
    found = all_of(vectors.nearest_vectors(X * factor, X * factor, 5, metric))
    np.testing.assert_array_equal(found, expected)


def test_small_differences_far_from_zero_are_seen():
    rng = np.random.default_rng(3)
    X = 1e6 + rng.normal(size=(200, 3))
    found = all_of(vectors.nearest_vectors(X, X, 3, "euclidean", exclude_self=True))
    assert found.tolist() == slow_neighbors(X, X, 3, "euclidean", True)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "inner_product"])
def test_repeated_zero_and_far_vectors_cost_little(monkeypatch, metric):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 6))
    X[::3], X[1::3], X[5] = 0, X[1], 1e7
    compared = []
    nearness = vectors._Space.nearness

    def counted(space, queries, items):
        compared.append(len(queries))
        return nearness(space, queries, items)

    monkeypatch.setattr(vectors._Space, "nearness", counted)
    blocks = vectors.nearest_vectors(X, X, 4, metric, exclude_self=True)
    found = all_of(blocks)
    assert sum(compared) < 40 * len(X)
    for query in (0, 1, 2, 3, 5, 1199):
        rest = np.delete(np.arange(len(X)), query)
        expected = rest[slow_neighbors(X[[query]], X[rest], 4, metric)]
        np.testing.assert_array_equal(found[[query]], expected)


def test_equal_vectors_are_neighbours_by_index():
    X = np.ones((5, 2))
    for metric in METRICS:
        found = all_of(vectors.nearest_vectors(X, X, 2, metric, exclude_self=True))
        assert found.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_memmap_has_the_same_recall(tmp_path):
    X = np.random.default_rng(4).normal(size=(80, 6)).astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    codes = pack(X > 0)
    options = {"exclude_self": True, "metric": "euclidean"}
    expected = neighbor_recall(codes, codes, X, X, **options)
    assert neighbor_recall(codes, codes, mapped, mapped, **options) == expected
    assert 0 < expected < 1


def test_codes_that_keep_the_order_find_all():
    X = np.arange(9.0)[:, None]
    thermometer = np.arange(8) < np.arange(9)[:, None]
    value = neighbor_recall(
        thermometer, thermometer, X, X, k=1, metric="euclidean", exclude_self=True
    )
    # Inner items have two equally near neighbours, and codes that are as near as each
    # other: either is the true one, and either is found, with a chance of one half.
    assert value == pytest.approx((2 + 7 * 0.5) / 9)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("alone", [False, True])
def test_ties_are_averaged_over_however_the_work_is_cut(monkeypatch, metric, alone):
    rng = np.random.default_rng(6)
    X = rng.normal(size=(90, 3))
    X[10:40], X[50:60], X[70] = X[3], 0, 1e4
    codes, order = rng.integers(4, size=(90, 1), dtype=np.uint8), rng.permutation(90)
    options = {"k": 12, "metric": metric, "exclude_self": alone}
    whole = neighbor_recall(codes, codes, X, X, **options)
    for name in ("_QUERIES", "_ITEMS", "_FIRST", "_TIED", "_VALUES"):
        monkeypatch.setattr(vectors, name, 13)
    cut = neighbor_recall(codes, codes, X, X, **options)
    moved = codes[order], codes[order], X[order], X[order]
    assert cut == pytest.approx(whole, abs=1e-12)
    assert neighbor_recall(*moved, **options) == pytest.approx(whole, abs=1e-12)
    # Every query by hand: places and chances, of items sorted by how near they are.
    values = np.array([[round(nearness(q, x, metric), 9) for x in X] for q in X])
    expected = []
    for i in range(90):
        others = np.delete(np.arange(90), i) if alone else np.arange(90)
        shares = share_of_places(-values[i, others], 12)
        distances = np.bitwise_count(codes[i] ^ codes[others])[:, 0]
        expected.append(shares @ share_of_places(distances, 12) / 12)
    assert whole == pytest.approx(np.mean(expected), abs=1e-9)


def share_of_places(values, k):
    """Chance of each item to be among the k least, by counting."""
    below = (values[:, None] > values).sum(axis=1)
    equal = (values[:, None] == values).sum(axis=1)
    return np.clip((k - below) / equal, 0, 1)


def test_copies_of_the_nearest_share_the_places():
    X = np.array([[1.0, 0.0]] * 4 + [[0.0, 1.0]])
    found, missed = [[0b00]], [[0b11]]
    # One place for four items: code 0 is found, and is the true one of four.
    codes = np.uint8([[0b00], [0b01], [0b01], [0b01], [0b11]])
    options = {"metric": "euclidean", "k": 1}
    assert neighbor_recall(found, codes, [[1.0, 0.0]], X, **options) == 0.25
    assert neighbor_recall(missed, codes, [[1.0, 0.0]], X, **options) == 0.0
    assert neighbor_recall(found, codes, [[1.0, 0.0]], X, k=4) == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_many_copies_are_compared_but_once(monkeypatch, metric):
    X = np.random.default_rng(0).normal(size=(1200, 6))
    X[::3], X[1::3] = 0, X[1]
    compared = []
    nearness = vectors._Space.nearness

    def counted(space, queries, items):
        compared.append(len(queries))
        return nearness(space, queries, items)

    monkeypatch.setattr(vectors._Space, "nearness", counted)
    codes = pack(X > 0)
    neighbor_recall(codes, codes, X, X, k=4, metric=metric, exclude_self=True)
    assert sum(compared) < 40 * len(X)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"k": 0}, "k must be at least 1"),
        ({"metric": "cosin"}, "Did you mean 'cosine'"),
        ({"query_vectors": np.zeros((3, 2))}, "query_vectors has 3 rows for 4 codes"),
        ({"query_vectors": np.zeros((4, 3))}, "query_vectors has 3 columns, but 2"),
        ({"database_vectors": np.zeros((4, 2, 1))}, "Found array with dim 3"),
        (
            {"database_vectors": np.full((4, 2), np.nan)},
            "database_vectors contains NaN",
        ),
        ({"query_vectors": np.full((4, 2), np.inf)}, "query_vectors contains infinity"),
        ({"queries": np.zeros((4, 2), np.uint8)}, "bytes"),
        (
            {"queries": np.zeros((2, 1), np.uint8), "query_vectors": np.zeros((2, 2))},
            "2 queries and 4 items",
        ),
    ],
)
def test_refusals(changed, message):
    codes, X = np.zeros((4, 1), np.uint8), np.ones((4, 2))
    given = {"queries": codes, "database": codes}
    given |= {"query_vectors": X, "database_vectors": X, "exclude_self": True}
    with pytest.raises(ValueError, match=message):
        neighbor_recall(**{**given, **changed})


def test_one_item_has_no_neighbours():
    with pytest.raises(ValueError, match="two or more"):
        neighbor_recall([[1]], [[1]], [[1.0]], [[1.0]], exclude_self=True)


class Signs(TransformerMixin, BaseEstimator):
    """Bits of the first features."""

    def __init__(self, n_bits=2):
        self.n_bits = n_bits

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return pack(X[:, : self.n_bits] > 0)


X = np.random.default_rng(5).normal(size=(40, 6))


def test_scorer_leaves_each_item_out():
    codes = Signs(4).fit_transform(X)
    expected = neighbor_recall(codes, codes, X, X, exclude_self=True)
    assert neighbor_recall_scorer(Signs(4).fit(X), X) == expected
    labels = ["a", None] * 20  # are of no interest
    assert neighbor_recall_scorer(Signs(4).fit(X), X, labels) == expected


def test_scorer_measures_what_the_encoder_is_given():
    pipeline = make_pipeline(StandardScaler(), Signs(4)).fit(X)
    scaled = pipeline[0].transform(X)
    codes = pack(scaled[:, :4] > 0)
    expected = neighbor_recall(codes, codes, scaled, scaled, exclude_self=True)
    assert neighbor_recall_scorer(pipeline, X) == expected


def test_scorer_measures_by_y_where_the_loss_learns_from_it():
    encoder, V = Signs(4).fit(X), X[:, ::-1] ** 3
    encoder.loss_ = SimpleNamespace(supervision="vectors", teacher="y")
    codes = encoder.transform(X)
    expected = neighbor_recall(codes, codes, V, V, exclude_self=True)
    assert neighbor_recall_scorer(encoder, X, V) == expected
    with pytest.raises(ValueError, match="y is None"):
        neighbor_recall_scorer(encoder, X)


def test_scorer_works_in_searches_without_labels():
    search = GridSearchCV(
        Signs(), {"n_bits": [1, 6]}, scoring=neighbor_recall_scorer, cv=2
    ).fit(X)
    assert search.best_params_ == {"n_bits": 6}
    assert neighbor_recall_scorer(search, X) == neighbor_recall_scorer(
        search.best_estimator_, X
    )
    scoring = {
        "r": neighbor_recall_scorer,
        "r3": make_retrieval_scorer(neighbor_recall, k=3, metric="euclidean"),
    }
    scores = cross_validate(Signs(6), X, scoring=scoring, cv=2, error_score="raise")
    assert (scores["test_r"] > scores["test_r3"]).all()


def test_scorer_survives_pickling_and_tells_its_options():
    scorer = make_retrieval_scorer(neighbor_recall, k=3)
    assert repr(scorer) == "make_retrieval_scorer(neighbor_recall, k=3)"
    copied = pickle.loads(pickle.dumps(scorer))
    fitted = Signs(5).fit(X)
    assert copied(fitted, X) == scorer(fitted, X)


def test_scorer_refuses_what_gives_no_codes():
    with pytest.raises(TypeError, match="score the encoder alone"):
        neighbor_recall_scorer(HammingNeighbors().fit(pack(X > 0)), pack(X > 0))
    with pytest.raises(TypeError, match="does not take sample_weight"):
        neighbor_recall_scorer(Signs().fit(X), X, sample_weight=np.ones(40))
