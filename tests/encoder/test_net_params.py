"""What is passed on to skorch: callbacks, net_params, verbose."""

import pickle
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from torch import nn

from skhash.encoder._auto import choose_amp
from skhash.networks import HashNetwork
from tests.encoder.helpers import Recorder, encoder_with, images_of_two_classes

encoder = encoder_with(12, max_epochs=4, batch_size=64)


# A training too short to be judged warns; the tests of warnings look themselves.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Callbacks, net_params, verbose


def test_callbacks_are_copied_and_see_the_training(blobs):
    X, y = blobs
    recorder = Recorder(lambda net: net.history[-1, "train_loss"])
    schedule = LRScheduler(policy="StepLR", step_size=1)
    model = encoder(callbacks=[recorder, ("lr", schedule)], lr_schedule="constant").fit(
        X, y
    )
    assert recorder.seen == [row["train_loss"] for row in model.history_]
    kept = dict(model.net_.callbacks_)
    assert "lr" in kept
    assert kept["lr"] is not schedule
    assert not [name for name in kept if name.startswith("skhash_")]


def test_scoring_callback_of_skorch_sees_the_items(blobs):
    X, y = blobs

    def rows(net, X, y):
        return float(len(net.forward(X)))

    scoring = EpochScoring(rows, name="rows", on_train=True, use_caching=False)
    model = encoder(callbacks=[scoring], max_epochs=1).fit(X, y)
    assert model.history_[0]["rows"] == 240


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("criterion__shape", "Use the parameters `loss` and `network`"),
        ("module", "Use the parameters `loss` and `network`"),
        ("module__hidden", "Use the parameters `loss` and `network`"),
        ("max_epochs", "use the encoder's own parameter 'max_epochs'"),
        ("batch_size", "use the encoder's own parameter 'batch_size'"),
        ("optimizer__lr", "use the encoder's own parameter 'lr'"),
        ("callbacks", "use the encoder's own parameter 'callbacks'"),
        ("sampler", "`balanced_batches` and `early_stopping`"),
        ("train_split", "`balanced_batches` and `early_stopping`"),
        (1, "names are strings"),
    ],
)
def test_net_params_that_belong_elsewhere_are_refused(blobs, name, message):
    model = encoder(net_params={name: 1})
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        model.fit(*blobs)
    assert vars(model) == before


def test_unknown_net_params_are_refused_before_training(blobs):
    recorder = Recorder(lambda net: None)
    for name in ("ampere", "optimiser__betas", "iterator_train_shuffle"):
        model = encoder(net_params={name: 1}, callbacks=[recorder])
        before = vars(model).copy()
        with pytest.raises((TypeError, ValueError), match=f"nexpected .*{name}"):
            model.fit(*blobs)
        assert vars(model) == before
    model = encoder(net_params={"optimizer__beta": 1}, callbacks=[recorder])
    with pytest.raises(ValueError, match=r"'beta'\. Look at optimizer='adamw'"):
        model.fit(*blobs)
    assert recorder.seen == []


def test_net_params_have_the_last_word(blobs):
    betas = Recorder(lambda net: net.optimizer_.param_groups[0]["betas"])
    model = encoder(callbacks=[betas], net_params={"optimizer__betas": (0.5, 0.6)}).fit(
        *blobs
    )
    assert betas.seen == [(0.5, 0.6)] * 4
    cycled = Recorder(lambda net: net.optimizer_.param_groups[0]["betas"])
    encoder(callbacks=[cycled]).fit(*blobs)
    assert len(set(cycled.seen)) == 4
    assert model.history_[0]["lr"] > 0


def test_amp_computes_in_bfloat16_and_returns_float32(blobs):
    X, y = blobs
    seen = []
    body = nn.Sequential(nn.Linear(10, 16), nn.ReLU())
    plain = encoder(network=body).fit(X, y)

    class Look(nn.Module):
        def forward(self, x):
            seen.append(x.dtype)
            return x

    body = nn.Sequential(nn.Linear(10, 16), Look())
    torch.manual_seed(0)
    model = encoder(network=body, net_params={"amp": True}, max_epochs=10).fit(X, y)
    assert torch.bfloat16 in seen
    assert model.embed(X).dtype == np.float32
    assert not np.array_equal(model.embed(X), plain.embed(X))
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_sums_up_and_tells_long_trainings_how_far_they_are(
    blobs, capsys, monkeypatch, early_stopping
):
    settings = {"max_epochs": 3, "early_stopping": early_stopping}
    encoder(**settings).fit(*blobs)
    assert capsys.readouterr() == ("", "")
    numbers = r"loss \d+\.\d{4}" + (r", mAP [01]\.\d{4}" if early_stopping else "")
    summary = rf"trained 3 epochs in \d+\.\d s, {numbers}"
    summary += r" in epoch \d" if early_stopping else ""
    encoder(verbose=1, **settings).fit(*blobs)
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(summary, line)
    monkeypatch.setattr("skhash.progress.INTERVAL", 0)
    encoder(verbose=1, **settings).fit(*blobs)
    *lines, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(summary, last)
    shape = r"epoch (\d)/3 \|.*\| +(\d+) %, .* left"
    epochs, shares = zip(
        *(re.match(shape, line).groups() for line in lines), strict=True
    )
    assert sorted(set(epochs)) == ["1", "2", "3"]
    assert list(epochs) == sorted(epochs)
    assert [int(share) for share in shares] == sorted(map(int, shares))
    assert shares[-1] == "100"
    assert re.search(numbers, lines[-1])


