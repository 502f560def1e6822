"""What several tests of the encoder need: encoders, data sets, callbacks."""

import multiprocessing
import traceback
import warnings

import numpy as np
import pytest
from skorch.callbacks import Callback
from torch.utils.data import Dataset

from skhash import DeepHashEncoder


def encoder_with(n_bits, **defaults):
    """A function that makes encoders, of these parameters if it is given no others."""

    def encoder(n_bits=n_bits, **params):
        return DeepHashEncoder(n_bits, **{"random_state": 0, **defaults, **params})

    return encoder


class Items(Dataset):
    """Items alone, as they are."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index]


class Pairs(Items):
    """Items and labels, as they are."""

    def __init__(self, X, y):
        super().__init__(X)
        self.y = y

    def __getitem__(self, index):
        return self.X[index], self.y[index]


class Recorder(Callback):
    """Keeps what it sees of each epoch."""

    def __init__(self, look):
        self.look = look
        self.seen = []

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(self.look(net))


class Interrupt(Callback):
    """Asks for the end of the training, as skorch's callbacks do, at a moment of it."""

    def __init__(self, moment, batch=0):
        self.moment = moment
        self.left = batch

    def __getattribute__(self, name):
        if name.startswith("on_") and name == object.__getattribute__(self, "moment"):
            if object.__getattribute__(self, "left") == 0:
                raise KeyboardInterrupt
            self.left -= 1
        return object.__getattribute__(self, name)


def images_of_two_classes(*shape, n=40):
    """Images, channels last, of uint8: dark and bright ones in turn; their labels."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, size=(n, *shape)).astype(np.uint8)
    X[1::2] += 100
    return X, np.arange(n) % 2


def in_child(work, timeout=60):
    """What a forked child's work returns, or its error."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)

    def target():
        try:
            there.send((True, work()))
        except BaseException:
            there.send((False, traceback.format_exc()))

    child = context.Process(target=target)
    child.start()
    answered = here.poll(timeout)
    good, value = here.recv() if answered else (False, "the child hangs")
    if not answered:
        child.kill()
    child.join()
    assert good, value
    return value


def said(model, X, method="transform"):
    """What is warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(model, method)(X)
    assert {w.filename for w in caught} <= {__file__}
    return [str(w.message) for w in caught]


# Labels of `numbers`.
Y = np.arange(40) % 2


def numbers(seed=0):
    """Features (40, 6) of two classes as whole numbers 0..9: any dtype holds them."""
    X = np.random.default_rng(seed).integers(0, 5, size=(40, 6))
    X[1::2, :3] += 5
    return X.astype(np.float64)


def objects(items):
    """A 1-D array of objects."""
    array = np.empty(len(items), object)
    array[:] = list(items)
    return array


def mean_square(net, X, y):
    """Of the outputs, for a score that batches and epochs agree on."""
    return float(np.square(net.predict(X)).mean())


def refused(blobs, model, message, method="fit"):
    """Refuse, before any work, and nothing is changed."""
    began = Recorder(None)
    began.on_train_begin = lambda net, **kwargs: pytest.fail("it has begun")
    model.set_params(callbacks=[*model.callbacks, began])
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(*blobs)
    assert vars(model) == before


def encoder_calling(*callbacks, **params):
    return DeepHashEncoder(
        **{
            "n_bits": 8,
            "max_epochs": 4,
            "batch_size": 64,
            "random_state": 0,
            "callbacks": list(callbacks),
            **params,
        }
    )
