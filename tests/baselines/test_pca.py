"""PCA hashing against numpy's eigenvectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.baselines import ITQ, PCAHashing


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(1, 12), st.data())
def test_directions_are_those_of_numpy(seed, n, d, data):
    k = data.draw(st.integers(1, min(d, n - 1)))
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.geomspace(1, 20, d) + 7
    fitted = PCAHashing(k).fit(X)
    values, vectors = np.linalg.eigh(np.cov(X.T, bias=True).reshape(d, d))
    expected = vectors[:, ::-1][:, :k].T
    expected *= np.sign(expected[np.arange(k), np.abs(expected).argmax(axis=1)])[
        :, None
    ]
    np.testing.assert_allclose(fitted.explained_variance_, values[::-1][:k], rtol=1e-6)
    np.testing.assert_allclose(fitted.components_, expected, atol=1e-5)
    np.testing.assert_allclose(
        fitted.embed(X), (X - X.mean(axis=0)) @ expected.T, atol=1e-3
    )


def test_later_bits_explain_less():
    X = np.random.default_rng(0).normal(size=(200, 6)) * [1, 5, 3, 2, 4, 6]
    fitted = PCAHashing(6, output="signs").fit(X)
    assert (np.diff(fitted.explained_variance_) < 0).all()
    assert np.abs(fitted.components_).argmax(axis=1).tolist() == [5, 1, 4, 2, 3, 0]


@pytest.mark.parametrize("method", [PCAHashing, ITQ])
def test_more_bits_than_features_are_refused(method):
    with pytest.raises(ValueError, match=r"n_features=3.*RotatedSigns"):
        method(4).fit(np.random.default_rng(0).normal(size=(9, 3)))


@pytest.mark.parametrize("method", [PCAHashing, ITQ])
@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e8])
def test_fewer_items_than_bits_warn(method, scale):
    X = np.random.default_rng(0).normal(size=(5, 30)) * scale + 0.1
    with pytest.warns(UserWarning, match=r"Only 4 direction\(s\).*n_bits=8.*5 items"):
        fitted = method(8).fit(X)
    assert fitted.transform(X).shape == (5, 1)


def test_bits_without_variance_are_zero():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 10)) + 3
    with pytest.warns(UserWarning, match="the bits of the others are 0"):
        fitted = PCAHashing(5, output="bits").fit(X)
    assert not fitted.transform(rng.normal(size=(50, 10)))[:, 2:].any()
    assert fitted.transform(X)[:, :2].any(axis=0).all()
