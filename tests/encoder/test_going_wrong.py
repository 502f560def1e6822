"""Trainings that go wrong, and what is said of them."""

import math
import re
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skhash.losses import HashLoss
from tests.encoder.helpers import Interrupt, encoder_with

encoder = encoder_with(12, max_epochs=4, batch_size=64)


# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Training that goes wrong


class Constant(HashLoss):
    """Pulls all codes to the same vertex."""

    normalize_z = False

    def forward(self, z, y, sample_weight=None):
        return (z - torch.linspace(-1, 1, z.shape[1]).sign()).square().mean()


class Explodes(HashLoss):
    """Is NaN from its third call on."""

    calls = 0

    def forward(self, z, y, sample_weight=None):
        self.calls += 1
        return z.square().mean() * (math.nan if self.calls > 2 else 1.0)


class Dead(HashLoss):
    """Learns classes with the first bits, switches the last two off."""

    normalize_z = False

    def forward(self, z, y, sample_weight=None):
        target = (y[:, None] >> torch.arange(z.shape[1] - 2) & 1) * 2.0 - 1
        return (z[:, :-2] - target).square().mean() + (z[:, -2:] + 3).square().mean()


def warnings_of(model, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X, y)
    found = [w for w in caught if w.category is ConvergenceWarning]
    assert all(w.filename == __file__ for w in found)
    return [str(w.message) for w in found]


def test_healthy_training_does_not_warn(blobs):
    assert warnings_of(encoder(max_epochs=15), *blobs) == []


@pytest.mark.slow
def test_collapse_is_said(blobs):
    model = encoder(loss=Constant(), max_epochs=60, lr=0.02)
    (message,) = warnings_of(model, *blobs)
    assert "All 240 training items got the same code" in message
    assert "lr" in message or "learning rate" in message
    assert len(np.unique(model.transform(blobs[0]), axis=0)) == 1
    assert model.history_[-1]["n_distinct"] == 1


@pytest.mark.slow
def test_dead_bits_are_said(blobs):
    X, y = blobs
    model = encoder(4, loss=Dead(), max_epochs=40, lr=0.02)
    (message,) = warnings_of(model, X, y)
    assert message.startswith("2 of 4 bits never change over the training items")
    assert model.score(X, y) > 0.9
    assert model.history_[-1]["dead_bits"] == 0.5


@pytest.mark.parametrize(
    "params",
    [{"loss": Explodes()}, {"lr": 1e25, "optimizer": "sgd", "normalize_z": False}],
    ids=["loss", "lr"],
)
def test_a_loss_that_is_not_finite_stops_the_training(blobs, params):
    X, y = blobs
    model = encoder(max_epochs=50, **params)
    (message,) = warnings_of(model, X, y)
    assert re.match(
        r"The loss was (nan|inf) in epoch \d+ and training stopped", message
    )
    assert "smaller learning rate" in message
    assert model.n_iter_ < 50
    assert not math.isfinite(model.history_[-1]["train_loss"])
    assert model.transform(X).shape == (240, 2)
    assert set(model.predict(X)) <= set(model.classes_)
    clone(model).set_params(early_stopping=True).fit(X, y)


@pytest.mark.parametrize(
    ("moment", "count", "epochs"),
    [
        ("on_batch_end", 0, 0),
        ("on_batch_end", 5, 1),
        ("on_epoch_begin", 2, 2),
        ("on_epoch_end", 1, 2),
    ],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_interrupted_training_leaves_a_fitted_encoder(
    blobs, moment, count, epochs, early_stopping
):
    X, y = blobs
    model = encoder(
        callbacks=[Interrupt(moment, count)], early_stopping=early_stopping
    ).fit(X, y)
    assert model.n_iter_ == len(model.history_) == epochs
    assert model.transform(X).shape == (240, 2)
    assert model.predict(X).shape == (240,)
    model.set_params(callbacks=None).partial_fit(X, y)


# Odd sizes


def test_warnings_point_to_the_caller_of_a_pipeline(blobs, tmp_path):
    diverging = encoder(lr=1e30)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        make_pipeline(diverging, memory=str(tmp_path)).fit(*blobs)
        make_pipeline(diverging, "passthrough", memory=str(tmp_path)).fit(*blobs)
    files = {w.filename for w in caught if w.category is ConvergenceWarning}
    assert files == {__file__}
