"""Labels and weights of the items."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import DataConversionWarning

from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=2, batch_size=64)


# Ours, or scikit-learn's from 1.9 on.
NO_WEIGHT = "sample_weight is zero for every item|at least one non-zero number"


pytestmark = pytest.mark.filterwarnings(
    # Trainings of few epochs: what is looked at here is not the codes' quality.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


def test_column_of_labels_warns(small, z):
    X, y = small
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        model = encoder().fit(X, y[:, None])
    np.testing.assert_array_equal(model.embed(X), z)


def test_tensor_of_labels(small, z):
    X, y = small
    np.testing.assert_array_equal(encoder().fit(X, torch.from_numpy(y)).embed(X), z)


def test_weightless_rows_count_as_removed(small):
    X, y = small
    X = np.vstack([X, X[:5] + 100])
    y = np.append(y, [2, 2, 0, 1, 2])  # class 2 has no weight at all
    weight = np.append(np.ones(40), np.zeros(5))
    weight[::7] = 0
    model = encoder().fit(X, y, sample_weight=weight)
    kept = encoder().fit(X[weight > 0], y[weight > 0])
    np.testing.assert_array_equal(model.classes_, [0, 1])
    np.testing.assert_array_equal(model.embed(X), kept.embed(X))
    np.testing.assert_array_equal(model.predict(X), kept.predict(X))


@pytest.mark.parametrize("weight", [1, 0.25, 1e6])
def test_constant_weights_are_none(small, z, weight):
    X, y = small
    weighted = encoder().fit(X, y, sample_weight=np.full(40, weight))
    np.testing.assert_array_equal(weighted.embed(X), z)


def test_scale_of_weights_does_not_matter(small):
    X, y = small
    weight = np.linspace(1, 2, 40)
    one, two = (
        encoder().fit(X, y, sample_weight=w).embed(X) for w in (weight, weight * 1024)
    )
    np.testing.assert_allclose(one, two, rtol=1e-5)
    assert not np.allclose(one, encoder().fit(X, y).embed(X))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(40, -1.0), "Negative values"),
        (np.zeros(40), NO_WEIGHT),
        (np.ones(39), r"sample_weight.shape == \(39,\)"),
        (np.ones((40, 2)), "must be 1D array or scalar"),
        (np.full(40, np.nan), "NaN"),
        (np.eye(1, 40)[0], "at least 2 items of positive weight"),
        (np.arange(40) % 2, "only one class"),
    ],
)
def test_bad_weights_are_refused(small, weight, message):
    X, y = small
    with pytest.raises(ValueError, match=message):
        encoder().fit(X, y, sample_weight=weight)
