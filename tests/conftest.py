"""Settings and toy data that every test shares."""

import os

# Worker processes share the cores: threads that wait must sleep, not spin. OpenMP and
# BLAS read this when they are first imported, so it stands before every other import.
# The numbers of torch's threads stay what they are for users, since tests compare them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import random
import re
import signal
import sys
from importlib.util import find_spec

import hypothesis
import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.model_selection import train_test_split

# What a shell starts in the background ignores Ctrl-C, which some tests press.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline, and drawing may take long: the first call of a compiled kernel takes
# seconds, and other processes may take the cores. Derandomized: a failure that was seen
# once is seen again.
patient = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("skhash", patient, derandomize=True)
# `make test-quick` tries fewer examples where a test does not say how many.
hypothesis.settings.register_profile(
    "quick", patient, derandomize=True, max_examples=20
)
# `pytest --hypothesis-profile=explore` looks for new ones.
hypothesis.settings.register_profile("explore", patient, max_examples=1000)
hypothesis.settings.load_profile("skhash")


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        _take_turns_in_the_cache(config.cache.mkdir("kernels") / "lock")


# Of a test with more cases than this, that many, spread evenly, are not slow.
QUICK_CASES = 3
# Examples of the documentation take long if they train, trace or start workers.
LONG_EXAMPLES = (
    "DeepHashEncoder(",
    "Client(",
    "LocalCluster(",
    "to_onnx(",
    "to_torch(",
)


@pytest.hookimpl(tryfirst=True)  # before the marks choose
def pytest_collection_modifyitems(items):
    """Mark what is slow by a rule, and skip exports to engines that are missing.

    `make test-exports` skips none.
    """
    cases = {}
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            _mark_example(item)
        elif not item.get_closest_marker("slow"):
            test = item.nodeid.partition("[")[0]
            cases.setdefault(test, []).append(item)
    for each in cases.values():
        for item in set(each) - set(quick_ones(each)):
            item.add_marker("slow")


def quick_ones(cases):
    """The first of some cases, the last, and those evenly between."""
    last = len(cases) - 1
    if last < QUICK_CASES:
        return cases
    return [cases[i * last // (QUICK_CASES - 1)] for i in range(QUICK_CASES)]


def _mark_example(item):
    source = "".join(example.source for example in item.dtest.examples)
    if any(each in source for each in LONG_EXAMPLES):
        item.add_marker("slow")
    if "skhash.export" in source and "SKHASH_TEST_ENGINES" not in os.environ:
        names = re.findall(r"^(?:import|from) (\w+)", source, re.M)
        if missing := [name for name in names if not find_spec(name)]:
            item.add_marker(pytest.mark.skip(f"{missing[0]} is not installed"))


def _take_turns_in_the_cache(path):
    """Let one worker process at a time read or write numba's cache of kernels.

    numba saves a kernel under the first number that is free. Two processes that save
    kernels of one function at once find the same one, and later load the wrong code.
    """
    from filelock import FileLock  # comes with torch
    from numba.core.caching import IndexDataCacheFile

    def in_turn(method):
        def locked(*args):
            with FileLock(path):
                return method(*args)

        return locked

    for name in ("load", "save"):
        setattr(IndexDataCacheFile, name, in_turn(getattr(IndexDataCacheFile, name)))


@pytest.fixture(autouse=True)
def _fixed_seeds(request):
    """A test does the same every time, after whichever others it comes."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    if torch := sys.modules.get("torch"):  # most tests do without it
        torch.manual_seed(0)
    if rng := getattr(getattr(request.node, "module", None), "RNG", None):
        # Another seed than those of the modules, which have drawn from theirs.
        rng.bit_generator.state = np.random.default_rng(1234).bit_generator.state


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def blobs():
    """Features (240, 10) and labels (240,) of four classes, easy to tell apart."""
    X, y = make_blobs(
        n_samples=240, n_features=10, centers=4, cluster_std=1.0, random_state=0
    )
    return _read_only(X.astype(np.float32), y)


@pytest.fixture(scope="session")
def digits():
    """Digits: X_train (600, 64), X_query (200, 64), y_train and y_query."""
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(
        X.astype(np.float32),
        y,
        train_size=600,
        test_size=200,
        stratify=y,
        random_state=0,
    )
    return _read_only(*parts)


def _read_only(*arrays):
    """All tests share them: the one that writes must fail, not the one after it."""
    for array in arrays:
        array.flags.writeable = False
    return arrays
