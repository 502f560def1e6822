"""Bad input is refused before any work, with nothing left behind."""

import numpy as np
import pytest
import torch
from sklearn.utils._param_validation import InvalidParameterError

from skhash import DeepHashEncoder
from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=2, batch_size=64)


pytestmark = pytest.mark.filterwarnings(
    # Trainings of few epochs: what is looked at here is not the codes' quality.
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


def with_value(value):
    def change(X, y):
        X = X.copy()
        X[3, 2] = value
        return X, y

    return change


BAD = {
    "NaN": (with_value(np.nan), "Input X contains NaN"),
    "infinity": (with_value(np.inf), "Input X contains infinity"),
    "strings": (lambda X, y: (X.astype(str).astype(object) + "a", y), "string"),
    "complex": (lambda X, y: (X + 1j, y), "Complex data not supported"),
    "one dimension": (lambda X, y: (X[:, 0], y), "Expected 2D array, got 1D"),
    "no items": (lambda X, y: (X[:0], y[:0]), r"0 sample\(s\)"),
    "no features": (lambda X, y: (X[:, :0], y), r"0 feature\(s\)"),
    "one item": (lambda X, y: (X[:1], y[:1]), "minimum of 2 is required"),
    "no labels": (lambda X, y: (X, None), "requires y to be passed"),
    "fewer labels": (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
    "one class": (lambda X, y: (X, y * 0), "only one class"),
    "continuous": (lambda X, y: (X, y + 0.5 * X[:, 0]), "Unknown label type"),
    "NaN label": (lambda X, y: (X, np.where(y, y, np.nan)), "NaN"),
    "multi-output": (
        lambda X, y: (X, np.column_stack([y, y + 1, y + 2])),
        "Unknown label type: multiclass-multioutput",
    ),
    "one label set": (
        lambda X, y: (X, np.tile([0, 1], (40, 1))),
        "all rows of y have the same labels",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_data_are_refused_and_leave_nothing(small, case, method):
    change, message = BAD[case]
    model = encoder()
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(*change(*small))
    assert vars(model) == before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_bits": 0}, "The 'n_bits' parameter of DeepHashEncoder must be an int"),
        ({"n_bits": 4097}, "The 'n_bits' parameter"),
        ({"n_bits": 8.0}, "The 'n_bits' parameter"),
        ({"loss": "hinge"}, "The 'loss' parameter of DeepHashEncoder must be a str"),
        ({"loss": torch.nn.MSELoss()}, "The 'loss' parameter"),
        ({"network": "resnet"}, "The 'network' parameter"),
        ({"optimizer": "lion"}, "The 'optimizer' parameter"),
        ({"lr": 0}, "The 'lr' parameter"),
        ({"lr_schedule": "step"}, "The 'lr_schedule' parameter"),
        ({"max_epochs": 0}, "The 'max_epochs' parameter"),
        ({"max_epochs": "all"}, "The 'max_epochs' parameter"),
        ({"batch_size": 1}, "The 'batch_size' parameter"),
        ({"balanced_batches": "yes"}, "The 'balanced_batches' parameter"),
        ({"validation_fraction": 1.0}, "The 'validation_fraction' parameter"),
        ({"output": "hex"}, "The 'output' parameter"),
        ({"random_state": "one"}, "The 'random_state' parameter"),
        ({"callbacks": "print"}, "The 'callbacks' parameter"),
        ({"net_params": [1]}, "The 'net_params' parameter"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_parameters_are_refused_and_leave_nothing(small, params, message, method):
    model = DeepHashEncoder(**params)
    before = vars(model).copy()
    with pytest.raises(InvalidParameterError, match=message):
        getattr(model, method)(*small)
    assert vars(model) == before


def test_bad_parameters_of_a_loss_are_refused(small):
    model = encoder()
    with pytest.raises(ValueError, match="Invalid parameter 'nope' for estimator Dual"):
        model.set_params(loss__nope=1)
    with pytest.raises(ValueError, match="loss='hinge' has no parameters to set"):
        encoder(loss="hinge").set_params(loss__shape=1)
    model.set_params(loss__shape=-1)
    before = vars(model).copy()
    with pytest.raises(InvalidParameterError, match="The 'shape' parameter of DualHin"):
        model.fit(*small)
    assert vars(model) == before


def test_failed_fit_leaves_the_fitted_encoder_as_it_was(small, z):
    X, y = small
    model = encoder().fit(X, y)
    for bad in ((X[:, :4], y * 0), (X[:, :4], None), (X[:, :4] * np.nan, y)):
        with pytest.raises(ValueError, match=r"class|NaN|y to be passed"):
            model.fit(*bad)
        assert model.n_features_in_ == 6
        np.testing.assert_array_equal(model.embed(X), z)


def test_other_items_than_in_fit_are_refused(small, images):
    X, y = small
    model = encoder().fit(X, y)
    for method in (model.transform, model.embed, model.predict):
        with pytest.raises(ValueError, match="X has 5 features, but DeepHashEncoder"):
            method(X[:, :5])
        with pytest.raises(ValueError, match="contains NaN"):
            method(X * np.nan)
        with pytest.raises(ValueError, match="Expected 2D array"):
            method(X[0])
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            method(X[:0])
    with pytest.raises(ValueError, match=r"items of shape \(2, 3\).*\(6,\) as in fit"):
        model.transform(X.reshape(40, 2, 3))
    model = encoder(max_epochs=1).fit(*images)
    with pytest.raises(ValueError, match=r"shape \(9, 8, 3\).*\(8, 9, 3\) as in fit"):
        model.transform(images[0].transpose(0, 2, 1, 3))
    with pytest.raises(ValueError, match="X has 72 features"):
        model.transform(images[0][..., 0])
