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
