"""Threads, processes, limits on them, and memory."""

import os
import subprocess
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

from skhash import hamming
from skhash.hamming.threads import count, pool
from skhash.metrics import mean_average_precision
from tests.hamming.brute import draw_codes

CODES = draw_codes(np.random.default_rng(0), 3000, 64, 0.1)
EXPECTED = hamming.nearest(CODES[:40], CODES, 9)


def ask(n_jobs=2):
    return hamming.nearest(CODES[:40], CODES, 9, n_jobs=n_jobs)[1].tobytes()


@pytest.fixture
def many_cores(monkeypatch):
    """A machine of 8 cores, on which little work is worth threads."""
    monkeypatch.setattr(count, "_cores", lambda: 8)
    monkeypatch.setattr(count, "THREAD_WORDS", 1)


def test_threads_may_search_at_once(many_cores):
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(ask, [2, 3] * 40))
    assert answers == {EXPECTED[1].tobytes()}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib_workers_search(backend):
    answers = Parallel(n_jobs=2, backend=backend)(delayed(ask)(None) for _ in range(4))
    assert set(answers) == {EXPECTED[1].tobytes()}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_forked_child_searches(many_cores):
    # The pool's threads exist here, and not in the child.
    ask()
    with get_context("fork").Pool(1) as pool:
        answer = pool.apply_async(ask, (2,)).get(timeout=60)
    assert answer == EXPECTED[1].tobytes()


def test_none_means_all_cores_within_limits(many_cores):
    with threadpool_limits(limits=None):
        assert count.n_threads(1) == 1
    with parallel_config(n_jobs=3, backend="threading"):
        assert count.n_threads(None) <= 3
    with threadpool_limits(limits=1):
        assert count.n_threads(None) == 1


@pytest.mark.parametrize(
    ("n_jobs", "error"), [(0, ValueError), (1.5, TypeError), ("2", TypeError)]
)
def test_numbers_of_threads_that_cannot_be_are_refused(n_jobs, error):
    labels = np.arange(40)
    for call in (
        lambda: hamming.distances(CODES[:40], CODES, n_jobs=n_jobs),
        lambda: hamming.nearest(CODES[:40], CODES, 9, n_jobs=n_jobs),
        lambda: hamming.within(CODES[:40], CODES, 9, n_jobs=n_jobs),
        lambda: hamming.count_within(CODES[:40], CODES, 9, n_jobs=n_jobs),
        lambda: hamming.histograms(CODES[:40], CODES, n_jobs=n_jobs),
        lambda: hamming.PivotIndex(CODES, n_jobs=n_jobs),
        lambda: hamming.MultiIndex(CODES, n_jobs=n_jobs),
        lambda: hamming.GroupedCodes(CODES).nearest(CODES[:40], 9, n_jobs=n_jobs),
        lambda: mean_average_precision(
            CODES[:40], CODES[:40], labels, labels, n_jobs=n_jobs
        ),
    ):
        with pytest.raises(error, match=f"n_jobs must be .*got {n_jobs!r}"):
            call()
    # In a worker, too, though one thread is all it uses.
    with pytest.raises(error, match="n_jobs must be"), parallel_config(n_jobs=1):
        count.n_threads(n_jobs)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_worker_uses_one_thread(backend):
    inside = Parallel(n_jobs=2, backend=backend)(
        delayed(count.n_threads)(each) for each in (None, -1, 2)
    )
    assert inside == [1, 1, 1]


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "NUMBA_NUM_THREADS"])
def test_environment_limits_threads(variable, monkeypatch):
    monkeypatch.setenv(variable, "1")
    assert count.n_threads(None) == 1


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_pool_returns_results_in_order_and_raises(n_threads):
    tasks = [(i,) for i in range(17)]
    assert pool.run(lambda i: i * i, tasks, n_threads) == [i * i for i in range(17)]
    with pytest.raises(ZeroDivisionError):
        pool.run(lambda i: 1 // (i - 9), tasks, n_threads)
    assert pool.run(lambda i: i, [], n_threads) == []


def test_tasks_that_fail_together_end_the_call(monkeypatch):
    class Slow(deque):
        def popleft(self):
            time.sleep(0.001)
            return super().popleft()

    def fail(i):
        time.sleep(0.001)
        raise MemoryError(f"task {i}")

    monkeypatch.setattr(pool, "deque", Slow)
    for _ in range(20):
        with pytest.raises(MemoryError):
            pool.run(fail, [(i,) for i in range(6)], 3)
    # The threads are still there.
    assert pool.run(lambda i: i, [(i,) for i in range(6)], 3) == list(range(6))


@pytest.mark.parametrize("n_parts", [1, 3, 50])
def test_spans_cover_the_range(n_parts):
    spans = pool.spans(5, 103, n_parts, 4)
    covered = [i for first, last in spans for i in range(first, last)]
    assert covered == list(range(5, 103))
    assert all((last - first) % 4 == 0 for first, last in spans[:-1])


MEMORY = """
import resource
import numpy as np
from skhash.neighbors import HammingNeighbors
codes = np.random.default_rng(0).integers(0, 256, (10_000_000, 8), dtype=np.uint8)
HammingNeighbors(algorithm="brute").fit(codes[:4096]).kneighbors(codes[:64])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
neighbors = HammingNeighbors(algorithm="brute").fit(codes)
assert np.shares_memory(neighbors.codes_, codes)
neighbors.kneighbors(codes[:64], 100)
print((peak() - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes here")
def test_ten_million_codes_take_no_memory_beside_their_own():
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    # The codes take 76 MiB.
    assert float(done.stdout) < 20


def test_a_small_search_does_not_look_for_threads(monkeypatch):
    monkeypatch.setattr(count, "_cores", lambda: 1 // 0)
    few = hamming.nearest(CODES[:1], CODES, 3)
    expected = hamming.nearest(CODES[:1], CODES, 3, n_jobs=1)
    np.testing.assert_array_equal(few[1], expected[1])
    monkeypatch.setattr(count, "THREAD_WORDS", 1)
    with pytest.raises(ZeroDivisionError):
        hamming.nearest(CODES[:1], CODES, 3)
