"""The other callbacks of skorch work in an encoder, or are refused."""

import copy
import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    Initializer,
    InputShapeSetter,
    LRScheduler,
    ParamMapper,
    PrintLog,
    ProgressBar,
    TensorBoard,
    Unfreezer,
    WandbLogger,
)
from torch import nn
from torch.optim.lr_scheduler import StepLR

from skhash.losses import Exponentiated
from skhash.networks import HashNetwork, hash_layer
from tests.encoder.helpers import Recorder, encoder_calling, mean_square, refused

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Learning rates, gradients, parameters


def test_learning_rates_of_a_scheduler(blobs):
    X, y = blobs
    refused(
        blobs,
        encoder_calling(LRScheduler(StepLR, step_size=1)),
        "so does lr_schedule='one_cycle': with the callback, use lr_schedule='constant",
    )
    scheduler = LRScheduler(StepLR, step_size=1, gamma=0.5)
    model = encoder_calling(scheduler, lr_schedule="constant").fit(X, y)
    rates = [row["lr"] for row in model.history_]
    np.testing.assert_allclose(rates, model.lr * 0.5 ** np.arange(4))
    stages = encoder_calling(scheduler, lr_schedule="constant", loss="hashnet").fit(
        X, y
    )
    assert [row["lr"] for row in stages.history_] == rates
    model.partial_fit(X, y)
    encoder_calling(LRScheduler(StepLR, step_size=1)).partial_fit(X, y).partial_fit(
        X, y
    )


def test_a_scheduler_keeps_the_scales_of_the_parts(blobs):
    looks = Recorder(lambda net: [g["lr"] for g in net.optimizer_.param_groups])
    scheduler = LRScheduler("LambdaLR", lr_lambda=lambda epoch: 1.0)
    encoder_calling(scheduler, looks, lr_schedule="constant", network=narrow).fit(
        *blobs
    )
    np.testing.assert_allclose(looks.seen, [[3e-4, 3e-3]] * 4)


def narrow(input_shape, n_bits, *, normalize_z=False, generator=None):
    body = nn.Linear(input_shape[0], 8)
    head = hash_layer(8, n_bits, normalize=normalize_z, generator=generator)
    return HashNetwork(body, head, lr_scale={"body": 0.1})


def test_gradients_are_clipped(blobs):
    norms = []

    class Norms(Callback):
        def on_grad_computed(self, net, named_parameters, batch=None, **kwargs):
            x, y = batch
            assert len(x) == len(y)
            squares = (p.grad.square().sum() for _, p in named_parameters)
            norms.append(float(sum(squares)) ** 0.5)

    encoder_calling(GradientNormClipping(1e-3), Norms()).fit(*blobs)
    assert max(norms) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize(
    "loss", ["dual_hinge", "hashnet", "dcwh", Exponentiated(pretrain=0.4)]
)
def test_frozen_stays_frozen_through_all_stages(blobs, loss):
    X, y = blobs
    weights = Recorder(lambda net: copy.deepcopy(dict(net.module_.named_parameters())))
    model = encoder_calling(Freezer("body.*.weight"), weights, loss=loss, max_epochs=9)
    model.fit(X, y)
    first, last = weights.seen[0], weights.seen[-1]
    head = next(name for name in first if name.startswith("head."))
    frozen = [n for n in first if n.startswith("body.") and n.endswith(".weight")]
    assert all(torch.equal(first[name], last[name]) for name in frozen)
    assert not torch.equal(*(seen[head] for seen in (first, last)))
    for name, parameter in model.net_.module_.named_parameters():
        assert parameter.requires_grad == (name not in frozen)


def test_unfrozen_learns_again(blobs):
    weights = Recorder(lambda net: net.module_.head[0].weight.detach().clone())
    model = encoder_calling(
        Freezer("head.*"), Unfreezer("head.*", at=3), weights, max_epochs=4
    ).fit(*blobs)
    first, second, third, _ = weights.seen
    assert torch.equal(first, second)
    assert not torch.equal(second, third)
    assert all(p.requires_grad for p in model.net_.module_.parameters())


def test_parameters_are_mapped(blobs):
    bias = Recorder(lambda net: net.module_.head[0].bias.detach().clone())
    double = ParamMapper("head.0.weight", fn=lambda p: p.data.mul_(0), at=2)
    start = Initializer("head.0.bias", fn=lambda p: nn.init.constant_(p, 3.0))
    encoder_calling(start, bias, double, lr=1e-9).fit(*blobs)
    torch.testing.assert_close(bias.seen[0], torch.full((8,), 3.0))


# What is shown


def test_what_is_printed(blobs, capsys):
    encoder_calling(PrintLog(), EarlyStopping("train_loss")).fit(*blobs)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 4
    assert re.match(r"\s*epoch .* train_loss .*dur", lines[0])
    encoder_calling(EarlyStopping("train_loss")).fit(*blobs)
    assert capsys.readouterr().out == ""
    stop = EarlyStopping("train_loss", patience=1, threshold=1e9, threshold_mode="abs")
    encoder_calling(stop, verbose=1).fit(*blobs)
    assert "Stopping since train_loss has not improved" in capsys.readouterr().out
    rows = []
    encoder_calling(PrintLog(sink=rows.append)).fit(*blobs)
    assert len(rows) == 6


@pytest.mark.parametrize("early_stopping", [False, True])
def test_progress_bar_and_timer(blobs, early_stopping):
    scoring = EpochScoring(mean_square, on_train=not early_stopping)
    model = encoder_calling(
        ProgressBar(), EpochTimer(), scoring, early_stopping=early_stopping
    ).fit(*blobs)
    assert all(row["dur"] > 0 for row in model.history_)
    bar = dict(model.net_.callbacks_)["callback_0"].pbar_
    assert bar.n == bar.total == 4 + early_stopping
    assert ("valid_loss=" if early_stopping else "train_loss=") in bar.postfix
    pickle.loads(pickle.dumps(model)).transform(blobs[0])


def test_tensorboard_writes_scalars(blobs):
    class Writer:
        def __init__(self):
            self.tags = set()

        def add_scalar(self, tag, scalar_value, global_step):
            self.tags.add(tag)

        def close(self):
            pass

    writer = Writer()
    encoder_calling(TensorBoard(writer)).fit(*blobs)
    assert {"Loss/train_loss", "lr", "dead_bits"} <= writer.tags


def test_callbacks_that_can_not_work_are_refused(blobs):
    refused(blobs, encoder_calling(InputShapeSetter()), "would build the network anew")
    refused(
        blobs,
        encoder_calling(WandbLogger(None)),
        r"WandbLogger\(..., save_model=False\)",
    )
    refused(blobs, encoder_calling(("name", EarlyStopping())), "EarlyStopping monitors")
    refused(blobs, encoder_calling(print), "callbacks holds <built-in function print>")


def test_callbacks_stay_as_given(blobs):
    callbacks = [
        EpochScoring(mean_square, on_train=True),
        Freezer("head.*"),
        PrintLog(sink=len),
    ]
    before = [vars(callback).copy() for callback in callbacks]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        encoder_calling(*callbacks).fit(*blobs)
    assert [vars(callback) for callback in callbacks] == before
