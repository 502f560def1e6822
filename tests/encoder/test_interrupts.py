"""Ctrl-C leaves all as it was; where a callback stops, what has been learnt stays."""

import copy
import os
import signal
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.callbacks import Callback, EarlyStopping
from torch import nn
from torch.utils.data import Dataset

from skhash import DeepHashEncoder
from skhash.losses import DualHinge, Exponentiated, HashLoss, Stage

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


class Countdown:
    """Presses Ctrl-C when it has been called so often."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        self.left -= 1
        if self.left == 0:
            press_ctrl_c()

    def __deepcopy__(self, memo):
        return self  # networks are copied, the key is pressed once


class Body(nn.Module):
    """A body that presses Ctrl-C in a forward pass of training or of evaluation."""

    def __init__(self, countdown, training):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(10, 8), nn.ReLU())
        self.countdown, self.when = countdown, training

    def forward(self, x):
        if self.training == self.when:
            self.countdown()
        return self.layer(x)


class Refreshing(HashLoss):
    """Presses Ctrl-C while it is refreshed."""

    def __init__(self, countdown):
        super().__init__()
        self.countdown = countdown

    def plan(self, n_epochs):
        return [Stage(n_epochs, refresh_first=True, refresh_every=1)]

    def refresh(self, z, y, sample_weight=None):
        self.countdown()

    def forward(self, z, y, sample_weight=None):
        return (z - y[:, None]).square().mean()


class Presses(Callback):
    """Presses Ctrl-C in one of the moments that a callback sees."""

    def __init__(self, countdown, moment):
        self.countdown = countdown
        setattr(self, moment, lambda net, **kwargs: self.countdown())


class Items(Dataset):
    """Items that come one by one."""

    def __init__(self, X, y, countdown=lambda: None):
        self.X, self.y, self.countdown = X, y, countdown

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        self.countdown()
        return torch.tensor(self.X[index]), int(self.y[index])


def encoder(**params):
    return DeepHashEncoder(
        **{"n_bits": 8, "max_epochs": 4, "batch_size": 64, "random_state": 0, **params}
    )


# Two epochs of four batches into the training, or at its first step.
PLACES = {
    "first batch": lambda: {"network": Body(Countdown(1), training=True)},
    "later batch": lambda: {"network": Body(Countdown(9), training=True)},
    "validation": lambda: {
        "network": Body(Countdown(2), training=False),
        "early_stopping": True,
    },
    "codes at the end": lambda: {"network": Body(Countdown(1), training=False)},
    "refresh": lambda: {"loss": Refreshing(Countdown(1))},
    **{
        moment: lambda moment=moment: {"callbacks": [Presses(Countdown(2), moment)]}
        for moment in (
            "on_epoch_begin",
            "on_batch_begin",
            "on_grad_computed",
            "on_batch_end",
            "on_epoch_end",
        )
    },
    "on_train_begin": lambda: {"callbacks": [Presses(Countdown(1), "on_train_begin")]},
    "on_train_end": lambda: {"callbacks": [Presses(Countdown(1), "on_train_end")]},
}


@pytest.mark.parametrize("place", PLACES)
def test_ctrl_c_leaves_an_encoder_unfitted(blobs, place):
    model = encoder(**PLACES[place]())
    before = vars(model).copy()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*blobs)
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        model.transform(blobs[0])


def test_ctrl_c_while_a_dataset_gives_an_item(blobs):
    model = encoder()
    with pytest.raises(KeyboardInterrupt):
        model.fit(Items(*blobs, Countdown(300)), blobs[1])
    assert not hasattr(model, "net_")


def state_of(model):
    """All that a user can see of a fitted encoder, by value."""
    net, loss = model.net_, model.loss_
    return copy.deepcopy(
        {
            "attributes": [*vars(model)],
            "z": model.embed(model.X_),
            "history": model.history_,
            "n_iter": model.n_iter_,
            "class_codes": model.class_codes_,
            "rows": list(net.history),
            "trained": [p.requires_grad for p in net.module_.parameters()],
            "loss": {name: value.tolist() for name, value in loss.state_dict().items()},
            "settings": (net.lr, net.lr_schedule, net.max_epochs, net.sampler),
        }
    )


def same(a, b):
    return np.testing.assert_equal(a, b)


LOSSES = ["dual_hinge", "dcwh", Exponentiated(pretrain=0.4), "hashnet"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["on_batch_end", "on_epoch_end", "on_train_end"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("after_fit", [False, True])
def test_ctrl_c_in_partial_fit_changes_nothing(blobs, loss, moment, after_fit):
    X, y = blobs
    model = encoder(loss=loss)
    model = model.fit(X, y) if after_fit else model.partial_fit(X, y)
    model.X_ = X
    twin = copy.deepcopy(model)
    before = state_of(model)
    net, network = model.net_, model.net_.module_
    model.set_params(callbacks=[Presses(Countdown(1), moment)], lr=0.1)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X[:200], y[:200])
    same(state_of(model), before)
    assert model.net_ is net
    assert model.net_.module_ is network
    model.set_params(callbacks=None, lr=twin.lr).partial_fit(X, y)
    np.testing.assert_array_equal(model.embed(X), twin.partial_fit(X, y).embed(X))


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_ctrl_c_in_a_warm_start_changes_nothing(blobs, loss):
    X, y = blobs
    model = encoder(loss=loss, warm_start=True, max_epochs=10).fit(X, y)
    model.X_ = X
    twin = copy.deepcopy(model)
    before = state_of(model)
    for calls in (1, 5, 10):  # in each stage of the plan
        model.set_params(callbacks=[Presses(Countdown(calls), "on_epoch_end")])
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
        same(state_of(model), before)
    model.set_params(callbacks=None).fit(X, y)
    np.testing.assert_array_equal(model.embed(X), twin.fit(X, y).embed(X))


def test_errors_change_nothing_either(blobs):
    X, y = blobs
    model = encoder(loss="dcwh").partial_fit(X, y)
    model.X_ = X
    before = state_of(model)

    def fails(net, **kwargs):
        raise ZeroDivisionError

    callback = Callback()
    callback.on_epoch_end = fails
    model.set_params(callbacks=[callback])
    with pytest.raises(ZeroDivisionError):
        model.partial_fit(X, y)
    same(state_of(model), before)


@pytest.mark.parametrize("milliseconds", [1, 30, 60, 90, 120])
def test_ctrl_c_at_any_time(blobs, milliseconds):
    # The first fit imports more of torch; an import cut short leaves it broken.
    encoder(max_epochs=1).fit(*blobs)
    model = encoder(max_epochs=10**6)
    before = vars(model).copy()

    def fit():
        threading.Timer(milliseconds / 1000, press_ctrl_c).start()
        model.fit(*blobs)

    with pytest.raises(KeyboardInterrupt):
        fit()
    assert vars(model) == before


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
def test_ctrl_c_stops_searches(blobs, error_score):
    X, y = blobs
    fits = []

    class Fits(Callback):
        def on_train_begin(self, net, **kwargs):
            fits.append(0)

    def parameters():
        return {"callbacks": [Fits()], "network": Body(Countdown(6), training=True)}

    with pytest.raises(KeyboardInterrupt):
        cross_val_score(encoder(**parameters()), X, y, error_score=error_score)
    assert len(fits) == 1
    search = GridSearchCV(
        encoder(**parameters()), {"n_bits": [4, 8]}, error_score=error_score
    )
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert len(fits) == 2
    assert not hasattr(search, "best_estimator_")


# Callbacks that ask for the end


class Asks(Callback):
    """Asks for the end as skorch's callbacks do."""

    def __init__(self, ask, moment="on_epoch_end", calls=2):
        self.left = calls
        setattr(self, moment, lambda net, **kwargs: self.count(ask))

    def count(self, ask):
        self.left -= 1
        if self.left == 0:
            ask()


