"""Figures without a window, and a look at what each test leaves behind."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def _leave_matplotlib_alone():
    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


@pytest.fixture
def retrieval(rng):
    """Queries, database and their labels, as bool bits; many distances are tied."""
    labels = rng.integers(0, 4, 90)
    prototypes = rng.random((4, 12)) < 0.5
    bits = prototypes[labels] ^ (rng.random((90, 12)) < 0.15)
    bits[:, 3] = True  # a dead bit
    return bits[:30], bits[30:], labels[:30], labels[30:]


@pytest.fixture
def slow(retrieval):
    """Hamming distances and relevance, pair by pair."""
    queries, database, query_labels, database_labels = retrieval
    distance = np.array([[sum(q != c) for c in database] for q in queries])
    relevant = np.array([[a == b for b in database_labels] for a in query_labels])
    return distance, relevant
