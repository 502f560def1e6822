"""Torch's threads outlive a fork."""

import contextlib
import os
import pickle
import signal
import threading
import time

import joblib
import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn
from torch.utils.data import Dataset

from skhash.encoder import _threads as threads
from skhash.encoder._threads import run, torch_threads
from skhash.networks import borrowed_generator
from tests.encoder.helpers import encoder_with, in_child

# Two threads, whatever the size of the network.
encoder = encoder_with(16, max_epochs=2, n_jobs=2)


pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Python's own word on what is tested here.
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.timeout(120),
]


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture(autouse=True)
def no_choice_of_waiting(monkeypatch):
    """The suite's workers make a choice that only few users make."""
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def ctrl_c_of_python():
    """Polars, once used, has Ctrl-C handled by code that wakes no wait for a lock."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def images():
    """Images large enough for torch to call a second thread."""
    rng = np.random.default_rng(0)
    y = np.arange(256) % 4
    X = rng.normal(size=(4, 16, 16, 3))[y] + rng.normal(size=(256, 16, 16, 3))
    return X.astype(np.float32), y


@needs_fork
def test_pool_of_openmp_does_not_survive_a_fork():
    """What the others guard against: the same work without the stand-in hangs."""

    def work():
        return float((torch.ones(500, 500) @ torch.ones(500, 500)).sum())

    def hangs():
        torch.set_num_threads(2)
        return work()

    expected = run(2, work)
    assert in_child(lambda: run(2, work)) == expected
    with pytest.raises(AssertionError, match="the child hangs"):
        in_child(hangs, timeout=1)


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize("loss", ["dual_hinge", "dcwh"])
def test_forked_child_gives_the_codes_of_its_parent(images, loss):
    X, y = images
    model = encoder(loss=loss).fit(X, y)
    expected = model.embed(X), model.predict(X), model.decision_function(X)

    def work():
        own = model.embed(X), model.predict(X), model.decision_function(X)
        again = in_child(lambda: model.embed(X))  # a child of the child
        in_thread = []
        thread = threading.Thread(target=lambda: in_thread.append(model.embed(X)))
        thread.start()
        thread.join()
        trained = encoder(loss=loss).fit(X, y).embed(X)
        further = pickle.loads(pickle.dumps(model)).partial_fit(X, y).embed(X)
        return own, again, in_thread[0], trained, further

    own, again, in_thread, trained, further = in_child(work)
    for value, other in zip(expected, own, strict=True):
        np.testing.assert_array_equal(value, other)
    for z in (again, in_thread, trained):
        np.testing.assert_array_equal(z, expected[0])
    np.testing.assert_array_equal(model.partial_fit(X, y).embed(X), further)


@pytest.mark.slow
@needs_fork
def test_large_labels_and_tensors_in_a_forked_child():
    """All of a fit must do without the pool, the checks of many items, too."""
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=40_000)
    X = rng.normal(size=(40_000, 4)).astype(np.float32) + y[:, None]
    params = {"batch_size": 1000, "max_epochs": 1, "network": "linear"}
    params["validation_fraction"] = 0.002
    model = encoder(**params).fit(X, y)

    def work():
        return encoder(**params, early_stopping=True).fit(X, y) and model.predict(X)

    np.testing.assert_array_equal(in_child(work), model.predict(X))


@pytest.mark.slow
@needs_fork
def test_workers_of_a_pool_answer(images):
    X, y = images
    model = encoder().fit(X, y)
    expected = model.transform(X)
    backend = joblib.parallel_config("multiprocessing", n_jobs=2)
    with backend:
        answers = joblib.Parallel()(
            joblib.delayed(model.transform)(part) for part in np.split(X, 4)
        )
    np.testing.assert_array_equal(np.concatenate(answers), expected)


class Forks(Callback):
    """Forks in the middle of a training; the child trains an encoder of its own."""

    def __init__(self, X, y, found):
        self.X, self.y, self.found = X, y, found

    def on_epoch_end(self, net, **kwargs):
        def work():
            before = torch.get_num_threads()
            z = encoder(network=own_network()).fit(self.X, self.y).embed(self.X)
            return z, before == torch.get_num_threads()

        self.found.append(in_child(work))


def own_network():
    """Not one of skhash: its training borrows torch's global generators."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 64), nn.ReLU())


