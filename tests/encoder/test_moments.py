"""Mean and scale of the training items."""

import numpy as np
import pytest
import scipy.sparse as sp

from skhash import DeepHashEncoder
from skhash.encoder._data.datasets import ArrayDataset
from skhash.encoder._data.inputs import check_training, moments
from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=2, batch_size=64)


pytestmark = pytest.mark.filterwarnings(
    # Trainings of few epochs: what is looked at here is not the codes' quality.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
def test_moments_are_those_of_the_items(make, monkeypatch):
    monkeypatch.setattr("skhash.encoder._data.inputs._CHUNK", 64)  # many small chunks
    rng = np.random.default_rng(0)
    X = rng.normal(1e3, 2, size=(101, 8))
    X[:, 3] = 7
    y = np.arange(101) % 2
    data = check_training(DeepHashEncoder(), make(X), y, None, item_shape=None)
    mean, scale = moments(data, 8)
    np.testing.assert_allclose(mean, X.mean(0))
    np.testing.assert_allclose(scale, np.where(np.arange(8) == 3, 1, X.std(0)))
    assert isinstance(data.items, ArrayDataset)


def test_moments_of_images_are_those_of_channels(monkeypatch):
    monkeypatch.setattr("skhash.encoder._data.inputs._CHUNK", 64)
    rng = np.random.default_rng(0)
    X = rng.normal([10, 20], [1, 3], size=(30, 4, 5, 2))
    X[..., 0] += np.arange(5)
    y = np.arange(30) % 2
    data = check_training(DeepHashEncoder(), X, y, None, item_shape=None)
    mean, scale = moments(data, 40)
    np.testing.assert_allclose(mean, X.mean((0, 1, 2)))
    np.testing.assert_allclose(scale, X.std((0, 1, 2)))
