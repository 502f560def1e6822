"""HammingNeighbors: agreement with scikit-learn, inputs, errors, scores."""

import pickle

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils._param_validation import InvalidParameterError

from skhash.hamming import distances, pack, unpack
from skhash.metrics import mean_average_precision
from skhash.neighbors import (
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
)
from tests.hamming.brute import draw_codes

N_BITS = 24
RNG = np.random.default_rng(7)
CODES = draw_codes(RNG, 150, N_BITS, 0.1)
DATABASE, QUERIES = CODES[:120], CODES[120:]
LABELS = RNG.integers(0, 3, 150)


@pytest.fixture
def fitted():
    return HammingNeighbors().fit(DATABASE, LABELS[:120])


@pytest.fixture
def theirs():
    bits = unpack(DATABASE, N_BITS)
    return NearestNeighbors(metric="hamming", algorithm="brute").fit(bits)


def test_distances_are_scikit_learns_in_bits(fitted, theirs):
    found = fitted.kneighbors(QUERIES, 9)[0]
    expected = theirs.kneighbors(unpack(QUERIES, N_BITS), 9)[0]
    np.testing.assert_allclose(found / N_BITS, expected)


def test_kneighbors_come_in_order_of_distance_and_index(fitted):
    found, indices = fitted.kneighbors(QUERIES)
    for row, dist, index in zip(
        distances(QUERIES, DATABASE), found, indices, strict=True
    ):
        order = sorted(range(120), key=lambda j: (row[j], j))[:5]
        assert index.tolist() == order
        assert dist.tolist() == row[order].tolist()


@pytest.mark.parametrize("n_neighbors", [1, 5, 119])
def test_kneighbors_without_queries_exclude_the_item_itself(fitted, n_neighbors):
    found, indices = fitted.kneighbors(n_neighbors=n_neighbors)
    for i, row in enumerate(distances(DATABASE, DATABASE)):
        order = [j for j in sorted(range(120), key=lambda j: (row[j], j)) if j != i]
        assert indices[i].tolist() == order[:n_neighbors]
        assert found[i].tolist() == row[order[:n_neighbors]].tolist()


def test_equal_codes_exclude_the_item_itself():
    neighbors = HammingNeighbors(n_neighbors=2).fit(np.zeros((5, 1), np.uint8))
    assert neighbors.kneighbors(return_distance=False).tolist() == [
        [1, 2],
        [0, 2],
        [0, 1],
        [0, 1],
        [0, 1],
    ]


def test_radius_neighbors_are_inclusive_and_in_order(fitted):
    found, indices = fitted.radius_neighbors(QUERIES, 4)
    assert found.dtype == indices.dtype == object
    for row, dist, index in zip(
        distances(QUERIES, DATABASE), found, indices, strict=True
    ):
        order = [
            j for j in sorted(range(120), key=lambda j: (row[j], j)) if row[j] <= 4
        ]
        assert index.tolist() == order
        assert dist.tolist() == row[order].tolist()
    assert 4 in np.concatenate(found)


def test_radius_neighbors_without_queries_exclude_the_item_itself(fitted, theirs):
    expected = theirs.radius_neighbors(radius=3 / N_BITS, return_distance=False)
    found = fitted.radius_neighbors(radius=3, return_distance=False)
    for left, right in zip(found, expected, strict=True):
        assert sorted(left) == sorted(right)


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
@pytest.mark.parametrize("X", [QUERIES, None], ids=["queries", "itself"])
def test_graphs_equal_scikit_learns(fitted, theirs, X, mode):
    scale = N_BITS if mode == "distance" else 1
    bits = None if X is None else unpack(X, N_BITS)
    mine = fitted.radius_neighbors_graph(X, 4, mode)
    other = theirs.radius_neighbors_graph(bits, (4 + 1e-9) / N_BITS, mode)
    assert issparse(mine)
    assert mine.format == "csr"
    assert mine.dtype == np.float64
    assert mine.nnz == other.nnz
    np.testing.assert_allclose(mine.toarray(), other.toarray() * scale)
    mine = fitted.kneighbors_graph(X, 3, mode)
    assert mine.shape == other.shape
    data = mine.data.reshape(-1, 3)
    if mode == "distance":
        np.testing.assert_array_equal(data, fitted.kneighbors(X, 3)[0])
    else:
        assert (data == 1).all()
    indices = fitted.kneighbors(X, 3, return_distance=False)
    np.testing.assert_array_equal(mine.indices.reshape(-1, 3), indices)


