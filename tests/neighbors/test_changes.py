"""Changes from several threads and processes, and fits that are refused."""

import os
import threading
from multiprocessing import get_context

import numpy as np
import pytest

from skhash.neighbors import (
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
    _database,
)

CODES = np.random.default_rng(0).integers(0, 256, (40, 4), dtype=np.uint8)
PATIENCE = 30


class Gate:
    """A build that waits until it is let through, in the threads that are named."""

    def __init__(self, monkeypatch, thread):
        self.begun, self.open = threading.Event(), threading.Event()
        real = _database.searcher_for

        def build(*args):
            if threading.current_thread().name == thread:
                self.begun.set()
                assert self.open.wait(PATIENCE)
            return real(*args)

        monkeypatch.setattr(_database, "searcher_for", build)


def in_thread(name, function, *args, **kwargs):
    thread = threading.Thread(target=function, args=args, kwargs=kwargs, name=name)
    thread.start()
    return thread


def test_a_fit_is_not_undone_by_an_add_that_ends_after_it(monkeypatch):
    neighbors = HammingNeighbors(n_neighbors=1).fit(CODES[:4])
    gate = Gate(monkeypatch, "adding")
    # With this many more codes the searcher is made anew.
    adding = in_thread("adding", neighbors.add, CODES[4:20])
    assert gate.begun.wait(PATIENCE)
    fitting = in_thread("fitting", neighbors.fit, CODES[30:])
    # What is under way ends first; were it not waited for, the fit would end here.
    fitting.join(0.2)
    gate.open.set()
    adding.join(PATIENCE)
    fitting.join(PATIENCE)
    np.testing.assert_array_equal(neighbors.codes_, CODES[30:])


def test_an_add_during_a_fit_does_not_wait_and_is_replaced(monkeypatch):
    neighbors = HammingNeighbors(n_neighbors=1).fit(CODES[:4])
    gate = Gate(monkeypatch, "fitting")
    fitting = in_thread("fitting", neighbors.fit, CODES[30:])
    assert gate.begun.wait(PATIENCE)
    neighbors.add(CODES[4:20])
    np.testing.assert_array_equal(neighbors.codes_, CODES[:20])
    gate.open.set()
    fitting.join(PATIENCE)
    np.testing.assert_array_equal(neighbors.codes_, CODES[30:])


def test_queries_during_a_fit_to_other_codes_are_answered(monkeypatch):
    neighbors = HammingNeighbors(n_neighbors=1).fit(CODES[:20])
    gate = Gate(monkeypatch, "fitting")
    fitting = in_thread("fitting", neighbors.fit, CODES[:, :2])
    assert gate.begun.wait(PATIENCE)
    # No plain codes: they are looked at closely.
    queries = np.asfortranarray(CODES[:20])
    assert neighbors.kneighbors(queries)[1].ravel().tolist() == list(range(20))
    gate.open.set()
    fitting.join(PATIENCE)
    assert neighbors.n_features_in_ == 2
    with pytest.raises(ValueError, match="4 features"):
        neighbors.kneighbors(queries)


def refused(estimator, *args, **kwargs):
    with pytest.raises((TypeError, ValueError)):
        estimator.fit(*args, **kwargs)


@pytest.mark.parametrize(
    ("estimator", "wrong"),
    [
        (HammingNeighbors(), {"X": CODES[:, :2], "ids": [1]}),
        (HammingNeighbors(), {"X": CODES[:, :2], "y": [1]}),
        (HammingNeighbors(), {"X": CODES[:, :2] - 1.5}),
        (HammingNeighborsClassifier(), {"X": CODES[:, :2], "y": [1]}),
        (HammingNeighborsClassifier(), {"X": CODES > 9, "y": None}),
        (HammingNeighborsTransformer(), {"X": CODES[:, :2] + 300.0}),
    ],
)
def test_a_refused_fit_changes_nothing(estimator, wrong):
    estimator.fit(CODES, np.arange(40) % 3)
    before = dict(vars(estimator))
    refused(estimator, **wrong)
    assert vars(estimator).keys() == before.keys()
    assert all(vars(estimator)[name] is before[name] for name in before)


def test_a_fit_forgets_the_names_of_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(CODES, columns=list("abcd"))
    neighbors = HammingNeighbors(n_neighbors=1).fit(frame)
    assert neighbors.feature_names_in_.tolist() == list("abcd")
    assert not hasattr(neighbors.fit(CODES), "feature_names_in_")


def add_and_count(neighbors):
    return neighbors.add(CODES[20:30]).n_samples_fit_


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_child_forked_during_a_change_makes_its_own(monkeypatch):
    neighbors = HammingNeighbors(n_neighbors=1).fit(CODES[:4])
    gate = Gate(monkeypatch, "adding")
    adding = in_thread("adding", neighbors.add, CODES[4:20])
    assert gate.begun.wait(PATIENCE)
    try:
        with get_context("fork").Pool(1) as pool:
            answer = pool.apply_async(add_and_count, (neighbors,)).get(timeout=PATIENCE)
    finally:
        gate.open.set()
        adding.join(PATIENCE)
    assert answer == 14
    assert neighbors.n_samples_fit_ == 20
