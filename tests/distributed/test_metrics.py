"""Metrics of codes in shards against those of one array: equal to the last bit."""

import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from skhash import metrics
from skhash.distributed import HammingNeighbors, ShardedCodes
from skhash.distributed._shards import Shards
from skhash.neighbors import HammingNeighbors as Local

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


METRICS = {
    "average_precision": (metrics.average_precision, {}),
    "of the first 3": (metrics.average_precision, {"k": 3, "normalizer": "hits"}),
    "by index": (metrics.average_precision, {"k": 4, "ties": "index"}),
    "whole by index": (metrics.average_precision, {"ties": "index"}),
    "pessimistic": (metrics.mean_average_precision, {"ties": "pessimistic"}),
    "at R": (metrics.mean_average_precision_at_r, {}),
    "reciprocal rank": (metrics.mean_reciprocal_rank, {}),
    "R-precision": (metrics.r_precision, {"average": None}),
    "precision": (metrics.precision_at_k, {"k": 3, "ties": "index"}),
    "recall": (metrics.recall_at_k, {"k": 3}),
    "hit rate": (metrics.hit_rate_at_k, {"k": 2}),
    "within": (metrics.precision_at_radius, {"radius": 3}),
    "recall within": (metrics.recall_at_radius, {"radius": 3}),
    "f1 within": (metrics.f1_at_radius, {"radius": 3}),
    "fall-out within": (metrics.fall_out_at_radius, {"radius": 3}),
    "ndcg": (metrics.ndcg, {"k": 5}),
    "linear ndcg": (metrics.ndcg, {"gain": "linear"}),
    "by radius": (metrics.precision_recall_by_radius, {}),
    "by rank": (metrics.precision_recall_by_rank, {"ties": "index"}),
}


def labels_of(kind, n, rng):
    """Labels of n items: classes, or sets as dense or sparse rows."""
    if kind == "classes":
        return np.array(["cat", "dog", "eel"])[rng.integers(3, size=n)]
    sets = rng.random((n, 5)) < 0.3
    return csr_array(sets) if kind == "sparse sets" else sets