def test_graphs_keep_distances_of_zero():
    neighbors = HammingNeighbors(n_neighbors=2).fit(np.zeros((4, 2), np.uint8))
    for graph in (
        neighbors.kneighbors_graph(mode="distance"),
        neighbors.radius_neighbors_graph(mode="distance"),
    ):
        assert graph.nnz == len(graph.data) > 0
        assert (graph.data == 0).all()


def test_fit_copies_neither_packed_codes_nor_a_memory_map(tmp_path):
    codes = np.ascontiguousarray(CODES[:, :1].repeat(8, axis=1))
    assert np.shares_memory(HammingNeighbors().fit(codes).codes_, codes)
    np.save(tmp_path / "codes.npy", codes)
    mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
    neighbors = HammingNeighbors().fit(mapped)
    assert np.shares_memory(neighbors.codes_, mapped)
    np.testing.assert_array_equal(
        neighbors.kneighbors(codes[:9])[1],
        HammingNeighbors().fit(codes).kneighbors(codes[:9])[1],
    )


@pytest.mark.parametrize(
    "convert",
    [
        lambda codes: codes.astype(np.float64),
        lambda codes: codes.tolist(),
        np.asfortranarray,
        lambda codes: pytest.importorskip("pandas").DataFrame(codes),
    ],
    ids=["float", "list", "fortran", "frame"],
)
def test_codes_of_every_kind_give_the_same(fitted, convert):
    other = HammingNeighbors().fit(convert(DATABASE))
    expected = fitted.kneighbors(QUERIES)
    for left, right in zip(other.kneighbors(convert(QUERIES)), expected, strict=True):
        np.testing.assert_array_equal(left, right)


def test_bits_are_packed(fitted):
    other = HammingNeighbors().fit(unpack(DATABASE, N_BITS))
    assert other.n_features_in_ == N_BITS
    np.testing.assert_array_equal(other.codes_, DATABASE)
    for left, right in zip(
        other.kneighbors(unpack(QUERIES, N_BITS)),
        fitted.kneighbors(QUERIES),
        strict=True,
    ):
        np.testing.assert_array_equal(left, right)


def test_queries_of_another_kind_are_refused(fitted):
    with pytest.raises(ValueError, match="X has 4 features, but HammingNeighbors is"):
        fitted.kneighbors(np.zeros((2, 4), np.uint8))
    with pytest.raises(ValueError, match="X has 3 features that are bits"):
        fitted.kneighbors(np.zeros((2, 3), bool))
    on_bits = HammingNeighbors().fit(np.eye(8, dtype=bool))
    with pytest.raises(ValueError, match="X has 8 features that are packed codes"):
        on_bits.kneighbors(np.zeros((2, 8), np.uint8))
    with pytest.raises(ValueError, match="X has 1 features, but"):
        on_bits.kneighbors(np.zeros((2, 1), np.uint8))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.where(unpack(DATABASE, N_BITS), 1, -1), "Negative values in data"),
        (np.abs(RNG.normal(size=(9, 3))), "no integers"),
        (np.full((9, 3), 256), "above 255"),
        (np.array([[np.nan, 1.0]]), "NaN"),
        (np.zeros(5, np.uint8), "Expected 2D array"),
        (np.zeros((0, 5)), r"Found array with 0 sample\(s\)"),
        (np.zeros((5, 0), np.uint8), r"Found array with 0 feature\(s\)"),
    ],
)
def test_what_is_no_codes_is_refused(fitted, X, message):
    with pytest.raises(ValueError, match=message):
        HammingNeighbors().fit(X)


@pytest.mark.parametrize(
    ("n_neighbors", "error", "message"),
    [
        (
            121,
            ValueError,
            "Expected n_neighbors <= n_samples_fit, but n_neighbors = 121",
        ),
        (0, ValueError, "Expected n_neighbors > 0. Got 0"),
        (1.5, TypeError, "n_neighbors does not take .* enter integer value"),
    ],
)
def test_number_of_neighbors_that_cannot_be_is_refused(
    fitted, n_neighbors, error, message
):
    with pytest.raises(error, match=message):
        fitted.kneighbors(QUERIES, n_neighbors)
    with pytest.raises(ValueError, match="Expected n_neighbors < n_samples_fit"):
        fitted.kneighbors(n_neighbors=120)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_neighbors": 0},
        {"radius": -1},
        {"radius": 1.5},
        {"n_jobs": "2"},
        {"n_jobs": 0},
    ],
)
def test_invalid_parameters_are_refused(parameters):
    with pytest.raises(InvalidParameterError):
        HammingNeighbors(**parameters).fit(DATABASE)


