"""ITQ against its definition: an orthogonal matrix, and an error that never rises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skhash.baselines import ITQ, PCAHashing

DIGITS = load_digits(return_X_y=True)[0]


def slow_itq(V, rotation, steps):
    """The paper's two steps in plain numpy; errors before each and after the last."""
    errors = []
    for step in range(steps + 1):
        Z = V @ rotation
        B = np.where(Z > 0, 1.0, -1.0)
        errors.append(((B - Z) ** 2).sum() / len(V))
        if step < steps:
            S, _, St = np.linalg.svd(B.T @ V)
            rotation = St.T @ S.T
    return rotation, np.array(errors)


def parts(fitted, X):
    """The principal components V, and the rotation that the fit found."""
    principal = PCAHashing(len(fitted.components_)).fit(X)
    V = (X - principal.mean_) @ principal.components_.T
    return V, principal.components_ @ fitted.components_.T


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(0, 12))
def test_error_never_rises_and_is_that_of_the_codes(seed, n_bits, max_iter):
    X = np.random.default_rng(seed).normal(size=(60, 8)) * np.arange(1, 9)
    fitted = ITQ(n_bits, max_iter=max_iter, random_state=seed).fit(X)
    assert len(fitted.errors_) == fitted.n_iter_ + 1 <= max_iter + 1
    assert (np.diff(fitted.errors_) <= 1e-9).all()
    V, rotation = parts(fitted, X)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(n_bits), atol=1e-9)
    Z = V @ rotation
    last = ((np.where(Z > 0, 1, -1) - Z) ** 2).sum() / len(X)
    assert last == pytest.approx(fitted.errors_[-1])


def test_steps_are_those_of_the_paper():
    start = ITQ(10, max_iter=0, random_state=1).fit(DIGITS)
    V, rotation = parts(start, DIGITS)
    expected, errors = slow_itq(V, rotation, 7)
    fitted = ITQ(10, max_iter=7, random_state=1).fit(DIGITS)
    assert fitted.n_iter_ == 7
    np.testing.assert_allclose(fitted.errors_, errors, rtol=1e-9)
    np.testing.assert_allclose(parts(fitted, DIGITS)[1], expected, atol=1e-7)


def test_ends_where_no_code_changes():
    X = np.random.default_rng(0).normal(size=(40, 4))
    fitted = ITQ(4, max_iter=1000, random_state=0).fit(X)
    assert fitted.n_iter_ < 1000
    _, more = slow_itq(*parts(fitted, X), 2)
    np.testing.assert_allclose(more, fitted.errors_[-1], rtol=1e-9)


def test_starting_rotations_are_even():
    # Of an even distribution, each entry of a 2 x 2 rotation has mean 0.
    X = np.random.default_rng(0).normal(size=(20, 2))
    found = np.mean(
        [
            parts(ITQ(2, max_iter=0, random_state=seed).fit(X), X)[1]
            for seed in range(100)
        ],
        axis=0,
    )
    assert np.abs(found).max() < 4 * np.sqrt(0.5 / 100)


def test_rotation_spreads_variance_over_the_bits():
    z = ITQ(16, random_state=0).fit(DIGITS).embed(DIGITS)
    plain = PCAHashing(16).fit(DIGITS).embed(DIGITS)
    assert z.var(axis=0).max() / z.var(axis=0).min() < 0.2 * (
        plain.var(axis=0).max() / plain.var(axis=0).min()
    )


@pytest.mark.filterwarnings("ignore:Only 3 direction")
def test_fewer_directions_than_bits_are_rotated_into_all_bits():
    X = np.random.default_rng(0).normal(size=(200, 3)) @ np.eye(3, 10)
    fitted = ITQ(8, output="bits", random_state=0).fit(X)
    assert (np.diff(fitted.errors_) <= 1e-9).all()
    share = fitted.transform(X).mean(axis=0)
    assert ((share > 0.1) & (share < 0.9)).all()
