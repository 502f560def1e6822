"""skorch's callbacks that monitor scores, and its checkpoints."""

import pickle
import re

import numpy as np
import pytest
import torch
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LoadInitState,
    LRScheduler,
    TrainEndCheckpoint,
)
from torch.optim.lr_scheduler import ReduceLROnPlateau

from skhash.losses import Exponentiated
from tests.encoder.helpers import Recorder, encoder_calling, mean_square, refused

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Monitors


@pytest.mark.parametrize(
    ("callback", "advice"),
    [
        (
            EarlyStopping(),
            "EarlyStopping(monitor='valid_score', lower_is_better=False) and "
            "early_stopping=True",
        ),
        (
            Checkpoint(),
            "Checkpoint(monitor='valid_score_best') and early_stopping=True",
        ),
        (
            LRScheduler(ReduceLROnPlateau, monitor="valid_loss"),
            "LRScheduler(monitor='valid_score', mode='max')",
        ),
        (EarlyStopping("valid_acc"), "monitor='train_loss'"),
        (Checkpoint("train_acc_best"), "monitor='train_loss_best'"),
    ],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_monitors_of_what_nobody_records(blobs, callback, advice, early_stopping):
    model = encoder_calling(
        callback, early_stopping=early_stopping, lr_schedule="constant"
    )
    name = re.escape(repr(callback.monitor))
    refused(blobs, model, f"monitors {name}, which .*{re.escape(advice)}")
    model = encoder_calling(callback)
    refused(blobs, model, r"Use \w+\(monitor='train_loss", "partial_fit")


@pytest.mark.parametrize(
    ("callback", "advice"),
    [
        (EarlyStopping("valid_score"), "lower_is_better=False"),
        (LRScheduler("ReduceLROnPlateau", monitor="valid_score"), "mode='max'"),
        (Checkpoint("valid_score"), "monitor='valid_score_best'"),
    ],
)
def test_monitors_that_take_the_score_for_a_loss(blobs, callback, advice):
    model = encoder_calling(callback, early_stopping=True, lr_schedule="constant")
    refused(blobs, model, f"of which more is better: use .*{re.escape(advice)}")


def test_monitors_of_the_validation_score(blobs):
    X, y = blobs
    stop = EarlyStopping("valid_score", lower_is_better=False, patience=1)
    plateau = LRScheduler(
        ReduceLROnPlateau, monitor="valid_score", mode="max", patience=0, factor=0.5
    )
    model = encoder_calling(
        plateau,
        stop,
        early_stopping=True,
        n_iter_no_change=50,
        max_epochs=50,
        lr_schedule="constant",
    ).fit(X, y)
    scores = [row["valid_score"] for row in model.history_]
    assert model.n_iter_ < 50
    assert scores[-1] <= scores[-2] * 1.0001
    rates = [row["lr"] for row in model.history_]
    assert rates[0] == model.lr
    assert model.net_.history[0, "valid_score_best"] is True


def test_no_codes_to_score_in_pretraining(blobs):
    stop = EarlyStopping("valid_score", lower_is_better=False)
    loss = Exponentiated(pretrain=0.4)
    model = encoder_calling(stop, early_stopping=True, loss=loss, max_epochs=9)
    refused(blobs, model, "in its pre-training this loss has no codes")


def test_what_callbacks_of_ones_own_record_may_be_monitored(blobs):
    class Records(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("valid_loss", len(net.history))

    model = encoder_calling(Records(), EarlyStopping(patience=2), max_epochs=9).fit(
        *blobs
    )
    assert model.n_iter_ == 3
    scoring = EpochScoring(mean_square, name="valid_square", on_train=True)
    stop = EarlyStopping("valid_square", patience=50)
    assert encoder_calling(scoring, stop).fit(*blobs).n_iter_ == 4
    refused(blobs, encoder_calling(stop, scoring), "monitors 'valid_square'")


# Checkpoints


@pytest.mark.parametrize("monitor", ["train_loss_best", "valid_score_best", None])
def test_checkpoints(blobs, tmp_path, monitor):
    X, y = blobs
    checkpoint = Checkpoint(monitor, dirname=str(tmp_path), f_pickle="net.pkl")
    model = encoder_calling(checkpoint, early_stopping=True, verbose=0).fit(X, y)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        *("params.pt", "optimizer.pt", "criterion.pt", "history.json", "net.pkl")
    }
    net = pickle.loads((tmp_path / "net.pkl").read_bytes())
    assert net.predict(X.copy()).shape == (240, 8)
    assert net.sampler is None
    assert net.dataset_valid_ is None
    events = model.net_.history[:, "event_cp"]
    if monitor is None:
        assert all(events)
    else:
        assert events == [bool(row[monitor]) for row in model.net_.history]
        assert events[0]


def test_the_best_checkpoint_comes_back(blobs, tmp_path):
    X, y = blobs
    states = Recorder(lambda net: net.module_.head[0].weight.detach().clone())
    checkpoint = Checkpoint("train_loss_best", dirname=str(tmp_path), load_best=True)
    model = encoder_calling(checkpoint, states, max_epochs=6).fit(X, y)
    losses = [row["train_loss"] for row in model.history_]
    weight = states.seen[int(np.argmin(losses))]
    assert torch.equal(model.net_.module_.head[0].weight, weight)


def test_training_goes_on_from_a_checkpoint(blobs, tmp_path):
    X, y = blobs
    end = TrainEndCheckpoint(dirname=str(tmp_path))
    first = encoder_calling(end).fit(X, y)
    end.initialize()
    second = encoder_calling(LoadInitState(end), lr=1e-9, random_state=1).fit(X, y)
    assert second.n_iter_ == 8
    same = first.net_.module_.head[0].weight, second.net_.module_.head[0].weight
    torch.testing.assert_close(*same, rtol=1e-4, atol=1e-5)
