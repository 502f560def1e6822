"""Searches among some codes of the database, against loops over those alone."""

import numpy as np
import pytest

from skhash.hamming import distances
from skhash.neighbors import HammingNeighbors, HammingNeighborsTransformer
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(5)
CODES = draw_codes(RNG, 200, 16, 0.1)
QUERIES = draw_codes(RNG, 12, 16, 0.1)
MASK = RNG.random(200) < 0.3
IDS = RNG.permutation(900)[:200]
MATRIX = distances(QUERIES, CODES)

FILTERS = {
    "mask": (None, MASK),
    "rows": (None, np.flatnonzero(MASK)[::-1]),
    "ids": (IDS, set(IDS[MASK].tolist())),
    "none": (None, np.zeros(200, bool)),
}


def within(row, radius, mask):
    """Rows of a mask within a radius, by distance and row."""
    near = [i for i in np.flatnonzero(mask) if row[i] <= radius]
    return sorted(near, key=lambda i: (row[i], i))


@pytest.mark.parametrize("algorithm", ["auto", "brute", "grouped", "multi_index"])
@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("radius", [0, 3, 16])
def test_radius_neighbors_among_some(algorithm, kind, radius):
    ids, filter = FILTERS[kind]
    mask = MASK & (kind != "none")
    neighbors = HammingNeighbors(algorithm=algorithm).fit(CODES, ids=ids)
    found, names = neighbors.radius_neighbors(QUERIES, radius, filter=filter)
    counts = neighbors.count_neighbors(QUERIES, radius, filter=filter)
    for row, dist, name, count in zip(MATRIX, found, names, counts, strict=True):
        expected = within(row, radius, mask)
        assert dist.tolist() == row[expected].tolist()
        assert name.tolist() == (expected if ids is None else IDS[expected].tolist())
        assert count == len(expected)
    assert counts.any() == (kind != "none" and MATRIX[:, MASK].min() <= radius)


@pytest.mark.parametrize("estimator", [HammingNeighbors, HammingNeighborsTransformer])
@pytest.mark.parametrize("mode", ["connectivity", "distance"])
def test_graphs_have_edges_to_some(estimator, mode):
    neighbors = estimator().fit(CODES, ids=IDS)
    some = IDS[MASK]
    by_radius = neighbors.radius_neighbors_graph(QUERIES, 4, mode, filter=some)
    by_rank = neighbors.kneighbors_graph(QUERIES, 6, mode, filter=some)
    for graph in (by_radius, by_rank):
        assert graph.shape == (12, 200)
    for i, row in enumerate(MATRIX):
        near = within(row, 4, MASK), within(row, 16, MASK)[:6]
        for graph, expected in zip((by_radius, by_rank), near, strict=True):
            cells = slice(graph.indptr[i], graph.indptr[i + 1])
            assert graph.indices[cells].tolist() == expected
            edges = row[expected] if mode == "distance" else np.ones(len(expected))
            np.testing.assert_array_equal(graph.data[cells], edges)


CALLS = [
    "kneighbors",
    "kneighbors_graph",
    "radius_neighbors",
    "radius_neighbors_graph",
    "count_neighbors",
]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("X", "filter", "message"),
    [
        (None, MASK, "filter needs queries"),
        (QUERIES, MASK[1:], "one value per code"),
        (QUERIES, [200], "from 0 to 199"),
        (QUERIES, ["a"], "from 0 to 199"),
    ],
)
def test_filters_that_cannot_be_are_refused(name, X, filter, message):
    neighbors = HammingNeighbors().fit(CODES)
    with pytest.raises(ValueError, match=message):
        getattr(neighbors, name)(X, filter=filter)
