"""Metrics of the first ranks, against all orders of tied items."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from skhash import metrics
from skhash.hamming import pack
from skhash.metrics import from_histograms
from tests.metrics import brute

TIES = ["expected", "optimistic", "pessimistic"]
# Name here, name in from_histograms, one order's value, and whether it takes k.
METRICS = [
    ("precision_at_k", "precision_at_k", brute.precision_at_k, True),
    ("recall_at_k", "recall_at_k", brute.recall_at_k, True),
    ("hit_rate_at_k", "hit_rate_at_k", brute.hit_rate_at_k, True),
    ("mean_reciprocal_rank", "reciprocal_rank", brute.reciprocal_rank, True),
    ("mean_reciprocal_rank", "reciprocal_rank", brute.reciprocal_rank, False),
    ("r_precision", "r_precision", brute.r_precision, False),
    (
        "mean_average_precision_at_r",
        "average_precision_at_r",
        brute.average_precision_at_r,
        False,
    ),
]
each_metric = pytest.mark.parametrize(
    ("name", "name_of_rows", "one_order", "takes_k"), METRICS
)

rankings = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=6
).filter(lambda items: any(relevant for _, relevant in items))


@each_metric
@pytest.mark.parametrize("ties", TIES)
@given(items=rankings, k=st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_histogram_metric_equals_brute_force(
    name, name_of_rows, one_order, takes_k, ties, items, k
):
    distances, relevance = zip(*items, strict=True)
    options = {"k": k} if takes_k else {}
    value = getattr(from_histograms, name_of_rows)(
        *brute.histograms(distances, relevance, 4), ties=ties, **options
    )
    expected = brute.over_orders(
        one_order, distances, relevance, ties, *options.values()
    )
    np.testing.assert_allclose(value, [expected], rtol=1e-12, atol=1e-14)


@each_metric
@pytest.mark.parametrize("ties", [*TIES, "index"])
@pytest.mark.parametrize("exclude_self", [False, True])
@pytest.mark.parametrize("multilabel", [False, True])
def test_metric_of_codes_equals_brute_force(
    name, name_of_rows, one_order, takes_k, ties, exclude_self, multilabel
):
    rng = np.random.default_rng(0)
    n_items = 6
    n_queries = n_items if exclude_self else 4
    codes = pack(rng.random((n_items, 9)) < 0.2)
    queries = codes if exclude_self else codes[:n_queries] ^ np.uint8(128)
    shape = (n_items, 2) if multilabel else n_items
    labels = rng.integers(0, 2, shape)
    options = {"k": 3} if takes_k else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        values = getattr(metrics, name)(
            *(queries, codes, labels[:n_queries], labels),
            ties=ties,
            average=None,
            exclude_self=exclude_self,
            **options,
        )
    expected = [
        brute.over_orders(
            one_order,
            *brute.distances_and_relevance(
                *(queries[i], labels[i], codes, labels),
                leave_out=i if exclude_self else None,
            ),
            ties,
            *options.values(),
        )
        for i in range(n_queries)
    ]
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-14)
    assert not np.isnan(expected).all()


@each_metric
def test_average_is_a_mean_that_leaves_undefined_queries_out(
    name, name_of_rows, one_order, takes_k
):
    metric = getattr(metrics, name)
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 8, (12, 1), dtype=np.uint8)
    labels = np.array([0, 0, 1, 1, 1, 9, *[0, 0, 0, 1, 1, 1]])
    given_ = (codes[:6], codes[6:], labels[:6], labels[6:])
    with pytest.warns(UndefinedMetricWarning, match="1 of 6"):
        values = metric(*given_, average=None)
    assert np.isnan(values).tolist() == [False] * 5 + [True]
    with pytest.warns(UndefinedMetricWarning):
        assert metric(*given_) == pytest.approx(values[:5].mean())
    with pytest.warns(UndefinedMetricWarning):
        by_class = metric(*given_, average="macro_class")
    assert by_class == pytest.approx((values[:2].mean() + values[2:5].mean()) / 2)
    assert metric(*given_, zero_relevant=1) == pytest.approx((values[:5].sum() + 1) / 6)
    with pytest.raises(ValueError, match="1 of 6"):
        metric(*given_, zero_relevant="raise")


@pytest.mark.parametrize("r", [1, 2, 700])
@pytest.mark.parametrize("k", [1, 300, None])
def test_first_hit_in_a_large_tie_is_exact(r, k):
    n, s = 1000, 50
    totals, relevants = np.array([[s, n]]), np.array([[0, r]])
    chance, missed, reciprocal, hit = 0.0, 1.0, 0.0, 0.0
    for i in range(1, n + 1):
        chance = missed * min(1, r / (n - i + 1))
        missed -= chance
        if k is None or s + i <= k:
            reciprocal += chance / (s + i)
            hit += chance
        if i > n - r:
            break
    value = from_histograms.reciprocal_rank(totals, relevants, k=k)
    np.testing.assert_allclose(value, [reciprocal], rtol=1e-9)
    if k is not None:
        value = from_histograms.hit_rate_at_k(totals, relevants, k=k)
        np.testing.assert_allclose(value, [hit], rtol=1e-9)


def test_precision_counts_missing_ranks_as_misses():
    values = from_histograms.precision_at_k([[2]], [[2]], k=4)
    np.testing.assert_array_equal(values, [0.5])


@each_metric
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": "random"}, "'ties' parameter"),
        ({"average": "micro"}, "'average' parameter"),
        ({"zero_relevant": None}, "'zero_relevant' parameter"),
        ({"query_labels": None}, "What is relevant"),
    ],
)
def test_bad_options_are_refused(
    name, name_of_rows, one_order, takes_k, options, message
):
    good = {
        "queries": np.zeros((2, 1), np.uint8),
        "database": np.zeros((3, 1), np.uint8),
        "query_labels": [0, 1],
        "database_labels": [0, 1, 1],
    }
    with pytest.raises(ValueError, match=message):
        getattr(metrics, name)(**{**good, **options})
    if takes_k:
        with pytest.raises(ValueError, match="at least 1"):
            getattr(metrics, name)(**good, k=0)
    with pytest.raises(ValueError, match="'ties' parameter"):
        getattr(from_histograms, name_of_rows)([[1]], [[1]], ties="index")
