"""Torch's threads: their number comes back, they share cores, they outlive a fork."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback

import joblib
import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn
from torch.utils.data import Dataset

from skhash import DeepHashEncoder
from skhash.encoder import _threads as threads
from skhash.encoder._threads import run, torch_threads
from skhash.networks import borrowed_generator

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


def encoder(**params):
    """Two threads, whatever the size of the network."""
    return DeepHashEncoder(
        **{"n_bits": 16, "max_epochs": 2, "random_state": 0, "n_jobs": 2, **params}
    )


@pytest.fixture(scope="module")
def images():
    """Images large enough for torch to call a second thread."""
    rng = np.random.default_rng(0)
    y = np.arange(256) % 4
    X = rng.normal(size=(4, 16, 16, 3))[y] + rng.normal(size=(256, 16, 16, 3))
    return X.astype(np.float32), y


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


# The number


def test_threads_come_back_also_after_an_error():
    before = torch.get_num_threads()
    with torch_threads(1):
        assert torch.get_num_threads() == 1
        with torch_threads(2):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 1
        with pytest.raises(KeyError), torch_threads(3):
            raise KeyError
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_trainings_in_other_threads_do_not_leave_their_number():
    before = torch.get_num_threads()
    entered, leave = threading.Event(), threading.Event()
    inner = []

    def first():
        with torch_threads(1):
            entered.set()
            leave.wait()

    def second():
        entered.wait()
        with torch_threads(1):
            inner.append(torch.get_num_threads())
            leave.set()
        inner.append(torch.get_num_threads())

    workers = [threading.Thread(target=work) for work in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert inner == [1, before]
    assert torch.get_num_threads() == before
    after = []
    worker = threading.Thread(target=lambda: after.append(torch.get_num_threads()))
    worker.start()
    worker.join()
    assert after == [before]


def test_a_run_has_its_number_and_gives_it_back():
    before = torch.get_num_threads()
    for number in (1, before + 1):
        assert run(number, torch.get_num_threads) == number
        assert torch.get_num_threads() == before
    with torch_threads(1), torch_threads(1):  # the inner block has nothing to do
        assert run(1, torch.get_num_threads) == 1
        assert run(2, torch.get_num_threads) == 2
        with pytest.raises(KeyError):
            run(1, lambda: {}["a"])
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("n_jobs", [np.int64(2), np.int8(1), True, -1, -99])
def test_any_integer_is_a_number_of_jobs(blobs, n_jobs):
    assert encoder(n_jobs=n_jobs).fit(*blobs).transform(blobs[0]).shape == (240, 2)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_zero_jobs_are_refused(blobs, method):
    with pytest.raises(ValueError, match=r"'n_jobs' parameter .* Got 0 instead"):
        getattr(encoder(n_jobs=0), method)(*blobs)


# How they wait


def n_asleep(patience=0):
    """Number of threads that sleep, or 0 as soon as none does."""
    until = time.monotonic() + patience
    while True:
        n = [t.name for t in threading.enumerate()].count("skhash-asleep")
        if n == 0 or time.monotonic() >= until:
            return n
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="of GNU's OpenMP alone")
@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, [0, 1, 1, 0]), ({"OMP_WAIT_POLICY": "ACTIVE"}, [0, 0, 0, 0])],
    ids=["by itself", "a choice of the user's"],
)
def test_threads_sleep_while_others_may_need_the_cores(
    environment, expected, monkeypatch
):
    monkeypatch.setattr(threads, "_LINGER", 0.05)

    def work():
        found = []
        for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
            os.environ.pop(name, None)
        os.environ.update(environment)
        before = dict(os.environ), torch.get_num_threads()
        with torch_threads(1):
            found.append(n_asleep())
            with torch_threads(2), torch_threads(2):
                found.append(n_asleep())
                time.sleep(0.2)
                found.append(n_asleep())
                assert torch.get_num_threads() == 2
        for _ in range(3):
            run(2, lambda: None)
        found.append(n_asleep(patience=30))
        assert (dict(os.environ), torch.get_num_threads()) == before
        assert threads._n_asleep == 0
        return found

    if len(os.sched_getaffinity(0)) < 2:
        expected = [0, 0, 0, 0]  # OpenMP sees to it by itself
    assert in_child(work) == expected


# Forks


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


@needs_fork
def test_fork_in_the_middle_of_a_training(images):
    X, y = images
    found = []
    model = encoder(network=own_network(), callbacks=[Forks(X, y, found)]).fit(X, y)
    assert len(found) == 2
    for z, number_stayed in found:
        np.testing.assert_array_equal(z, model.embed(X))
        assert number_stayed


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
def test_a_stand_in_is_stopped_again_where_the_error_is_swallowed(monkeypatch):
    monkeypatch.setattr(threads, "_PATIENCE", 0.2)

    def swallows():
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.01)
        while True:
            time.sleep(0.01)

    def work():
        stand_in = threads._StandIn()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            stand_in.run(swallows)
        return stand_in.thread.is_alive()

    assert not in_child(work)


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
