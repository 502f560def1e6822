"""Threads that run kernels, which release the GIL.

Plain Python threads, instead of numba's parallel loops, may be started from several
threads at once and after a fork, under every threading layer, and compile faster.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

_lock = Lock()
_pool: tuple[int, int, ThreadPoolExecutor] | None = None


def run(function: Callable[..., Any], tasks: Iterable[tuple], n_threads: int) -> list:
    """Return ``[function(*task) for task in tasks]``, on several threads."""
    todo = list(tasks)
    if n_threads == 1 or len(todo) <= 1:
        return [function(*task) for task in todo]
    results: dict[int, Any] = {}
    numbered = iter(enumerate(todo))
    order = Lock()

    def work() -> None:
        while True:
            with order:
                number, task = next(numbered, (-1, ()))
            if number < 0:
                return
            results[number] = function(*task)

    pool = _executor(n_threads)
    helpers = min(n_threads, len(todo)) - 1
    futures = [pool.submit(work) for _ in range(helpers)]
    # The calling thread works too.
    work()
    for future in futures:
        # One that has not begun by now would find no task left.
        if not future.cancel():
            future.result()
    return [results[i] for i in range(len(todo))]


def spans(start: int, stop: int, n_parts: int, multiple: int) -> list[tuple[int, int]]:
    """Cut a range into about `n_parts` spans of whole multiples, the last one less."""
    step = -(-(stop - start) // max(1, n_parts))
    step = max(multiple, -(-step // multiple) * multiple)
    return [(at, min(stop, at + step)) for at in range(start, stop, step)]


def _executor(n_threads: int) -> ThreadPoolExecutor:
    global _pool
    with _lock:
        # Threads do not survive a fork.
        if _pool is None or _pool[0] != os.getpid() or _pool[1] < n_threads:
            executor = ThreadPoolExecutor(n_threads, thread_name_prefix="skhash")
            _pool = (os.getpid(), n_threads, executor)
        return _pool[2]


def _after_fork() -> None:
    global _lock, _pool
    _lock, _pool = Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