def test_a_long_training_says_so_unasked(blobs, caplog, monkeypatch):
    encoder(max_epochs=3).fit(*blobs)
    assert caplog.messages == []
    monkeypatch.setattr("skhash.encoder._progress._SAMPLE", 0)
    monkeypatch.setattr("skhash.encoder._progress._LONG", 0)
    encoder(max_epochs=3).fit(*blobs)
    (message,) = caplog.messages
    assert re.match(r"A training of \d+ batches: some \d\d:\d\d still to go", message)
    encoder(max_epochs=3, verbose=1).fit(*blobs)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", torch.optim.RMSprop])
@pytest.mark.parametrize("lr_schedule", ["one_cycle", "cosine", "constant"])
def test_optimisers_and_schedules_learn(blobs, optimizer, lr_schedule):
    X, y = blobs
    model = encoder(
        optimizer=optimizer, lr_schedule=lr_schedule, max_epochs=15, network="linear"
    ).fit(X, y)
    assert model.score(X, y) > 0.9


# Odd sizes


# torch's compiler makes an object that torch itself deprecates.
compiling = pytest.mark.filterwarnings(
    "ignore:.*autograd.function.Function.*instantiated:DeprecationWarning"
)


@pytest.mark.slow
@compiling
@pytest.mark.parametrize("loss", ["hashnet", "exponentiated"])
def test_a_compiled_network_learns_the_same_codes(blobs, loss):
    # "eager" goes the whole way of torch.compile but for the C++ compiler.
    params = {"compile": True, "compile__backend": "eager"}
    plain = encoder(loss=loss).fit(*blobs)
    model = encoder(loss=loss, net_params=params).fit(*blobs)
    codes = plain.transform(blobs[0])
    np.testing.assert_array_equal(model.transform(blobs[0]), codes)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.transform(blobs[0]), codes)


@pytest.mark.slow
@compiling
def test_compiling_compiles(blobs):
    compiled = Recorder(lambda net: hasattr(net.module_, "_orig_mod"))
    params = {"compile": True, "compile__backend": "eager"}
    encoder(net_params=params, callbacks=[compiled]).fit(*blobs)
    assert compiled.seen == [True] * 4


class Report(Callback):
    """Tells another object of each epoch, and what it does to itself is forgotten."""

    def __init__(self, told):
        self.told = told

    def initialize(self):
        self.epochs_ = 0
        return self

    def on_epoch_end(self, net, **kwargs):
        self.epochs_ += 1
        self.told.append(self.epochs_)


@pytest.mark.parametrize("named", [False, True])
def test_callbacks_report_to_what_they_hold_and_stay_as_given(blobs, named):
    report = Report([])
    callbacks = [("teller", report) if named else report]
    model = encoder(callbacks=callbacks).fit(*blobs)
    assert report.told == [1, 2, 3, 4]
    assert vars(report) == {"told": report.told}
    name = "teller" if named else "callback_0"
    assert dict(model.net_.callbacks_)[name].epochs_ == 4
    clone(model).fit(*blobs)  # a clone has its own of everything
    assert report.told == [1, 2, 3, 4]


# What the system says of processors with and without instructions for bfloat16.
PROCESSORS = {
    "": False,
    "flags\t\t: fpu avx2 fma avx512f avx512bw\n": False,
    "bugs\t\t: avx512_bf16\nflags\t\t: fpu avx2\n": False,
    "model name\t: A\nflags\t\t: avx512_bf16 fma\n\nflags\t\t: avx512_bf16 fma\n": True,
    "processor\t: 0\nflags\t\t: fpu amx_tile amx_bf16 avx512f\n": True,
    "Features\t: fp asimd bf16\n": False,  # ARM's were not measured
}


@pytest.mark.parametrize("info", PROCESSORS)
def test_automatic_amp_goes_by_the_flags_of_the_processor(info):
    convolutions = HashNetwork(nn.Conv2d(1, 2, 3), nn.Linear(2, 2))
    dense = HashNetwork(nn.Linear(2, 2), nn.Linear(2, 2))
    assert choose_amp("auto", convolutions, "cpu", info) == PROCESSORS[info]
    assert not choose_amp("auto", dense, "cpu", info)
    for network in (convolutions, dense):
        assert choose_amp(True, network, "cpu", info)
        assert not choose_amp(False, network, "cpu", info)


@pytest.mark.parametrize("choice", [False, True, "auto"])
def test_net_says_whether_it_was_trained_in_bfloat16(choice, monkeypatch):
    X, y = images_of_two_classes(8, 8)
    monkeypatch.setattr("skhash.encoder._auto._processor_flags", lambda info: set())
    model = encoder(network="convnet", net_params={"amp": choice}, max_epochs=1)
    model.fit(X, y)
    assert model.net_.amp is (choice is True)
    assert pickle.loads(pickle.dumps(model)).net_.amp is model.net_.amp
    assert model.net_params == {"amp": choice}
    flags = {"amx_bf16"}
    monkeypatch.setattr("skhash.encoder._auto._processor_flags", lambda info: flags)
    model.fit(X, y)
    assert model.net_.amp is (choice is not False)


def test_amp_that_is_no_choice_is_refused(blobs):
    model = encoder(net_params={"amp": "bfloat16"})
    before = vars(model).copy()
    with pytest.raises(ValueError, match=r"'amp': 'bfloat16'.* True, False and 'auto'"):
        model.fit(*blobs)
    assert vars(model) == before
