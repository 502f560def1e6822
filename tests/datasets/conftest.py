"""What tests of several readers need."""

import tracemalloc
from contextlib import contextmanager

import pytest


@contextmanager
def _peak_below(n_bytes):
    tracemalloc.start()
    try:
        yield
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < n_bytes


@pytest.fixture(scope="session")
def peak_below():
    """A context in which Python and numpy never hold more than `n_bytes` more."""
    return _peak_below


@contextmanager
def _refused_by_name(name):
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        if name not in str(error):
            raise AssertionError(f"the error does not name {name}") from error


@pytest.fixture(scope="session")
def refused_by_name():
    """A context in which nothing fails but with a ValueError that names the file."""
    return _refused_by_name
