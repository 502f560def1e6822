"""Bounds below distances: how often they hold, and what is measured without one.

At a confidence of epsilon a bound is above the distance as often as a normal error is
above epsilon standard deviations: at 1.9, .944 of errors are inside on both sides, and
.971 below.
"""

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.frozen import FrozenEstimator

from skhash import EmbeddingNeighbors
from skhash.baselines import ITQ, RotatedSigns
from skhash.hamming.asymmetric import nearest_lower
from skhash.neighbors._bounds import ROUNDED, scale_of
from skhash.neighbors._calibration import FEWEST, Calibration, sample
from tests.neighbors.vectors import METRICS, true_distances

EPSILON = 1.9


def like_texts(n, d, seed=0):
    """Vectors in clusters, whose directions are of unequal variance, away from zero."""
    rng = np.random.default_rng(seed)
    scales = 1 / np.sqrt(1 + np.arange(d) / 8)
    centers = np.random.default_rng(99).normal(size=(40, d)) * scales
    members = centers[rng.integers(0, 40, n)] + 0.8 * rng.normal(size=(n, d)) * scales
    return 0.3 + members


DATABASE, QUERIES = like_texts(3000, 256), like_texts(200, 256, seed=1)


def as_values(found, metric):
    return found**2 if metric == "euclidean" else found


def estimates_and_bounds(mine, queries):
    """Both for all items, shape (n_queries, n_items) each, from the fitted database."""
    database = mine._database
    asked = database.queries(queries, mine.epsilon, mine.query_bits)
    both = []
    for widths, constants in (
        (asked.shifts, asked.constants),
        (asked.widths, asked.lows),
    ):
        values, indices = nearest_lower(
            asked.outputs,
            database.codes,
            database.factors,
            len(database),
            widths,
            query_bits=mine.query_bits,
        )
        ordered = np.empty_like(values)
        np.put_along_axis(ordered, indices, values, 1)
        both.append(ordered * asked.scale + constants[:, None])
    return both


def of_near(mine, queries, database, metric, k=10):
    """True values, estimates and bounds of each query's nearest items."""
    true = as_values(true_distances(queries, database, metric), metric)
    near = np.argsort(true, axis=1)[:, :k]
    return [
        np.take_along_axis(each, near, 1)
        for each in (true, *estimates_and_bounds(mine, queries))
    ]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n_bits", "query_bits"), [(256, 2), (256, 4), (512, 8)])
def test_published_bound_holds_as_often_as_it_says(metric, query_bits, n_bits):
    encoder = RotatedSigns(n_bits, random_state=1)
    mine = EmbeddingNeighbors(encoder, metric=metric, query_bits=query_bits)
    mine.fit(DATABASE)
    assert not mine._database.bounds.calibration.measured
    true = as_values(true_distances(QUERIES, DATABASE, metric), metric)
    estimates, bounds = estimates_and_bounds(mine, QUERIES)
    errors = (true - estimates) / (estimates - bounds) * EPSILON
    # Of all pairs errors are normal; of near ones they are smaller.
    for epsilon in (1.0, EPSILON):
        inside = (np.abs(errors) <= epsilon).mean()
        assert inside == pytest.approx(2 * ndtr(epsilon) - 1, abs=0.02)
    true, _, bounds = of_near(mine, QUERIES, DATABASE, metric)
    assert (bounds <= true).mean() > ndtr(EPSILON) - 0.01


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "encoder",
    [
        RotatedSigns(64, random_state=1),
        RotatedSigns(128, random_state=1),
        RotatedSigns(320, random_state=1),
        ITQ(64, max_iter=5, random_state=1),
        ITQ(256, max_iter=5, random_state=1),
    ],
    ids=str,
)
def test_measured_bound_holds_as_often_as_it_should(metric, encoder):
    mine = EmbeddingNeighbors(encoder, metric=metric, epsilon=EPSILON).fit(DATABASE)
    assert mine._database.bounds.calibration.measured
    true, estimates, bounds = of_near(mine, QUERIES, DATABASE, metric)
    assert (bounds <= true).mean() == pytest.approx(ndtr(EPSILON), abs=0.02)
    # Estimates of near items lie on both sides of what is true.
    assert 0.25 < (estimates <= true).mean() < 0.75
    told = mine.explain(QUERIES)
    assert told["recall"] > 0.95
    assert told["vectors_read"] < 2500


@pytest.mark.slow
def test_measured_bound_of_a_deep_encoder():
    from sklearn.datasets import load_digits

    from skhash import DeepHashEncoder

    X, y = load_digits(return_X_y=True)
    deep = DeepHashEncoder(32, max_epochs=10, random_state=0).fit(X[:1400], y[:1400])
    for encoder in (FrozenEstimator(deep), DeepHashEncoder(32, random_state=0)):
        mine = EmbeddingNeighbors(encoder, n_neighbors=10).fit(X[:1400], y[:1400])
        true, _, bounds = of_near(mine, X[1400:], X[:1400], "euclidean")
        assert (bounds <= true).mean() > ndtr(EPSILON) - 0.03
        assert mine.score(X[1400:]) > 0.95
        np.testing.assert_array_equal(mine.encode(X), mine.encoder_.transform(X))


def test_the_root_of_the_bits_is_a_bound_that_cannot_fail(rng):
    database, queries = rng.normal(size=(500, 9)), rng.normal(size=(50, 9))
    make = EmbeddingNeighbors(epsilon=np.sqrt(8), query_bits=8)
    true, _, bounds = of_near(make.fit(database), queries, database, "euclidean", 500)
    assert (bounds <= true).all()


@pytest.mark.parametrize("query_bits", range(1, 9))
def test_rounding_of_queries_is_what_the_table_says(rng, query_bits):
    from skhash.hamming.real.queries import on_grid

    w = rng.normal(size=(200, 256))
    grid = on_grid(w, query_bits)
    rounded = grid.steps[:, None] * (grid.levels - grid.most / 2)
    lost = ((rounded - w) ** 2).sum() / (w**2).sum()
    told = ROUNDED[query_bits - 1] / (1 - ROUNDED[query_bits - 1])
    if query_bits <= 5:
        assert lost == pytest.approx(told, rel=0.06)
    else:  # so rare are values outside of the grid that 256 have none
        assert told / 2 < lost < told


def test_quantiles_go_on_in_proportion():
    measured = Calibration(1.0, 0.5, np.linspace(0.5, 3.5, 13))
    assert measured.quantile(0) == 0.5
    assert measured.quantile(1.5) == pytest.approx(2.0)
    assert measured.quantile(6) == pytest.approx(6.5)


def test_samples_are_seeded_and_of_the_database():
    rows, anchors = sample(20_000)
    again = sample(20_000)
    np.testing.assert_array_equal(rows, again[0])
    np.testing.assert_array_equal(anchors, again[1])
    assert len(np.unique(rows)) == 5000
    assert len(np.unique(anchors)) == 1000
    assert rows.max() < 20_000
    assert anchors.max() < 5000


def test_few_items_are_all_read():
    few = DATABASE[: FEWEST - 1]
    mine = EmbeddingNeighbors(RotatedSigns(8, random_state=0), n_neighbors=3).fit(few)
    told = mine.explain(QUERIES)
    assert told["recall"] == 1
    assert told["vectors_read"] == len(few)


@pytest.mark.parametrize("norm", [1e-30, 0.7, 1.0, 3e20])
def test_scales_are_powers_of_two_that_bring_norms_to_one(norm):
    scale = scale_of(norm)
    assert np.log2(scale) == np.rint(np.log2(scale))
    assert 0.5 < scale * norm < 2
