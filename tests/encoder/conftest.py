"""Toy data of the tests of what the encoder takes."""

import numpy as np
import pytest

from skhash import DeepHashEncoder


@pytest.fixture(scope="session")
def small():
    """Features (40, 6) of two classes as whole numbers 0..9: any dtype holds them."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.integers(0, 5, size=(40, 6)) + 5 * (y[:, None] * (np.arange(6) < 3))
    return X.astype(np.float64), y


@pytest.fixture(scope="session")
def images():
    """Images (24, 8, 9, 3) of uint8 and their labels."""
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    X = rng.integers(0, 100, size=(24, 8, 9, 3)) + 100 * y[:, None, None, None]
    return X.astype(np.uint8), y


@pytest.fixture(scope="module")
def z(small):
    """Outputs of the encoder fitted on float64 items."""
    X, y = small
    return (
        DeepHashEncoder(12, max_epochs=2, batch_size=64, random_state=0)
        .fit(X, y)
        .embed(X)
    )
