"""EmbeddingNeighbors and odd input: decided, one by one."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from skhash import EmbeddingNeighbors
from skhash.baselines import RotatedSigns
from tests.neighbors.vectors import DATABASE, METRICS, QUERIES, SURE


def test_memory_maps_are_not_copied(tmp_path):
    np.save(tmp_path / "vectors.npy", DATABASE.astype(np.float32))
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    for metric in METRICS:
        mine = EmbeddingNeighbors(metric=metric).fit(mapped)
        assert np.shares_memory(mine._database.vectors.stored.base, mapped)
        mine.add(QUERIES.astype(np.float32))
        assert np.shares_memory(mine._database.vectors.stored.base, mapped)
        assert mine.n_samples_fit_ == 700
    assert mine.kneighbors(QUERIES)[1].shape == (100, 5)


@pytest.mark.slow
def test_a_graph_of_a_database_takes_less_memory_than_its_vectors(rng, monkeypatch):
    from skhash.neighbors import _embedding_search

    monkeypatch.setattr(_embedding_search, "TOGETHER", 16)
    mine = EmbeddingNeighbors(n_neighbors=1).fit(
        rng.normal(size=(4000, 200)).astype(np.float32)
    )
    mine.kneighbors(QUERIES.repeat(5, axis=1)[:1])  # kernels are loaded
    assert mine._database.noise > 0
    tracemalloc.start()
    mine.kneighbors()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4000 * 200 * 4


@pytest.mark.parametrize("metric", METRICS)
def test_zero_vectors(metric):
    database = np.vstack([np.zeros((2, 40)), DATABASE[:50], np.zeros((1, 40))])
    queries = np.vstack([np.zeros((1, 40)), QUERIES[:5]])
    mine = EmbeddingNeighbors(n_neighbors=53, metric=metric, epsilon=SURE)
    found, indices = mine.fit(database).kneighbors(queries)
    if metric == "inner_product":
        true = -queries @ database.T
    else:
        true = pairwise_distances(queries, database, metric=metric)
    np.testing.assert_allclose(
        found, np.take_along_axis(true, indices, 1), rtol=1e-6, atol=1e-6
    )
    if metric == "cosine":
        assert indices[0].tolist() == list(range(53))
        assert (found[0] == 1).all()
        few = mine.set_params(epsilon=0.1).kneighbors(queries[:1], 3)
        assert few[1].tolist() == [[0, 1, 2]]
        estimates = EmbeddingNeighbors(metric=metric, vectors=None).fit(database)
        of_zero, at = estimates.kneighbors(QUERIES[:1], 53)
        assert np.abs(of_zero[np.isin(at, (0, 1, 52))] - 1).max() < 0.3


def test_one_dimension(rng):
    database, queries = rng.normal(size=(200, 1)), rng.normal(size=(20, 1))
    mine = EmbeddingNeighbors().fit(database)
    expected = NearestNeighbors().fit(database).kneighbors(queries)
    found = mine.kneighbors(queries)
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    assert mine.score(queries) == 1


def test_one_vector():
    mine = EmbeddingNeighbors(n_neighbors=1).fit(DATABASE[:1])
    assert mine.kneighbors(DATABASE[:1]) == ([[0.0]], [[0]])


@pytest.mark.parametrize("encoder", [None, RotatedSigns(8, random_state=0)])
@pytest.mark.filterwarnings("ignore:Only 0 direction:UserWarning")
def test_equal_vectors_and_constant_columns(encoder):
    same = np.full((40, 20), 0.1)
    mine = EmbeddingNeighbors(encoder).fit(same)
    found, indices = mine.kneighbors(same[:2])
    assert not found.any()
    assert indices.tolist() == [[0, 1, 2, 3, 4]] * 2
    padded = np.hstack([DATABASE, np.full((600, 25), 1e3)])
    mine = EmbeddingNeighbors(epsilon=SURE).fit(padded)
    queries = np.hstack([QUERIES, np.full((100, 25), 1e3)])
    plain = NearestNeighbors().fit(DATABASE).kneighbors(QUERIES)
    np.testing.assert_array_equal(mine.kneighbors(queries)[1], plain[1])


@pytest.mark.parametrize("factor", [1e25, 1e-25])
@pytest.mark.parametrize("metric", METRICS)
def test_norms_whose_squares_leave_float32(factor, metric):
    usual = EmbeddingNeighbors(metric=metric, epsilon=SURE).fit(DATABASE)
    scaled = EmbeddingNeighbors(metric=metric, epsilon=SURE).fit(DATABASE * factor)
    found, expected = scaled.kneighbors(QUERIES * factor), usual.kneighbors(QUERIES)
    np.testing.assert_array_equal(found[1], expected[1])
    power = {"euclidean": 1, "cosine": 0, "inner_product": 2}[metric]
    np.testing.assert_allclose(found[0], expected[0] * factor**power, rtol=1e-6)


def test_values_beyond_float32_are_refused():
    with pytest.raises(ValueError, match="too large for float32"):
        EmbeddingNeighbors().fit(DATABASE * 1e40)
    with pytest.raises(ValueError, match="float16 holds values up to 65504"):
        EmbeddingNeighbors(vectors="float16").fit(DATABASE * 1e5)
    assert EmbeddingNeighbors(vectors="float16", metric="cosine").fit(DATABASE * 1e5)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((3, 4), np.nan), "NaN"),
        (np.full((3, 4), np.inf), "infinity"),
        (np.empty((0, 4)), "0 sample"),
        (np.zeros(4), "Expected 2D array"),
        (csr_array(np.eye(4)), "TruncatedSVD"),
        ([["a", "b"]], "not compatible with arrays of bytes/strings"),
    ],
    ids=["nan", "infinity", "empty", "1-d", "sparse", "strings"],
)
def test_refused_in_fit(bad, message):
    mine = EmbeddingNeighbors().fit(DATABASE)
    with pytest.raises(ValueError, match=message):
        mine.fit(bad)
    assert mine.n_samples_fit_ == 600
    assert mine.n_features_in_ == 40


def test_refused_in_searches():
    mine = EmbeddingNeighbors().fit(DATABASE)
    for X, message in [
        (QUERIES[:, :5], "5 features"),
        (np.full((1, 40), np.nan), "NaN"),
        (csr_array(QUERIES), "TruncatedSVD"),
    ]:
        for method in (mine.kneighbors, mine.radius_neighbors, mine.score, mine.add):
            with pytest.raises(ValueError, match=message):
                method(X)
    with pytest.raises(ValueError, match="n_neighbors <= n_samples_fit"):
        mine.kneighbors(QUERIES, 601)
    with pytest.raises(ValueError, match="n_neighbors < n_samples_fit"):
        mine.kneighbors(n_neighbors=600)
    with pytest.raises(ValueError, match="radius must be 0 or more"):
        mine.radius_neighbors(QUERIES, -0.5)
    with pytest.raises(TypeError, match="radius must be a number"):
        mine.radius_neighbors(QUERIES, "near")
    with pytest.raises(ValueError, match="filter needs queries"):
        mine.kneighbors(filter=[1])
    with pytest.raises(ValueError, match="Unsupported mode"):
        mine.kneighbors_graph(QUERIES, mode="weights")


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "cosin"},
        {"vectors": "float32"},
        {"query_bits": 9},
        {"epsilon": -1},
        {"n_neighbors": 0},
        {"radius": "1"},
        {"encoder": 3},
        {"n_jobs": 0},
    ],
    ids=str,
)
def test_parameters_out_of_range(params):
    with pytest.raises(InvalidParameterError, match=next(iter(params))):
        EmbeddingNeighbors(**params).fit(DATABASE)


def test_a_mistyped_metric_is_named():
    with pytest.raises(InvalidParameterError, match="Did you mean 'cosine'"):
        EmbeddingNeighbors(metric="cosin").fit(DATABASE)


def test_an_encoder_without_real_outputs_is_refused():
    from sklearn.preprocessing import OneHotEncoder

    with pytest.raises(ValueError, match="An encoder gives 1 to 4096 real outputs"):
        EmbeddingNeighbors(OneHotEncoder(sparse_output=False, dtype=int)).fit(
            (DATABASE > 0).astype(int)
        )


def test_any_transformer_with_real_outputs_encodes():
    mine = EmbeddingNeighbors(StandardScaler(), epsilon=3).fit(DATABASE)
    assert mine.score(QUERIES) > 0.95


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
def test_tensors(dtype):
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(DATABASE, dtype=getattr(torch, dtype), requires_grad=True)
    array = tensor.detach().to(torch.float64).numpy()
    mine = EmbeddingNeighbors(epsilon=SURE).fit(tensor)
    expected = EmbeddingNeighbors(epsilon=SURE).fit(array)
    queries = torch.tensor(QUERIES, dtype=getattr(torch, dtype))
    found = mine.kneighbors(queries)
    others = expected.kneighbors(queries.to(torch.float64).numpy())
    np.testing.assert_array_equal(found[1], others[1])
    np.testing.assert_allclose(found[0], others[0], rtol=1e-6)


def test_frames_keep_their_names():
    names = [f"d{i}" for i in range(40)]
    mine = EmbeddingNeighbors().fit(pd.DataFrame(DATABASE, columns=names))
    assert mine.feature_names_in_.tolist() == names
    found = mine.kneighbors(pd.DataFrame(QUERIES, columns=names))[1]
    plain = EmbeddingNeighbors().fit(DATABASE).kneighbors(QUERIES)[1]
    np.testing.assert_array_equal(found, plain)
    with pytest.raises(ValueError, match="feature names should match"):
        mine.kneighbors(pd.DataFrame(QUERIES, columns=names[::-1]))


def test_strided_and_bool_vectors():
    wide = np.repeat(DATABASE, 2, axis=1)
    mine = EmbeddingNeighbors(epsilon=SURE).fit(wide[:, ::2])
    plain = EmbeddingNeighbors(epsilon=SURE).fit(DATABASE)
    np.testing.assert_array_equal(
        mine.kneighbors(QUERIES)[1], plain.kneighbors(QUERIES)[1]
    )
    bits = DATABASE > 0
    found = EmbeddingNeighbors(epsilon=SURE).fit(bits).kneighbors(bits[:20], 3)[0]
    expected = NearestNeighbors().fit(bits.astype(float)).kneighbors(bits[:20], 3)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