@pytest.mark.slow
@needs_fork
def test_fork_in_the_middle_of_a_training(images):
    X, y = images
    found = []
    model = encoder(network=own_network(), callbacks=[Forks(X, y, found)]).fit(X, y)
    assert len(found) == 2
    for z, number_stayed in found:
        np.testing.assert_array_equal(z, model.embed(X))
        assert number_stayed


@pytest.mark.slow
@needs_fork
def test_locks_that_another_thread_held_at_the_fork(images):
    X, y = images
    model = encoder().fit(X, y)
    held, leave = threading.Event(), threading.Event()

    def hold():
        with threads._lock, borrowed_generator(0):
            held.set()
            leave.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        z = in_child(lambda: encoder(network=own_network()).fit(X, y).embed(X))
    finally:
        leave.set()
        holder.join()
    assert z.shape == (256, 16)
    assert model.transform(X).shape == (256, 2)


@needs_fork
def test_child_that_leaves_a_training_by_itself(images):
    """A fork inside the block, and the child goes on to its end."""

    def work():
        with torch_threads(2):
            pid = os.fork()
        if pid:
            return os.waitpid(pid, 0)[1]
        with torch_threads(2):
            pass
        os._exit(0)

    assert in_child(work) == 0


class Slow(Dataset):
    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        time.sleep(0.001)
        return torch.tensor(self.X[index]), int(self.y[index])


@pytest.mark.slow
@needs_fork
def test_ctrl_c_in_a_forked_child(images):
    X, y = images
    model = encoder().fit(X, y)

    def work():
        other = encoder(max_epochs=10**6)
        before = vars(other).copy()
        found = []
        for data in (X, Slow(X, y)):
            press = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            press.start()
            try:
                other.fit(data, y)
            except KeyboardInterrupt:
                found.append(vars(other) == before)
        return found, model.embed(X)

    found, z = in_child(work)
    assert found == [True, True]
    np.testing.assert_array_equal(z, model.embed(X))


@needs_fork
def test_a_stand_in_stops_when_ctrl_c_comes_before_its_future(monkeypatch):
    def work():
        stand_in = threads._StandIn()
        submit = stand_in.executor.submit

        def interrupted(function):
            submit(function)
            raise KeyboardInterrupt

        monkeypatch.setattr(stand_in.executor, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stand_in.run(lambda: [time.sleep(0.01) for _ in range(10**6)])
        return stand_in.thread.is_alive()

    assert not in_child(work)


@needs_fork
@pytest.mark.parametrize("interrupts", [True, False])
def test_a_stand_in_is_stopped_again_where_the_error_is_swallowed(
    monkeypatch, interrupts
):
    monkeypatch.setattr(threads, "_PATIENCE", 0.2)

    def swallows():
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.01)
        while True:
            time.sleep(0.01)

    def work():
        # Polars and others have handlers after which system calls go on.
        signal.siginterrupt(signal.SIGINT, interrupts)
        stand_in = threads._StandIn()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            stand_in.run(swallows)
        return stand_in.thread.is_alive()

    assert not in_child(work)


@pytest.mark.slow
@needs_fork
def test_errors_of_a_forked_child_are_those_of_the_training(images):
    class Fails(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise ZeroDivisionError("in the callback")

    def work():
        with contextlib.suppress(ZeroDivisionError):
            encoder(callbacks=[Fails()]).fit(*images)
            return False
        return True

    encoder().fit(*images)
    assert in_child(work)
