"""Torch's threads: how many, how they wait, and which Python thread may have them."""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event, Lock, Thread, current_thread, get_ident, local, main_thread
from time import monotonic
from typing import TypeVar

import torch
from sklearn import config_context, get_config

T = TypeVar("T")

# Torch's numbers of threads as they were before the trainings that go on now.
_before: list[int] = []
_lock = Lock()
_here = local()
# Threads that only sleep, see `_put_to_sleep`, and for how many seconds after use.
_n_asleep = 0
_LINGER = 1.0
_last_use = 0.0
# OpenMP keeps a pool for each Python thread. A fork leaves the one thread that forked,
# and it waits for ever for its pool, which is gone. In a child process that may be the
# main thread: what it has to compute is done by a stand-in, which gets a new pool.
_survivor = main_thread().ident if multiprocessing.parent_process() else None
_stand_in: _StandIn | None = None
# Seconds after which one who waits for a stand-in looks whether Ctrl-C was pressed:
# where a library has set a handler that lets system calls go on, it wakes nobody.
_GLANCE = 0.2
# Seconds after which a stand-in that was told to stop is told once more.
_PATIENCE = 10.0


@contextlib.contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Run torch with this many threads, whatever the surroundings say.

    Sums of other numbers of parts round differently: only a fixed number of threads
    gives the same codes in the main process and in every joblib worker.
    """
    global _last_use
    nested, running = getattr(_here, "nested", False), _before
    if nested and torch.get_num_threads() == n_threads:
        yield  # the block around has seen to all
        return
    with _lock:
        # The number is a thread's own, but a new thread starts with the last one set,
        # which may be that of a training in another thread.
        borrowed = running and not nested
        before = running[0] if borrowed else torch.get_num_threads()
        running.append(before)
        if n_threads > 1:
            _put_to_sleep(n_threads)
        torch.set_num_threads(n_threads)
    _here.nested = True
    try:
        yield
    finally:
        _here.nested = nested
        with _lock:
            running.pop()
            _last_use = monotonic() if n_threads > 1 else _last_use
            torch.set_num_threads(before)


def run(n_threads: int, function: Callable[[], T]) -> T:
    """Call a function with this many torch threads, in a forked process as well."""

    def work() -> T:
        with torch_threads(n_threads):
            return function()

    global _stand_in
    if n_threads == 1 or get_ident() != _survivor:
        return work()
    if _stand_in is None:
        _stand_in = _StandIn()
    return _stand_in.run(work)


class _StandIn:
    """A thread that computes for another one, which waits."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1, "skhash")
        self.thread = self.executor.submit(current_thread).result()
        self.works = False

    def run(self, function: Callable[[], T]) -> T:
        """Call the function with the settings of this thread."""
        config, context = get_config(), contextvars.copy_context()

        def work() -> T:
            self.works = True
            try:
                with config_context(**config):
                    return context.run(function)
            finally:
                self.works = False

        future: Future[T] | None = None
        try:
            future = self.executor.submit(work)
            while not future.done():
                wait([future], timeout=_GLANCE)
            return future.result()
        except BaseException as error:
            # Ctrl-C reaches the main thread alone, perhaps before it has the future.
            if future is None or not future.done():
                self.stop(type(error))
            raise

    def stop(self, error: type[BaseException]) -> None:
        """Raise the error in the thread, and wait for its end."""
        global _stand_in
        _stand_in = None  # the error may come late, to the next that is computed
        self.executor.shutdown(wait=False, cancel_futures=True)
        while self.thread.is_alive():
            if self.works:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self.thread.ident), ctypes.py_object(error)
                )
            # Some code swallows errors, such as that of a destructor: raise it again,
            # but not while the first one still puts back what it has interrupted.
            self.thread.join(_PATIENCE if self.works else 0.01)


def _put_to_sleep(n_threads: int) -> None:
    """Let threads of torch that wait for work fall asleep at once, while needed.

    GNU's OpenMP lets them spin for milliseconds, which makes processes that share the
    cores many times slower, unless there are more threads than cores. Make it so: some
    threads that only sleep count, too. The environment of the process stays as it is.
    """
    global _n_asleep
    if {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        return  # the user's choice
    if not hasattr(os, "sched_getaffinity"):
        return
    n_missing = len(os.sched_getaffinity(0)) - (n_threads - 1) - _n_asleep
    if n_missing <= 0:
        return
    _n_asleep += n_missing
    started = Event()

    def sleep() -> None:
        torch.set_num_threads(n_missing + 1)
        torch.zeros(1 << 17, device="cpu").add_(1)  # enough for torch to call them
        started.set()
        while not _leave(n_missing):
            time.sleep(_LINGER)

    Thread(target=sleep, name="skhash-asleep", daemon=True).start()
    started.wait()


def _leave(n_leaving: int) -> bool:
    """Whether nobody computes any more."""
    global _n_asleep
    with _lock:
        used = _before or monotonic() - _last_use < _LINGER
        _n_asleep -= 0 if used else n_leaving
        return not used


def _after_fork() -> None:
    global _before, _lock, _here, _n_asleep, _survivor, _stand_in
    # Another thread may have held the lock, and be in the middle of a training.
    _before, _lock, _here = [], Lock(), local()
    _n_asleep, _survivor, _stand_in = 0, get_ident(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
