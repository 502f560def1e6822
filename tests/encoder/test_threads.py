"""Torch's threads: their number comes back, and they share cores."""

import os
import sys
import threading
import time

import numpy as np
import pytest
import torch

from skhash.encoder import _threads as threads
from skhash.encoder._threads import run, torch_threads
from tests.encoder.helpers import encoder_with, in_child

# Two threads, whatever the size of the network.
encoder = encoder_with(16, max_epochs=2, n_jobs=2)


pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Python's own word on what is tested here.
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.timeout(120),
]


@pytest.fixture(autouse=True)
def no_choice_of_waiting(monkeypatch):
    """The suite's workers make a choice that only few users make."""
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)


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
