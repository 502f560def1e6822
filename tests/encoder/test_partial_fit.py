"""Training in parts: partial_fit."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from skhash.metrics import mean_average_precision
from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=4, batch_size=64)


# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_partial_fit_learns_over_calls(blobs):
    X, y = blobs
    model = encoder()
    scores = []
    for start in [0, 80, 160] * 8:
        rows = slice(start, start + 80)
        assert model.partial_fit(X[rows], y[rows], classes=range(4)) is model
        scores.append(model.score(X, y))
    assert model.n_iter_ == len(model.history_) == 24
    assert scores[-1] > 0.95
    codes = model.transform(X)
    assert mean_average_precision(codes, codes, y, y, exclude_self=True) > 0.95
    rates = {row["lr"] for row in model.history_}
    assert rates == {model.lr}


def test_first_partial_fit_may_lack_classes(blobs):
    X, y = blobs
    model = encoder().partial_fit(X[y < 2], y[y < 2], classes=[3, 2, 1, 0])
    np.testing.assert_array_equal(model.classes_, range(4))
    assert set(model.predict(X)) <= {0, 1}  # nothing is known of the others
    scores = model.decision_function(X)
    assert scores.shape == (240, 4)
    assert np.isfinite(scores).all()
    for _ in range(20):
        model.partial_fit(X, y)
    assert set(model.predict(X)) == {0, 1, 2, 3}


def test_partial_fit_with_one_class_in_a_call(blobs):
    X, y = blobs
    model = encoder()
    for label in range(4):
        model.partial_fit(X[y == label], y[y == label], classes=range(4))
    assert np.isfinite(model.embed(X)).all()


def test_partial_fit_fixes_standardisation_in_the_first_call(blobs):
    X, y = blobs
    model = encoder().partial_fit(X, y)
    mean = model.net_.module_.standardize.mean.clone()
    np.testing.assert_allclose(mean, X.mean(0), rtol=1e-4)
    model.partial_fit(X + 100, y)
    assert torch.equal(model.net_.module_.standardize.mean, mean)


def test_partial_fit_goes_on_after_fit(blobs):
    X, y = blobs
    model = encoder(loss="hashnet", max_epochs=6).fit(X, y)
    module, beta = model.net_.module_, float(model.loss_.beta_)
    model.partial_fit(X[:100], y[:100])
    assert model.net_.module_ is module
    assert float(model.loss_.beta_) == beta
    assert len(model.history_) == 7
    assert model.history_[-1]["epoch"] == 7


def test_partial_fit_is_reproducible_and_depends_on_the_order(blobs):
    X, y = blobs
    halves = [(X[::2], y[::2]), (X[1::2], y[1::2])]

    def z(parts):
        model = encoder()
        for part in parts:
            model.partial_fit(*part)
        return model.embed(X)

    np.testing.assert_array_equal(z(halves), z(halves))
    assert not np.array_equal(z(halves), z(halves[::-1]))


def test_partial_fit_refuses_what_does_not_go_on(blobs):
    X, y = blobs
    model = encoder().partial_fit(X, y)
    z = model.embed(X)
    with pytest.raises(ValueError, match="labels that are not among the classes"):
        model.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(X, y, classes=range(5))
    with pytest.raises(ValueError, match="X has 9 features"):
        model.partial_fit(X[:, :9], y)
    with pytest.raises(
        ValueError, match=r"0/1 matrix .*, but this .* one label an item"
    ):
        model.partial_fit(X, np.eye(4)[y])
    with pytest.raises(ValueError, match="n_bits is now 5, but the network was built"):
        model.set_params(n_bits=5).partial_fit(X, y)
    np.testing.assert_array_equal(model.embed(X), z)
    with pytest.raises(ValueError, match="labels that are not among the classes"):
        encoder().partial_fit(X, y, classes=[0, 1])
    multi = encoder().partial_fit(X, np.eye(4)[y])
    with pytest.raises(ValueError, match=r"one label an item, but this .* 0/1 matrix"):
        multi.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"y has 3 columns, but .* 4 classes"):
        multi.partial_fit(X, np.eye(4)[y][:, :3] + np.eye(3)[y % 3] > 0)


def test_partial_fit_says_when_the_loss_is_not_finite(blobs):
    X, y = blobs
    model = encoder().partial_fit(X, y)
    model.set_params(lr=1e30).partial_fit(X, y)
    with pytest.warns(ConvergenceWarning, match="The loss was nan"):
        model.partial_fit(X, y)