class Enough(KeyboardInterrupt):
    pass


def raises():
    raise KeyboardInterrupt


def raises_own():
    raise Enough("this will do")


def raises_again():
    try:
        raises()
    except KeyboardInterrupt:
        raise
    finally:
        len("cleaning up")


def raises_from():
    try:
        int("x")
    except ValueError as error:
        raise KeyboardInterrupt from error


@pytest.mark.parametrize("ask", [raises, raises_own, raises_again, raises_from])
@pytest.mark.parametrize(
    ("moment", "epochs"),
    [
        ("on_epoch_begin", 1),
        ("on_batch_begin", 0),
        ("on_grad_computed", 0),
        ("on_batch_end", 0),
        ("on_epoch_end", 2),
    ],
)
def test_a_callback_may_end_the_training(blobs, ask, moment, epochs):
    X, y = blobs
    model = encoder(callbacks=[Asks(ask, moment)]).fit(X, y)
    assert model.n_iter_ == len(model.history_) == epochs
    assert model.transform(X).shape == (240, 1)
    model.set_params(callbacks=[Asks(ask, moment, calls=1)]).partial_fit(X, y)
    assert model.predict(X).shape == (240,)


@pytest.mark.slow
def test_early_stopping_of_skorch_ends_the_training(blobs):
    stop = EarlyStopping("train_loss", patience=2, threshold=1e9, threshold_mode="abs")
    model = encoder(callbacks=[stop], max_epochs=20).fit(*blobs)
    assert model.n_iter_ == 3
    scores = cross_val_score(clone(model), *blobs)
    assert np.isfinite(scores).all()


def test_ctrl_c_with_a_handler_written_in_python(blobs):
    def handler(signum, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    try:
        model = encoder(callbacks=[Presses(Countdown(1), "on_epoch_end")])
        with pytest.raises(KeyboardInterrupt):
            model.fit(*blobs)
        model = encoder(callbacks=[Asks(raises)]).fit(*blobs)
    finally:
        signal.signal(signal.SIGINT, before)
    assert model.n_iter_ == 2


def test_a_raise_outside_callbacks_is_an_interrupt(blobs):
    class Loss(DualHinge):
        def forward(self, z, y, sample_weight=None):
            raise KeyboardInterrupt

    model = encoder(loss=Loss())
    with pytest.raises(KeyboardInterrupt):
        model.fit(*blobs)
    assert not hasattr(model, "net_")
