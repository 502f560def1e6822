"""Threads that run kernels, which release the GIL.

Plain Python threads, instead of numba's parallel loops, may be started from several
threads at once and after a fork, under every threading layer, and compile faster.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

# What the threads are asked to do, and how many there are. A search of a million codes
# takes some fifty microseconds; concurrent.futures would take as much for its own.
_jobs: SimpleQueue = SimpleQueue()
_n_workers = 0
_lock = Lock()


def run(function: Callable[..., Any], tasks: Iterable[tuple], n_threads: int) -> list:
    """Return ``[function(*task) for task in tasks]``, on several threads."""
    todo = deque(enumerate(tasks))
    n_tasks = len(todo)
    if n_threads == 1 or n_tasks <= 1:
        return [function(*task) for _, task in todo]
    results: list[Any] = [None] * n_tasks
    failed: list[BaseException] = []
    finished: SimpleQueue = SimpleQueue()

    def work() -> None:
        while True:
            try:
                number, task = todo.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                # What nobody has begun when a task fails is left.
                results[number] = None if failed else function(*task)
            except BaseException as error:
                failed.append(error)
            finished.put(None)

    n_helpers = min(n_threads, n_tasks) - 1
    _have_workers(n_helpers)
    for _ in range(n_helpers):
        _jobs.put(work)
    # The calling thread works too. A helper that begins late finds no task left.
    work()
    for _ in range(n_tasks):
        finished.get()
    if failed:
        raise failed[0]
    return results


def spans(start: int, stop: int, n_parts: int, multiple: int) -> list[tuple[int, int]]:
    """Cut a range into about `n_parts` spans of whole multiples, the last one less."""
    step = -(-(stop - start) // max(1, n_parts))
    step = max(multiple, -(-step // multiple) * multiple)
    return [(at, min(stop, at + step)) for at in range(start, stop, step)]


def _have_workers(n: int) -> None:
    """Start threads until there are `n`, each doing one job after the other."""
    global _n_workers
    if _n_workers >= n:
        return
    with _lock:
        while _n_workers < n:
            Thread(target=_serve, args=(_jobs,), name="skhash", daemon=True).start()
            _n_workers += 1


def _serve(jobs: SimpleQueue) -> None:
    """Do one job after the other, for ever."""
    while True:
        jobs.get()()


def _after_fork() -> None:
    """Threads do not survive a fork."""
    global _lock, _jobs, _n_workers
    _lock, _jobs, _n_workers = Lock(), SimpleQueue(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
