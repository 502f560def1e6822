"""Spectral hashing against a slow loop over its eigenfunctions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.baselines import PCAHashing, SpectralHashing


def slow_outputs(X, Q, n_bits, epsilon):
    """z of queries: the eigenfunctions of least eigenvalue, one by one."""
    k = min(n_bits, X.shape[1])
    principal = PCAHashing(k).fit(X)
    V, W = ((each - X.mean(axis=0)) @ principal.components_.T for each in (X, Q))
    found = []
    for i in range(k):
        a, b = V[:, i].min(), V[:, i].max()
        for waves in range(1, n_bits + 1):
            frequency = waves * np.pi / (b - a)
            value = -np.expm1(-(epsilon**2) / 2 * frequency**2)
            outputs = [np.sin(np.pi / 2 + frequency * (x - a)) for x in W[:, i]]
            found.append((value, i, waves, outputs))
    found.sort(key=lambda each: each[:3])
    return np.array([each[3] for each in found[:n_bits]]).T


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 6),
    st.integers(1, 20),
    st.sampled_from([0.01, 0.1, 0.5]),
)
def test_outputs_are_those_of_the_loop(seed, d, n_bits, epsilon):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, d)) * rng.uniform(1, 10, size=d)
    Q = rng.normal(size=(10, d))
    z = SpectralHashing(n_bits).fit(X).embed(Q)
    np.testing.assert_allclose(z, slow_outputs(X, Q, n_bits, epsilon), atol=1e-4)


def test_a_long_direction_gets_several_bits():
    X = np.random.default_rng(0).uniform(size=(500, 3)) * [30, 9, 1]
    fitted = SpectralHashing(4).fit(X)
    assert fitted.directions_.tolist() == [0, 0, 0, 1]
    assert fitted.half_waves_.tolist() == [1, 2, 3, 1]
    share = (fitted.embed(X) > 0).mean(axis=0)
    assert (np.abs(share - 0.5) < 0.1).all()


def test_more_bits_than_features():
    X = np.linspace(0, 1, 64)[:, None]
    fitted = SpectralHashing(6, output="bits").fit(X)
    assert fitted.half_waves_.tolist() == [1, 2, 3, 4, 5, 6]
    assert len(np.unique(fitted.transform(X), axis=0)) > 6


def test_equal_items_warn():
    with pytest.warns(UserWarning, match=r"Only 0 direction.*all codes are equal"):
        SpectralHashing(4).fit(np.full((9, 3), 0.1))


def test_directions_that_do_not_vary_get_no_bit():
    X = np.random.default_rng(0).normal(size=(50, 2)) @ np.eye(2, 9)
    fitted = SpectralHashing(16).fit(X)
    assert len(fitted.components_) == 2
    assert set(fitted.directions_.tolist()) == {0, 1}
