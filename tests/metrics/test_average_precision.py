"""Average precision of histograms, against all orders of tied items."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.metrics import from_histograms
from skhash.metrics.from_histograms._average_precision import harmonic_run
from tests.metrics import brute

TIES = ["expected", "optimistic", "pessimistic"]
NORMALIZERS = ["min_k_r", "hits", "relevant"]

# Few distances and at most six items: all orders can be written down.
rankings = st.lists(
    st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6
).filter(lambda items: any(relevant for _, relevant in items))


def ap(distances, relevance, **options):
    totals, relevants = brute.histograms(distances, relevance, 4)
    return from_histograms.average_precision(totals, relevants, **options)[0]


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("ties", TIES)
@given(items=rankings, k=st.none() | st.integers(1, 8))
@settings(max_examples=150, deadline=None)
def test_average_precision_equals_brute_force(items, k, ties, normalizer):
    distances, relevance = zip(*items, strict=True)
    expected = brute.average_precision(distances, relevance, k, ties, normalizer)
    value = ap(distances, relevance, k=k, ties=ties, normalizer=normalizer)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("distances", "relevance", "ties", "expected"),
    [
        ([0, 1, 1, 2], [1, 0, 1, 0], "expected", 0.916667),
        ([0, 1, 1, 2], [1, 0, 1, 0], "optimistic", 1.0),
        ([0, 1, 1, 2], [1, 0, 1, 0], "pessimistic", 0.833333),
        ([2, 2, 2, 2], [1, 0, 1, 0], "expected", 0.680556),
        ([2, 2, 2, 2], [1, 0, 1, 0], "optimistic", 1.0),
        ([2, 2, 2, 2], [1, 0, 1, 0], "pessimistic", 0.416667),
    ],
)
def test_average_precision_gives_known_values(distances, relevance, ties, expected):
    assert ap(distances, relevance, ties=ties) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("k", "hits", "min_k_r", "relevant"),
    [(4, 0.75, 0.5, 0.5), (3, 1.0, 1 / 3, 1 / 3), (2, 1.0, 0.5, 1 / 3)],
)
def test_normalizers_differ_as_documented(k, hits, min_k_r, relevant):
    # One item a distance, so that there are no ties.
    relevance = np.array([[1, 0, 0, 1, 1, 0]])
    totals = np.ones_like(relevance)
    for normalizer, expected in zip(
        NORMALIZERS, [min_k_r, hits, relevant], strict=True
    ):
        value = from_histograms.average_precision(
            totals, relevance, k=k, normalizer=normalizer
        )
        assert value == pytest.approx(expected)


def test_first_rank_counts():
    # A published implementation loses the contribution of the first rank.
    totals = np.ones((2, 3), dtype=int)
    relevants = np.array([[1, 0, 0], [1, 0, 1]])
    values = from_histograms.average_precision(totals, relevants)
    np.testing.assert_allclose(values, [1.0, 5 / 6])


@given(items=rankings, k=st.none() | st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_bounds_enclose_the_expectation_and_every_order(items, k):
    distances, relevance = zip(*items, strict=True)
    for normalizer in ("min_k_r", "relevant"):
        low, middle, high = (
            ap(distances, relevance, k=k, ties=ties, normalizer=normalizer)
            for ties in ("pessimistic", "expected", "optimistic")
        )
        orders = [
            brute.average_precision_of(order, k, normalizer)
            for order in brute.all_orders(distances, relevance)
        ]
        assert low == pytest.approx(min(orders))
        assert high == pytest.approx(max(orders))
        assert low - 1e-12 <= middle <= high + 1e-12


def test_optimistic_is_no_bound_under_hits():
    # Of two tied items at the cut, finding the relevant one costs precision.
    distances, relevance = [0, 1, 2, 2], [1, 0, 1, 0]
    first, last = (
        ap(distances, relevance, k=3, ties=ties, normalizer="hits")
        for ties in ("optimistic", "pessimistic")
    )
    assert first == pytest.approx((1 + 2 / 3) / 2)
    assert last == 1.0


@given(items=rankings)
@settings(max_examples=50, deadline=None)
def test_normalizers_agree_on_the_whole_ranking(items):
    distances, relevance = zip(*items, strict=True)
    for ties in TIES:
        values = [
            ap(distances, relevance, ties=ties, normalizer=normalizer)
            for normalizer in NORMALIZERS
        ]
        np.testing.assert_allclose(values, values[0])


@pytest.mark.parametrize("k", [None, 700, 1003, 2500])
@pytest.mark.parametrize("normalizer", NORMALIZERS)
def test_large_ties_match_a_simulation_free_sum(normalizer, k):
    # One bucket of 1000 items after 200: probabilities by exact rational arithmetic.
    totals = np.array([[200, 1000, 800, 600]])
    relevants = np.array([[30, 300, 0, 500]])
    value = from_histograms.average_precision(
        totals, relevants, k=k, normalizer=normalizer
    )[0]
    expected = exact_expectation(totals[0], relevants[0], k, normalizer)
    np.testing.assert_allclose(value, expected, rtol=1e-11)


def exact_expectation(totals, relevants, k, normalizer):
    """E[AP@k] conditioned on the hits of the bucket that k cuts, term by term."""
    k_ = int(sum(totals)) if k is None else k
    outcomes = [(1.0, 0.0, 0)]  # probability, sum of precisions, hits
    start = 0
    for n, r in zip(map(int, totals), map(int, relevants), strict=True):
        m = max(0, min(n, k_ - start))
        if m and r:
            outcomes = [
                (p * chance, total + gain(m, h, hits, start), hits + h)
                for p, total, hits in outcomes
                for h, chance in hypergeometric(n, r, m)
            ]
        start += n
    R = int(sum(relevants))
    divisor = {
        "min_k_r": lambda hits: R if k is None else min(k, R),
        "relevant": lambda hits: R,
        "hits": lambda hits: hits,
    }[normalizer]
    return sum(
        p * total / divisor(hits) if hits else 0.0 for p, total, hits in outcomes
    )


def hypergeometric(n, r, m):
    if m == n:
        return [(r, 1.0)]
    every = math.comb(n, m)
    return [
        (h, float(Fraction(math.comb(r, h) * math.comb(n - r, m - h), every)))
        for h in range(max(0, m - n + r), min(m, r) + 1)
    ]


def gain(m, h, hits, start):
    if h == 0:
        return 0.0
    slope = (h - 1) / (m - 1) if m > 1 else 0.0
    return math.fsum(
        (h / m) * (hits + 1 + (i - 1) * slope) / (start + i) for i in range(1, m + 1)
    )


@given(start=st.integers(0, 10**9), length=st.integers(0, 300), scale=st.integers(0, 3))
@settings(deadline=None)
def test_harmonic_run_keeps_relative_precision(start, length, scale):
    start //= 10 ** (3 * scale)
    expected = float(
        sum((Fraction(1, t) for t in range(start + 1, start + length + 1)), Fraction(0))
    )
    np.testing.assert_allclose(harmonic_run(start, length), expected, rtol=1e-13)


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_rows_are_independent(data):
    rows = data.draw(st.lists(rankings, min_size=2, max_size=5))
    pairs = [brute.histograms(*zip(*items, strict=True), 4) for items in rows]
    totals, relevants = (np.concatenate(side) for side in zip(*pairs, strict=True))
    options = {"k": 3, "normalizer": "hits"}
    together = from_histograms.average_precision(totals, relevants, **options)
    alone = [from_histograms.average_precision(t, r, **options)[0] for t, r in pairs]
    np.testing.assert_allclose(together, alone)


def test_perfect_and_empty_distances_are_exact():
    totals = np.array([[0, 3, 0, 5, 0], [0, 3, 0, 5, 0]])
    relevants = np.array([[0, 3, 0, 0, 0], [0, 3, 0, 5, 0]])
    assert (from_histograms.average_precision(totals, relevants) == 1.0).all()


def test_found_nothing_within_k_scores_zero():
    totals, relevants = np.array([[2, 2]]), np.array([[0, 2]])
    for normalizer in NORMALIZERS:
        value = from_histograms.average_precision(
            totals, relevants, k=2, normalizer=normalizer
        )
        assert value == 0.0


@pytest.mark.parametrize(
    ("totals", "relevants", "message"),
    [
        ([1, 2], [1, 0], "of shape"),
        ([[1, 2]], [[1]], "of shape"),
        ([[1, 2]], [[2, 0]], "swapped"),
        ([[1, 2]], [[-1, 0]], "swapped"),
        ([[1.5, 2]], [[1, 0]], "whole numbers"),
        ([["1", "2"]], [["1", "0"]], "whole numbers"),
    ],
)
def test_bad_histograms_are_refused(totals, relevants, message):
    with pytest.raises(ValueError, match=message):
        from_histograms.average_precision(totals, relevants)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"ties": "random"}, ValueError, "'ties' parameter must be one of"),
        ({"ties": "index"}, ValueError, "order of the database"),
        ({"normalizer": "k"}, ValueError, "'normalizer' parameter"),
        ({"zero_relevant": "skip"}, ValueError, "'zero_relevant' parameter"),
        ({"zero_relevant": True}, ValueError, "'zero_relevant' parameter"),
        ({"k": 0}, ValueError, "at least 1"),
        ({"k": 2.0}, TypeError, "must be an integer"),
        ({"k": True}, TypeError, "must be an integer"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        from_histograms.average_precision([[1]], [[1]], **options)