def task_of(kind, sizes, n_queries, seed=0):
    """Codes and labels of both sides, and the database in chunks."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    codes = rng.integers(4, size=(n, 2)).astype(np.uint8)
    queries = rng.integers(4, size=(n_queries, 2)).astype(np.uint8)
    labels, asked = labels_of(kind, n, rng), labels_of(kind, n_queries, rng)
    shards = ShardedCodes(da.from_array(codes, chunks=(sizes, -1)), labels)
    return queries, codes, asked, labels, shards


def equal(found, wanted):
    """Equal to the last bit, NaN included."""
    for one, other in zip(np.atleast_2d(found), np.atleast_2d(wanted), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["classes", "sets", "sparse sets"])
@pytest.mark.parametrize("name", METRICS)
def test_metric_is_that_of_one_array(name, kind):
    metric, options = METRICS[name]
    queries, codes, asked, labels, shards = task_of(kind, (40, 0, 1, 23), 20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        equal(
            metric(queries, shards, asked, **options),
            metric(queries, codes, asked, labels, **options),
        )
        equal(
            metric(codes, shards, labels, exclude_self=True, **options),
            metric(codes, codes, labels, labels, exclude_self=True, **options),
        )


def shared_initial(queries, items):
    """Grades that are no whole numbers, of pairs of words."""
    first = np.char.add(queries[:, None], items[None])
    return np.char.count(first, "o") / 3


@pytest.mark.parametrize("name", ["average_precision", "by index", "recall", "ndcg"])
@pytest.mark.parametrize("of", ["function", "matrix", "rows"])
def test_given_relevance(name, of):
    metric, options = METRICS[name]
    queries, codes, asked, labels, shards = task_of("classes", (30, 21), 12)
    if of == "function":
        sides, relevance = (asked, labels), shared_initial
    elif of == "matrix":
        sides = None, None
        relevance = csr_array(RNG.random((12, 51)) * (RNG.random((12, 51)) < 0.3))
    else:
        sides, relevance = (None, None), lambda q, i: (q[:, None] + i) % 3 / 2
        shards = ShardedCodes(shards.codes)
    equal(
        metric(queries, shards, sides[0], relevance=relevance, **options),
        metric(queries, codes, *sides, relevance=relevance, **options),
    )


@pytest.mark.slow
@settings(max_examples=15)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(lambda s: sum(s) > 1),
    st.sampled_from(["classes", "sets"]),
    st.integers(0, 99),
    st.booleans(),
)
def test_report_is_that_of_one_array(sizes, kind, seed, exclude_self):
    queries, codes, asked, labels, shards = task_of(kind, tuple(sizes), 7, seed)
    if exclude_self:
        queries, asked = codes, labels
    options = {"k": 3, "exclude_self": exclude_self, "n_resamples": 20}
    found = metrics.evaluate(queries, shards, asked, **options)
    wanted = metrics.evaluate(queries, codes, asked, labels, **options)
    np.testing.assert_equal(
        found.to_dict(per_query=True), wanted.to_dict(per_query=True)
    )
    np.testing.assert_equal(found.settings, wanted.settings)


def test_many_queries_are_asked_in_blocks(monkeypatch):
    monkeypatch.setattr("skhash.distributed._retrieval._CELLS", 17 * 5)
    for module in ("task", "_ndcg"):
        monkeypatch.setattr(f"skhash.metrics.{module}._CELLS", 17 * 3)
    queries, codes, asked, labels, shards = task_of("sets", (40, 23), 20)
    for name in ("average_precision", "by index", "ndcg"):
        metric, options = METRICS[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            equal(
                metric(queries, shards, asked, **options),
                metric(queries, codes, asked, labels, **options),
            )


def test_reports_of_shards_are_compared():
    queries, codes, asked, labels, shards = task_of("classes", (40, 23), 20)
    other = ShardedCodes(da.from_array(codes[:, ::-1] ^ 3, chunks=(9, -1)), labels)
    local = [
        metrics.evaluate(queries, each, asked, labels)
        for each in (codes, codes[:, ::-1] ^ 3)
    ]
    found = [metrics.evaluate(queries, each, asked) for each in (shards, other)]
    wanted = metrics.compare(*local, n_resamples=50)
    assert metrics.compare(*found, n_resamples=50) == wanted
    turned = ShardedCodes(shards.codes, labels[::-1])
    with pytest.raises(ValueError, match="their labels differ"):
        metrics.compare(found[0], metrics.evaluate(queries, turned, asked))


@pytest.mark.parametrize("n_bits", [None, 13])
def test_health_is_that_of_one_array(n_bits):
    _, codes, _, _, shards = task_of("classes", (40, 23, 7), 1)
    assert metrics.code_health(shards, n_bits) == metrics.code_health(codes, n_bits)
    equal(metrics.bit_balance(shards, n_bits), metrics.bit_balance(codes, n_bits))
    equal(
        metrics.bit_correlation(shards, n_bits), metrics.bit_correlation(codes, n_bits)
    )
    wide = RNG.integers(2, size=(70, 20)).astype(np.uint8)
    many = ShardedCodes(da.from_array(wide, chunks=(11, -1)))
    assert metrics.code_health(many) == metrics.code_health(wide)
    with pytest.raises(ValueError, match="n_bits=3 does not fit codes of 2 bytes"):
        metrics.code_health(shards, 3)


def test_score_of_the_neighbours():
    queries, codes, asked, labels, _ = task_of("classes", (40, 23), 20)
    chunks = da.from_array(codes, chunks=(9, -1))
    neighbors = HammingNeighbors().fit(chunks, da.from_array(labels, chunks=20))
    wanted = Local().fit(codes, labels).score(queries, asked)
    assert neighbors.score(queries, asked) == wanted
    assert neighbors.score(da.from_array(queries), da.from_array(asked)) == wanted
    np.testing.assert_array_equal(neighbors.labels_, labels)


def test_labels_may_be_given_to_the_metric():
    queries, codes, asked, labels, shards = task_of("sets", (40, 23), 20)
    plain = ShardedCodes(shards.codes)
    given = da.from_array(labels, chunks=(7, 2))
    equal(
        metrics.average_precision(queries, plain, asked, given, zero_relevant=0),
        metrics.average_precision(queries, codes, asked, labels, zero_relevant=0),
    )


def test_histograms_are_all_that_comes_to_the_client(monkeypatch):
    sizes = []
    compute = Shards.compute

    def noted(self, tasks):
        found = compute(self, tasks)
        for each in found:
            parts = each if isinstance(each, tuple) else (each,)
            sizes.extend(part.nbytes for part in parts if hasattr(part, "nbytes"))
        return found

    monkeypatch.setattr(Shards, "compute", noted)
    queries, _, asked, _, shards = task_of("classes", (400, 400), 5)
    metrics.evaluate(queries, shards, asked)
    assert max(sizes) <= max(5 * 17, 16 * 16) * 8


def test_errors_are_the_local_ones():
    queries, codes, asked, labels, shards = task_of("classes", (40, 23), 20)
    metric = metrics.mean_average_precision
    for call in (
        lambda database, more: metric(queries, database, None, more),
        lambda database, more: metric(queries[:, :1], database, asked, more),
        lambda database, more: metric(queries, database, asked[:3], more),
        lambda database, more: metric(
            queries, database, asked, more, exclude_self=True
        ),
        lambda database, more: metric(queries, database, np.arange(20), more),
    ):
        with pytest.raises(ValueError) as wanted:  # noqa: PT011
            call(codes, labels)
        with pytest.raises(ValueError) as found:  # noqa: PT011
            call(shards, None)
        assert str(found.value) == str(wanted.value)
    with pytest.raises(TypeError, match=r"`\.codes` is a dask array"):
        np.asarray(shards)
