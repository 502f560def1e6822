"""How many threads a call may use, and how many are worth their while."""

import os
import sys
from multiprocessing import parent_process
from numbers import Integral

# A search that compares fewer words than this is not worth a second thread, which takes
# some fifty microseconds to join in: it has to wait for the interpreter's lock twice.
THREAD_WORDS = 3 << 20


def useful(n_threads: int, n_words: int) -> int:
    """As many of the threads that comparing this many words is worth."""
    return min(n_threads, 1 + n_words // THREAD_WORDS)


def n_threads(n_jobs: int | None, n_words: int = THREAD_WORDS) -> int:
    """Turn `n_jobs` into a number of threads.

    None means every core the process may use, limited by an active joblib context,
    by threadpoolctl and by the usual environment variables, and 1 inside a worker. An
    integer is read as joblib reads it (-1: all cores), and is 1 inside a worker; 0 has
    no meaning. None is 1 where too few words are compared for a second thread to pay,
    since looking into it takes longer than such a search.
    """
    if n_jobs is None:
        if n_words < THREAD_WORDS:
            return 1
        return max(1, min(_cores(), _joblib_limit(), _openmp_limit()))
    if n_jobs == 1:
        return 1
    if n_jobs == 0 or not isinstance(n_jobs, Integral):
        error = ValueError if isinstance(n_jobs, Integral) else TypeError
        raise error(
            "n_jobs must be None or an integer other than 0, such as 2 for two threads "
            f"or -1 for all cores, got {n_jobs!r}."
        )
    if _inside_worker():
        return 1
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))


def _cores() -> int:
    """Cores that affinity and the environment leave to this process."""
    if parent_process() is not None:
        return 1
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        value = os.environ.get(variable, "")
        if value.isdigit() and int(value) > 0:
            cores = min(cores, int(value))
    return cores


def _inside_worker() -> bool:
    """Whether this is one of several workers, which share the cores."""
    return parent_process() is not None or _joblib_limit() == 1


def _joblib_limit() -> int:
    """Threads that an active joblib context allows."""
    # joblib can limit us only if somebody has imported it.
    parallel = sys.modules.get("joblib.parallel")
    if parallel is None:
        return sys.maxsize
    config = getattr(parallel._backend, "config", None)
    if config is None:
        return sys.maxsize
    backend, jobs = parallel.get_active_backend()
    if getattr(backend, "nesting_level", 0):
        return 1
    if (
        jobs is None
        or config.get("n_jobs") is parallel.default_parallel_config["n_jobs"]
    ):
        return sys.maxsize
    return int(backend.effective_n_jobs(jobs))


def _openmp_limit() -> int:
    """Threads that threadpoolctl or OpenMP allow."""
    # threadpoolctl can limit us only if somebody has imported it. It sets the number
    # of OpenMP threads, which scikit-learn reads for its own search.
    if "threadpoolctl" not in sys.modules:
        return sys.maxsize
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

    return int(_openmp_effective_n_threads())
