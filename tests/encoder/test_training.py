"""The course of a training: epochs and batches."""

import math

import numpy as np
import pytest
from skorch.callbacks import Callback

from skhash.encoder._auto import choose_epochs
from skhash.encoder._data.samplers import BalancedSampler, ShuffledSampler
from skhash.losses import HashNet
from skhash.metrics import code_health
from tests.encoder.helpers import Interrupt, Recorder, encoder_with

encoder = encoder_with(12, max_epochs=4, batch_size=64)


# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Epochs


@pytest.mark.parametrize(
    ("n_batches", "steps", "expected"),
    [(57, 1000, 18), (57, 2500, 44), (2, 2500, 500), (20, 2500, 50), (977, 2500, 10)],
)
def test_automatic_epochs_take_the_steps_that_a_loss_gains_from(
    n_batches, steps, expected
):
    assert choose_epochs("auto", n_batches, steps) == expected
    assert choose_epochs(7, n_batches, steps) == 7


@pytest.mark.parametrize(
    ("n", "batch_size", "expected"),
    [(240, 64, 250), (240, 240, 1000), (40, 128, 1000)],
)
def test_automatic_epochs_take_a_thousand_steps(blobs, n, batch_size, expected):
    X, y = (part[:n] for part in blobs)
    recorder = Recorder(lambda net: net.total_steps_)
    stop = Interrupt("on_epoch_end")
    encoder(max_epochs="auto", batch_size=batch_size, callbacks=[recorder, stop]).fit(
        X, y
    )
    n_batches = math.ceil(n / batch_size)
    assert recorder.seen == [expected * n_batches]


@pytest.mark.slow
def test_automatic_epochs_are_ten_at_least():
    X = np.random.default_rng(0).normal(size=(2200, 2)).astype(np.float32)
    model = encoder(max_epochs="auto", batch_size=20, network="linear")
    model.fit(X, X[:, 0] > 0)
    assert model.n_iter_ == len(model.history_) == 10


def test_history_has_a_row_an_epoch(blobs):
    X, y = blobs
    model = encoder(max_epochs=3).fit(X, y)
    assert [row["epoch"] for row in model.history_] == [1, 2, 3]
    assert model.n_iter_ == 3
    health = code_health(model.transform(X), 12)
    for row in model.history_:
        assert {"stage", "train_loss", "lr", "dur", *health} <= set(row)
        assert "batches" not in row
        assert row["dur"] > 0
        assert 1 <= row["n_distinct"] <= 240
    assert model.history_[-1]["train_loss"] < model.history_[0]["train_loss"]


def test_terms_of_the_loss_add_up_in_the_history(blobs):
    X, y = blobs
    model = encoder(loss="dhn").fit(X, y)
    for row in model.history_:
        terms = row["train_similarity"] + row["train_quantization"]
        assert row["train_loss"] == pytest.approx(terms, rel=1e-5)
        assert row["train_quantization"] > 0


def test_plan_is_carried_out_and_noted(blobs):
    X, y = blobs
    loss = HashNet(n_stages=3)
    model = encoder(loss=loss, max_epochs=7).fit(X, y)
    plan = loss.plan(7)
    assert len(plan) == 3
    expected = [
        (index, stage.settings["beta_"])
        for index, stage in enumerate(plan)
        for _ in range(stage.epochs)
    ]
    assert [(row["stage"], row["beta"]) for row in model.history_] == expected
    assert float(model.loss_.beta_) == pytest.approx(plan[-1].settings["beta_"])


def test_two_stages_with_pretraining(blobs):
    X, y = blobs
    model = encoder(loss="exponentiated", max_epochs=9).fit(X, y)
    stages = [row["stage"] for row in model.history_]
    assert stages == sorted(stages)
    assert set(stages) == set(range(len(model.loss_.plan(9))))
    # What the plan left alone at the end can be trained again.
    assert all(p.requires_grad for p in model.net_.module_.parameters())


# Batches


def sizes_and_class_counts(blobs, **params):
    """Labels of each batch of the first epoch."""
    X, y = blobs
    seen = []

    class Look(Callback):
        def on_batch_begin(self, net, batch=None, training=None):
            seen.append(batch[1].numpy())

    encoder(max_epochs=1, callbacks=[Look()], **params).fit(X, y)
    return seen


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"balanced_batches": False}, ShuffledSampler),
        ({"balanced_batches": "auto"}, ShuffledSampler),  # 16 of each of 4 classes
        ({"balanced_batches": "auto", "batch_size": 12}, BalancedSampler),
        ({"balanced_batches": "auto", "batch_size": 12, "loss": "dhn"}, None),
        ({"balanced_batches": True}, BalancedSampler),
        ({"balanced_batches": 8}, BalancedSampler),
    ],
)
def test_balanced_batches_choose_the_sampler(blobs, params, expected):
    recorder = Recorder(lambda net: type(net.sampler))
    encoder(max_epochs=1, callbacks=[recorder], **params).fit(*blobs)
    assert recorder.seen == [expected or ShuffledSampler]


def test_balanced_batches_hold_so_many_items_of_a_class(blobs):
    batches = sizes_and_class_counts(blobs, balanced_batches=8, batch_size=32)
    assert len(batches) == 8
    for labels in batches:
        np.testing.assert_array_equal(np.bincount(labels, minlength=4), [8] * 4)
    batches = sizes_and_class_counts(blobs, balanced_batches=True, batch_size=8)
    for labels in batches:
        assert sorted(np.bincount(labels, minlength=4)) == [0, 0, 4, 4]


def test_an_odd_number_of_items_in_pairs(blobs):
    X, y = (part[:31] for part in blobs)
    batches = sizes_and_class_counts((X, y), balanced_batches=False, batch_size=2)
    assert sorted(map(len, batches)) == [2] * 14 + [3]
