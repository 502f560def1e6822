"""Early stopping and warm start."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skhash.metrics import mean_average_precision
from tests.encoder.helpers import Interrupt, Recorder, encoder_with

encoder = encoder_with(12, max_epochs=4, batch_size=64)


# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_early_stopping_keeps_the_best_epoch(digits):
    X, _, y, _ = digits
    weights = Recorder(lambda net: copy.deepcopy(net.module_.state_dict()))
    model = encoder(
        6,
        network="linear",
        early_stopping=True,
        n_iter_no_change=2,
        max_epochs=200,
        lr=0.02,
        callbacks=[weights],
    ).fit(X, y)
    scores = [row["valid_score"] for row in model.history_]
    best = int(np.argmax(scores))
    assert len(scores) == model.n_iter_ == best + 1 + 2 < 200
    assert len(weights.seen) == len(scores)  # a callback sees the last epoch, too
    final = model.net_.module_.state_dict()
    for name, value in weights.seen[best].items():
        assert torch.equal(final[name], value), name
    assert any(
        not torch.equal(final[name], value) for name, value in weights.seen[-1].items()
    )


def test_validation_score_is_that_of_held_out_queries(blobs):
    X, y = blobs
    data = []
    recorder = Recorder(lambda net: None)
    recorder.on_epoch_begin = lambda net, dataset_train=None, **_: data.append(
        dataset_train.index
    )
    model = encoder(
        early_stopping=True,
        validation_fraction=0.25,
        max_epochs=1,
        callbacks=[recorder],
    ).fit(X, y)
    kept = data[0]
    held_out = np.setdiff1d(np.arange(240), kept)
    assert len(held_out) == 60
    np.testing.assert_array_equal(np.bincount(y[held_out]), [15] * 4)
    codes = model.transform(X)
    expected = mean_average_precision(
        codes[held_out], codes[kept], y[held_out], y[kept]
    )
    assert model.history_[0]["valid_score"] == pytest.approx(expected)


def test_early_stopping_keeps_an_item_of_each_class_for_training():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(30), [1] * 20 + [2] * 8 + [40, 60])
    X = rng.normal(size=(len(y), 5)) + y[:, None]
    data = []
    recorder = Recorder(lambda net: None)
    recorder.on_epoch_begin = lambda net, dataset_train=None, **_: data.append(
        dataset_train.y.numpy()
    )
    for seed in range(5):
        model = encoder(
            early_stopping=True, max_epochs=1, random_state=seed, callbacks=[recorder]
        ).fit(X, y)
        counts = np.bincount(data[-1], minlength=30)
        assert counts.min() == 1
        assert counts.sum() == len(y) - 14
        assert counts[28] in (34, 35, 36)
        assert len(model.classes_) == 30
    with pytest.raises(ValueError, match="each class has a single one"):
        encoder(early_stopping=True).fit(X[:20], y[:20])


def test_early_stopping_with_several_labels_an_item():
    rng = np.random.default_rng(0)
    Y = rng.integers(2, size=(80, 3))
    X = Y @ rng.normal(size=(3, 6)) + rng.normal(scale=0.1, size=(80, 6))
    model = encoder(early_stopping=True, max_epochs=3).fit(X, Y)
    assert all(0 < row["valid_score"] <= 1 for row in model.history_)


@pytest.mark.slow
def test_warm_start_goes_on_from_the_weights(blobs):
    X, y = blobs
    cold = encoder(max_epochs=10).fit(X, y)
    warm = clone(cold).set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(warm.embed(X), cold.embed(X))
    module, loss = warm.net_.module_, warm.loss_
    warm.set_params(max_epochs=1, lr=1e-6).fit(X, y)
    assert warm.net_.module_ is module
    assert warm.loss_ is loss
    assert len(warm.history_) == 11  # the earlier epochs are kept
    assert warm.history_[-1]["train_loss"] < cold.history_[0]["train_loss"] / 2
    np.testing.assert_allclose(warm.embed(X), cold.embed(X), atol=0.5)
    assert cold.set_params(max_epochs=1).fit(X, y).net_.module_ is not module


@pytest.mark.parametrize(
    "change",
    [
        lambda model, X, y: (model.set_params(n_bits=5), X, y),
        lambda model, X, y: (model, X, y % 3),
        lambda model, X, y: (model, X[:, :4], y),
    ],
    ids=["n_bits", "classes", "features"],
)
def test_warm_start_refuses_another_shape(blobs, change):
    X, y = blobs
    model, X, y = change(encoder(warm_start=True, max_epochs=1).fit(X, y), X, y)
    with pytest.raises(ValueError, match="warm_start=True goes on from the previous"):
        model.fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["exponentiated", "dcwh"])
def test_everything_is_trained_after_a_stage_that_was_interrupted(blobs, loss):
    X, y = blobs
    model = encoder(
        loss=loss,
        max_epochs=10,
        warm_start=True,
        callbacks=[Interrupt("on_epoch_end", 5)],
    ).fit(X, y)
    before = copy.deepcopy(model.net_.module_.state_dict())
    model.set_params(loss=loss, callbacks=None).fit(X, y)
    for name, parameter in model.net_.module_.named_parameters():
        assert parameter.requires_grad
        # A bias below batch normalisation has no gradient but rounding.
        assert name.endswith("bias") or not torch.equal(parameter, before[name]), name
