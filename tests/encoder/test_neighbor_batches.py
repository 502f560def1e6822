"""Graphs of neighbours, and batches that are drawn from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.encoder._data import neighbors
from skhash.encoder._data.neighbors import (
    ItemByItem,
    NeighborSampler,
    neighbor_graph,
    sample_size,
)
from skhash.encoder._data.vectors import Vectors

X = np.random.default_rng(0).normal(size=(300, 5))


def test_graph_holds_the_nearest_by_cosine():
    items, found = neighbor_graph(Vectors.of(X), seed=0)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    for i in range(len(X)):
        order = np.argsort(-(unit @ unit[i]), kind="stable")
        assert found[i].tolist() == order[order != i][:10].tolist()
    assert items.tolist() == list(range(300))


def test_graph_of_some_items_speaks_of_these():
    rows = np.arange(0, 300, 2)
    _, found = neighbor_graph(Vectors.of(X).subset(rows), seed=0)
    _, expected = neighbor_graph(Vectors.of(X[rows]), seed=0)
    np.testing.assert_array_equal(found, expected)


def test_graph_of_too_many_items_is_that_of_a_sample(monkeypatch):
    monkeypatch.setattr(neighbors, "sample_size", lambda n, d: 40)
    items, found = neighbor_graph(Vectors.of(X), seed=0)
    assert len(items) == len(set(items.tolist())) == len(found) == 40
    assert set(found.ravel().tolist()) <= set(items.tolist())
    _, within = neighbor_graph(Vectors.of(X[items]), seed=0)
    np.testing.assert_array_equal(found, items[within])
    again = neighbor_graph(Vectors.of(X), seed=0)
    other = neighbor_graph(Vectors.of(X), seed=1)
    np.testing.assert_array_equal(items, again[0])
    assert (items != other[0]).any()


def test_sample_bounds_the_work():
    assert sample_size(57_619, 256) == 57_619
    assert sample_size(10**6, 768) == pytest.approx(75_000, abs=3000)
    assert sample_size(10**6, 768) ** 2 * 768 <= neighbors._WORK
    assert sample_size(10**6, 1) == sample_size(10**6, 256) < 140_000
    assert sample_size(5, 10**13) == 5
    assert sample_size(100, 10**13) == 11


def test_graph_tells_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr("skhash.progress.PATIENCE", -1.0)
    neighbor_graph(Vectors.of(X), seed=0, verbose=1)
    assert "neighbours: done in" in capsys.readouterr().out
    neighbor_graph(Vectors.of(X), seed=0)
    assert capsys.readouterr().out == ""


@given(n=st.integers(12, 120), batch_size=st.integers(2, 40), seed=st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_batches_are_full_and_without_repeats(n, batch_size, seed):
    graph = neighbor_graph(Vectors.of(X[:n]), seed=0) if n > batch_size else None
    sampler = NeighborSampler(n, batch_size, seed, graph)
    batches = list(sampler)
    assert len(batches) == len(sampler) == -(-n // min(n, batch_size))
    for batch in batches:
        assert len(batch) == len(set(batch.tolist())) == min(n, batch_size)
        assert 0 <= batch.min() <= batch.max() < n


def test_anchors_bring_three_of_their_neighbours():
    _, near = graph = neighbor_graph(Vectors.of(X), seed=0)
    sampler = NeighborSampler(300, 40, 0, graph)
    anchors = []
    for batch in [*sampler, *sampler]:
        anchors += batch[:10].tolist()
        taken = set(batch.tolist())
        for anchor in batch[:10]:
            assert len(taken & set(near[anchor].tolist())) >= 3
    # None is an anchor again before all were.
    assert len(set(anchors)) == len(anchors) == 160


def test_all_ten_neighbours_are_drawn():
    _, near = graph = neighbor_graph(Vectors.of(X[:50]), seed=0)
    sampler = NeighborSampler(50, 4, 0, graph)  # one anchor a batch
    seen = {i: set() for i in range(50)}
    for _ in range(250):
        for anchor, *others in sampler:
            seen[anchor] |= set(others)
    assert all(set(near[i].tolist()) == seen[i] for i in seen)


def test_state_of_a_sampler_is_all_that_its_batches_depend_on():
    graph = neighbor_graph(Vectors.of(X), seed=0)
    one, two = (NeighborSampler(300, 40, seed, graph) for seed in (0, 1))
    list(one)
    two.state = one.state
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_items_come_one_by_one_for_loaders():
    graph = neighbor_graph(Vectors.of(X), seed=0)
    single = ItemByItem(NeighborSampler(300, 40, 0, graph))
    rows = list(single)
    assert len(rows) == len(single) == 8 * 40
    whole = np.concatenate(list(NeighborSampler(300, 40, 0, graph)))
    assert rows == whole.tolist()
