"""Memory of the shallow methods: what they take does not grow with a file's rows."""

import tracemalloc

import numpy as np
import pytest

from skhash import baselines
from skhash.baselines import _base, _projected, _sign_threshold
from skhash.baselines._principal import principal_directions

METHODS = [getattr(baselines, name) for name in baselines.__all__]


def make(method):
    """A method whose work is short."""
    wanted = {"n_bits": 16, "max_iter": 2, "random_state": 0, "threshold": "median"}
    if method is baselines.SignThreshold:
        del wanted["n_bits"]
    return method().set_params(
        **{key: wanted[key] for key in wanted if key in method().get_params()}
    )


def peak(call):
    """The most bytes that a call allocates."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@pytest.mark.parametrize("dtype", [np.float16, np.uint8])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_memmap_is_never_held_as_a_whole(monkeypatch, tmp_path, method, dtype):
    monkeypatch.setattr(_base, "_BLOCK", 1 << 15)
    monkeypatch.setattr(_projected, "_KEPT", 1 << 15)
    monkeypatch.setattr(_projected, "_AT_A_TIME", 1 << 15)
    monkeypatch.setattr(_sign_threshold, "_SORTED", 1 << 15)
    n, d = 30_000, 64
    rng = np.random.default_rng(0)
    centers = rng.integers(0, 200, size=(5, d))
    y = rng.integers(5, size=n)
    X = (centers[y] + rng.integers(0, 20, size=(n, d))).astype(dtype)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    fitted = make(method).fit(X[:500], y[:500])  # what is imported once
    fitted.transform(X[:500])
    # A fit of labels keeps a number or two of each; codes are 8 bytes at most.
    labels = 6 * y.nbytes if method is baselines.ITQCCA else 0
    assert peak(lambda: fitted.fit(mapped, y)) < 8 * n * d // 4 + labels
    assert peak(lambda: fitted.transform(mapped)) < 8 * n * d // 4
    assert np.array_equal(fitted.transform(mapped), fitted.transform(X))


def test_projections_made_again_are_those_that_are_kept(monkeypatch):
    X = np.random.default_rng(0).normal(size=(300, 10)) * np.arange(1, 11)
    kept = baselines.ITQ(8, random_state=0).fit(X)
    monkeypatch.setattr(_projected, "_KEPT", 0)
    monkeypatch.setattr(_projected, "_AT_A_TIME", 8 * 17)
    again = baselines.ITQ(8, random_state=0).fit(X)
    assert again.n_iter_ == kept.n_iter_
    np.testing.assert_allclose(again.errors_, kept.errors_, rtol=1e-12)
    np.testing.assert_allclose(again.components_, kept.components_, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Only:UserWarning")
@pytest.mark.parametrize("name", ["PCAHashing", "ITQ", "RotatedSigns"])
def test_few_items_of_many_features_need_no_covariance(name):
    X = np.random.default_rng(0).normal(size=(20, 3000))
    method = getattr(baselines, name)
    assert peak(lambda: make(method).fit(X)) < 3000**2 * 8 / 4


@pytest.mark.parametrize("k", [1, 9, 19, 30])
def test_few_items_have_the_directions_of_the_covariance(k):
    X = np.random.default_rng(0).normal(size=(20, 50)) * np.geomspace(1, 9, 50) + 3
    found = principal_directions(X, k)
    values, vectors = np.linalg.eigh(np.cov(X.T, bias=True))
    rank = min(k, 19)
    assert found.rank == rank
    np.testing.assert_allclose(found.mean, X.mean(axis=0))
    np.testing.assert_allclose(found.variances[:rank], values[::-1][:rank])
    expected = vectors.T[::-1][:rank]
    expected *= np.sign(expected[np.arange(rank), np.abs(expected).argmax(axis=1)])[
        :, None
    ]
    np.testing.assert_allclose(found.directions[:rank], expected, atol=1e-9)
    assert not found.directions[rank:].any()


@pytest.mark.parametrize("n", [3, 40])
def test_squares_that_overflow_are_refused_for_few_and_many_items(n):
    X = np.random.default_rng(0).normal(size=(n, 12)) * 1e200
    with pytest.raises(ValueError, match="overflow float64"):
        principal_directions(X, 2)