@pytest.mark.parametrize(
    "estimator",
    [HammingNeighbors, HammingNeighborsClassifier, HammingNeighborsTransformer],
)
@pytest.mark.parametrize("n_jobs", [0, 1.5, "2"])
def test_numbers_of_threads_that_cannot_be_are_refused(estimator, n_jobs):
    with pytest.raises(InvalidParameterError, match="'n_jobs' parameter"):
        estimator(n_jobs=n_jobs).fit(DATABASE, LABELS[:120])
    # Set later, it meets the searches.
    fitted = estimator().fit(DATABASE, LABELS[:120]).set_params(n_jobs=n_jobs)
    with pytest.raises((TypeError, ValueError), match="n_jobs must be None or an int"):
        fitted.kneighbors(QUERIES)


@pytest.mark.parametrize("estimator", [HammingNeighbors, HammingNeighborsTransformer])
@pytest.mark.parametrize("radius", [1.0, np.float32(4), np.int8(3)])
def test_whole_radii_of_any_type_are_taken(fitted, estimator, radius):
    expected = fitted.radius_neighbors(QUERIES, int(radius))
    given = estimator(radius=radius).fit(DATABASE)
    for found in (
        given.radius_neighbors(QUERIES),
        fitted.radius_neighbors(QUERIES, radius),
    ):
        for left, right in zip(found, expected, strict=True):
            assert [row.tolist() for row in left] == [row.tolist() for row in right]
    pairs = [
        list(HammingNeighbors(radius=r).fit(DATABASE).pairs())
        for r in (radius, int(radius))
    ]
    np.testing.assert_array_equal(*pairs)


@pytest.mark.parametrize("estimator", [HammingNeighbors, HammingNeighborsTransformer])
@pytest.mark.parametrize("radius", [1.5, -1, np.nan, np.inf, "1", True])
def test_radii_are_refused_by_fit_and_method_in_the_same_words(
    fitted, estimator, radius
):
    with pytest.raises(InvalidParameterError) as at_fit:
        estimator(radius=radius).fit(DATABASE)
    with pytest.raises((TypeError, ValueError)) as at_call:
        fitted.radius_neighbors(QUERIES, radius)
    assert str(at_fit.value) == str(at_call.value)
    assert "radius must be" in str(at_fit.value)


def test_unknown_mode_and_unfitted_use_are_refused(fitted):
    with pytest.raises(ValueError, match="Unsupported mode"):
        fitted.kneighbors_graph(mode="weights")
    with pytest.raises(ValueError, match="Unsupported mode"):
        fitted.radius_neighbors_graph(mode="weights")
    for call in ("kneighbors", "radius_neighbors"):
        with pytest.raises(NotFittedError):
            getattr(HammingNeighbors(), call)(QUERIES)


@pytest.mark.parametrize("kind", ["vector", "strings", "multi-hot"])
def test_score_is_the_mean_average_precision(kind):
    labels = {
        "vector": LABELS,
        "strings": np.array(["a", "b", "c"])[LABELS],
        "multi-hot": np.maximum(np.eye(3)[LABELS], np.eye(3)[RNG.integers(0, 3, 150)]),
    }[kind]
    fitted = HammingNeighbors().fit(DATABASE, labels[:120])
    expected = mean_average_precision(QUERIES, DATABASE, labels[120:], labels[:120])
    assert fitted.score(QUERIES, labels[120:]) == expected
    np.testing.assert_array_equal(fitted.labels_, labels[:120])


def test_score_needs_fitted_labels():
    with pytest.raises(ValueError, match="fit the database with labels"):
        HammingNeighbors().fit(DATABASE).score(QUERIES, LABELS[120:])


def test_fit_refuses_labels_of_another_length():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        HammingNeighbors().fit(DATABASE, LABELS[:9])


def test_pickle_and_clone(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        again.kneighbors(QUERIES)[1], fitted.kneighbors(QUERIES)[1]
    )
    assert not hasattr(clone(fitted), "codes_")


def first_bits(X, n_bits=8):
    return pack(X[:, :n_bits] > 0)


def test_last_step_of_a_pipeline_under_grid_search():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 25)
    X = rng.normal(size=(4, 16))[y] + 0.8 * rng.normal(size=(100, 16))
    steps = FunctionTransformer(first_bits, kw_args={"n_bits": 1}), HammingNeighbors()
    grid = {"functiontransformer__kw_args": [{"n_bits": 1}, {"n_bits": 16}]}
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(make_pipeline(*steps), grid, cv=folds, error_score="raise")
    search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] > scores[0] + 0.1
    codes, queries = first_bits(X, 16), first_bits(X + 0.01, 16)
    expected = mean_average_precision(queries, codes, y, y)
    assert search.score(X + 0.01, y) == pytest.approx(expected)
