"""Reading vectors: exact distances, bounds that end it, kernels and their twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.vectors import StoredVectors, as_unit, read_all, read_nearest

METRICS = ["euclidean", "cosine", "inner_product"]
FLOATS = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64)


def stored_as(kind, X, split):
    """Vectors in memory of some kind, and the same in float64."""
    if kind == "int8":
        base = np.rint(X * 20).astype(np.int8)
        scales = np.linspace(0.1, 1, len(X)).astype(np.float32)
        shift = np.linspace(-1, 1, X.shape[1])
        stored = StoredVectors(base[:split], base[split:], scales, shift)
        return stored, shift + scales[:, None].astype(float) * base
    if kind == "float16":
        base = X.astype(np.float16)
        words = base.view(np.uint16)
        stored = StoredVectors(words[:split], words[split:], table=FLOATS)
        return stored, base.astype(float)
    base = (10 * X).astype(kind)
    return StoredVectors(base[:split], base[split:]), base.astype(float)


def exact(queries, X, metric):
    if metric == "inner_product":
        return -queries @ X.T
    found = pairwise_distances(queries, X, metric=metric)
    return found**2 if metric == "euclidean" else found


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "int8", "uint8"])
def test_values_are_those_of_numpy(rng, metric, kind):
    X = np.abs(rng.normal(size=(40, 13)))
    stored, X = stored_as(kind, X, 30)
    queries = rng.normal(size=(3, 13))
    candidates, offsets = np.tile(np.arange(40), 3), np.arange(4) * 40
    found = read_all(queries, stored, metric, candidates, offsets).reshape(3, 40)
    np.testing.assert_allclose(found, exact(queries, X, metric), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(stored.rows(np.arange(40)), X)


@given(
    seed=st.integers(0, 100),
    d=st.integers(1, 20),
    k=st.integers(1, 12),
    kind=st.sampled_from(["float32", "float16", "int8"]),
    metric=st.sampled_from(METRICS),
    n_jobs=st.sampled_from([1, 3]),
)
def test_kernels_give_what_their_twin_gives(seed, d, k, kind, metric, n_jobs):
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, size=(30, d)).astype(float)  # with ties, and zero rows
    stored, _ = stored_as(kind, X, 20)
    queries = rng.integers(-2, 3, size=(5, d)).astype(float)
    sizes = rng.integers(0, 30, size=5)
    offsets = np.append(0, np.cumsum(sizes))
    candidates = np.concatenate([rng.permutation(30)[:size] for size in sizes])
    bounds = np.concatenate([np.sort(rng.normal(size=size)) for size in sizes])
    answers = []
    for engine in ("numba", "numpy"):
        with forced_engine(engine):
            task = queries, stored, metric
            nearest = read_nearest(*task, bounds, candidates, offsets, k, n_jobs=n_jobs)
            answers.append(
                (*nearest, read_all(*task, candidates, offsets, n_jobs=n_jobs))
            )
    for left, right in zip(*answers, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("metric", METRICS)
def test_true_bounds_find_the_nearest_and_end_early(rng, metric):
    X, queries = rng.normal(size=(200, 8)), rng.normal(size=(20, 8))
    values = exact(queries, X, metric)
    bounds = values - 0.2 * rng.random(values.shape)
    order = np.argsort(bounds, axis=1)
    found, indices, n_read = read_nearest(
        queries,
        StoredVectors(X, X[:0]),
        metric,
        np.take_along_axis(bounds, order, 1).ravel(),
        order.ravel(),
        np.arange(21) * 200,
        5,
    )
    np.testing.assert_array_equal(indices, np.argsort(values, axis=1)[:, :5])
    np.testing.assert_allclose(found, np.sort(values, axis=1)[:, :5], atol=1e-12)
    inside = (bounds <= found[:, -1:]).sum(axis=1)
    np.testing.assert_array_equal(n_read, inside)
    assert (n_read < 200).all()


def test_zero_vectors_are_at_cosine_distance_one():
    X = np.array([[0.0, 0.0], [1.0, 0.0]])
    stored = StoredVectors(X, X[:0])
    found = read_all(X, stored, "cosine", np.array([0, 1, 0, 1]), np.array([0, 2, 4]))
    assert found.tolist() == [1, 1, 1, 0]


def test_equal_vectors_are_at_distance_zero(rng):
    X = rng.normal(size=(50, 7)) * 10.0 ** rng.integers(-5, 6, size=(50, 1))
    stored = StoredVectors(X, X[:0])
    for metric in ("euclidean", "cosine"):
        found = read_all(X, stored, metric, np.arange(50), np.arange(51))
        assert not found.any()


def test_unit_vectors_have_length_one(rng):
    X = np.vstack([rng.normal(size=(5, 9)), np.zeros((1, 9))])
    norms = np.linalg.norm(as_unit(X), axis=1)
    np.testing.assert_allclose(norms, [1, 1, 1, 1, 1, 0])
