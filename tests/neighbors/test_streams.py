"""Streams of queries, pairs, counts, and graphs for other estimators."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, SpectralClustering
from sklearn.manifold import TSNE, Isomap
from sklearn.pipeline import make_pipeline

from skhash.hamming import distances
from skhash.neighbors import HammingNeighbors, HammingNeighborsTransformer, _pairs
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(5)
CODES = draw_codes(RNG, 120, 24, 0.08)
# Without clusters, so that graphs of neighbours hang together.
LOOSE = draw_codes(RNG, 120, 24, 0.4)


def test_batches_of_queries_are_answered_one_by_one():
    neighbors = HammingNeighbors().fit(CODES, ids=np.arange(1000, 1120))
    batches = np.split(CODES, [1, 50, 90])
    answers = list(neighbors.iter_kneighbors(iter(batches), 3))
    whole = neighbors.kneighbors(CODES, 3)
    for part in (0, 1):
        joined = np.concatenate([answer[part] for answer in answers])
        np.testing.assert_array_equal(joined, whole[part])


@pytest.mark.parametrize("rows", [7, 1024])
@pytest.mark.parametrize("radius", [0, 3, 24])
def test_pairs_come_once_each(radius, rows, monkeypatch):
    monkeypatch.setattr(_pairs, "ROWS", rows)
    found = list(HammingNeighbors(radius=radius).fit(CODES).pairs())
    found = [tuple(pair) for part in found for pair in zip(*part, strict=True)]
    matrix = distances(CODES, CODES)
    expected = [
        (i, j, matrix[i, j])
        for i in range(120)
        for j in sorted(range(i + 1, 120), key=lambda j: (matrix[i, j], j))
        if matrix[i, j] <= radius
    ]
    assert found == expected


@pytest.mark.parametrize("algorithm", ["brute", "grouped"])
def test_pairs_of_equal_codes_come_in_small_parts(algorithm, monkeypatch):
    monkeypatch.setattr(_pairs, "MOST", 2000)
    codes = np.zeros((500, 2), np.uint8)
    codes[200:300] = draw_codes(np.random.default_rng(0), 100, 16, 0.1)
    model = HammingNeighbors(radius=1, algorithm=algorithm).fit(codes)
    parts = list(model.pairs())
    left, right, found = np.hstack(parts)
    expected = distances(codes, codes)
    rows, columns = np.nonzero(np.triu(expected <= 1, 1))
    assert set(zip(left, right, strict=True)) == set(zip(rows, columns, strict=True))
    assert len(left) == len(rows)
    np.testing.assert_array_equal(found, expected[left, right])
    # A row may have as many pairs as there are codes.
    assert max(len(part[0]) for part in parts) <= 2000 + 16 * 500


def test_pairs_refuse_a_radius_at_once():
    with pytest.raises(ValueError, match="radius must be"):
        HammingNeighbors().fit(CODES).pairs(-1)


def test_counts_leave_out_the_item_itself():
    matrix = distances(CODES, CODES)
    neighbors = HammingNeighbors(radius=4).fit(CODES)
    np.testing.assert_array_equal(neighbors.count_neighbors(), (matrix <= 4).sum(1) - 1)
    np.testing.assert_array_equal(
        neighbors.count_neighbors(CODES[:9], 2), (matrix[:9] <= 2).sum(1)
    )


@pytest.mark.parametrize(
    ("transformer", "estimator"),
    [
        (
            HammingNeighborsTransformer(radius=6),
            DBSCAN(eps=6, min_samples=3, metric="precomputed"),
        ),
        (
            HammingNeighborsTransformer(n_neighbors=119),
            Isomap(n_neighbors=8, metric="precomputed"),
        ),
        (
            HammingNeighborsTransformer(n_neighbors=100),
            TSNE(metric="precomputed", init="random", perplexity=9, max_iter=250),
        ),
        (
            HammingNeighborsTransformer("connectivity", n_neighbors=10),
            SpectralClustering(
                3, affinity="precomputed_nearest_neighbors", n_neighbors=10
            ),
        ),
    ],
    ids=["DBSCAN", "Isomap", "TSNE", "SpectralClustering"],
)
def test_graphs_serve_other_estimators(transformer, estimator):
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    chain = make_pipeline(transformer, estimator)
    if hasattr(chain, "fit_predict"):
        assert chain.fit_predict(LOOSE).shape == (120,)
    else:
        assert chain.fit_transform(LOOSE).shape == (120, 2)


def test_dbscan_on_the_graph_equals_dbscan_on_the_distances():
    chain = make_pipeline(
        HammingNeighborsTransformer(radius=3),
        DBSCAN(eps=3, min_samples=4, metric="precomputed"),
    )
    dense = DBSCAN(eps=3, min_samples=4, metric="precomputed")
    expected = dense.fit_predict(distances(CODES, CODES).astype(float))
    np.testing.assert_array_equal(chain.fit_predict(CODES), expected)


def test_transformer_keeps_one_more_neighbor_with_distances():
    graph = HammingNeighborsTransformer(n_neighbors=4).fit_transform(CODES)
    assert (np.diff(graph.indptr) == 5).all()
    ones = HammingNeighborsTransformer("connectivity", 4).fit_transform(CODES)
    assert (np.diff(ones.indptr) == 4).all()
    names = HammingNeighborsTransformer().fit(CODES).get_feature_names_out()
    assert names[0] == "hammingneighborstransformer0"
    assert len(names) == 120
