"""What a user's own loss or plan may get wrong, and when the encoder says so."""

import numpy as np
import pytest
import torch

from skhash import DeepHashEncoder
from skhash.losses import Exponentiated, HashLoss, Stage


class Cosine(HashLoss):
    def forward(self, z, y):
        h = torch.nn.functional.normalize(z.tanh())
        return (h @ h.T - (y[:, None] == y[None, :]).float()).square().mean()


class Vector(HashLoss):
    def forward(self, z, y, sample_weight=None):
        return z.square().mean(1)


class Unfinished(HashLoss):
    def __init__(self, margin=1.0):
        self.margin = margin


@pytest.fixture
def data(rng):
    y = np.arange(60) % 3
    return rng.normal(size=(60, 4)) + 3 * y[:, None], y


def test_loss_without_weights_refuses_weights_before_training(data, rng):
    X, y = data
    encoder = DeepHashEncoder(8, loss=Cosine(), max_epochs=2)
    assert encoder.fit(X, y).n_iter_ == 2
    fresh = DeepHashEncoder(8, loss=Cosine(), max_epochs=2)
    with pytest.raises(ValueError, match=r"Cosine\.forward takes no"):
        fresh.fit(X, y, sample_weight=rng.random(60))
    assert not hasattr(fresh, "net_")


def test_loss_that_is_no_scalar_is_named(data):
    with pytest.raises(ValueError, match=r"Vector.forward must return a scalar"):
        DeepHashEncoder(8, loss=Vector()).fit(*data)


def test_loss_without_super_init_is_named(data):
    with pytest.raises(TypeError, match=r"Unfinished.__init__ must call super"):
        DeepHashEncoder(8, loss=Unfinished()).fit(*data)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": "foo"}, "train='foo'"),
        ({"input": "w"}, "input='w'"),
        ({"epochs": 0}, "epochs=0"),
        ({"refresh_every": -1}, "refresh_every=-1"),
    ],
)
def test_stage_refuses_what_it_does_not_know(settings, message):
    with pytest.raises(ValueError, match=message):
        Stage(**{"epochs": 1, **settings})


def test_early_stopping_waits_for_the_end_of_pretraining(data):
    encoder = DeepHashEncoder(
        8,
        loss=Exponentiated(pretrain=0.5),
        early_stopping=True,
        n_iter_no_change=2,
        max_epochs=12,
        random_state=0,
    ).fit(*data)
    stages = [row["stage"] for row in encoder.history_]
    scored = [row["stage"] for row in encoder.history_ if "valid_score" in row]
    assert stages[:7] == [0] * 6 + [1]
    assert min(scored) == 1


def test_warm_start_refuses_another_loss_or_network(data):
    encoder = DeepHashEncoder(8, max_epochs=1, warm_start=True).fit(*data)
    for params in ({"loss": "dhn"}, {"network": "linear"}, {"n_bits": 16}):
        with pytest.raises(ValueError, match="warm_start=True goes on"):
            encoder.set_params(**params).fit(*data)
        encoder.set_params(loss="dual_hinge", network="auto", n_bits=8)
    assert encoder.fit(*data).n_iter_ == 2


def test_failed_warm_start_leaves_the_codes_alone(data):
    X, y = data

    class Failing(Cosine):
        fail = False

        def forward(self, z, y):
            if Failing.fail and torch.is_grad_enabled():
                Failing.calls += 1
                if Failing.calls > 2:
                    raise RuntimeError("on purpose")
            return super().forward(z, y)

    encoder = DeepHashEncoder(
        8, loss=Failing(), max_epochs=5, batch_size=20, warm_start=True
    ).fit(X, y)
    before = encoder.embed(X)
    Failing.fail, Failing.calls = True, 0
    for again in (encoder.fit, encoder.partial_fit):
        with pytest.raises(RuntimeError, match="on purpose"):
            again(X, y)
        np.testing.assert_array_equal(encoder.embed(X), before)
