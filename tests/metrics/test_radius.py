"""Precision, recall, F1 and fall-out within a radius, against pairwise loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from skhash.hamming import histograms, pack
from skhash.metrics import (
    f1_at_radius,
    fall_out_at_radius,
    from_histograms,
    precision_at_radius,
    recall_at_radius,
)
from tests.metrics import brute

METRICS = [precision_at_radius, recall_at_radius, f1_at_radius, fall_out_at_radius]


def loop(queries, database, query_labels, database_labels, radius, leave_out_self):
    """Precision (0 if empty), recall, F1 and fall-out of each query."""
    values = []
    for i, (query, label) in enumerate(zip(queries, query_labels, strict=True)):
        distances, relevance = brute.distances_and_relevance(
            query, label, database, database_labels, i if leave_out_self else None
        )
        ball = [r for d, r in zip(distances, relevance, strict=True) if d <= radius]
        found = sum(relevance)
        if not found:
            values.append([np.nan] * 4)
            continue
        precision, recall = sum(ball) / len(ball) if ball else 0.0, sum(ball) / found
        both = precision + recall
        f1 = 2 * precision * recall / both if both else 0.0
        others = len(relevance) - found
        fall_out = (len(ball) - sum(ball)) / others if others else 0.0
        values.append([precision, recall, f1, fall_out])
    return np.array(values).T


@given(
    seed=st.integers(0, 10**6),
    radius=st.integers(0, 12),
    multilabel=st.booleans(),
    leave_out_self=st.booleans(),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_radius_metrics_equal_a_loop(seed, radius, multilabel, leave_out_self):
    rng = np.random.default_rng(seed)
    codes = pack(rng.random((12, 10)) < 0.4)
    labels = rng.integers(0, 2, (12, 3)) if multilabel else rng.integers(0, 4, 12)
    first = slice(None) if leave_out_self else slice(4)
    rest = slice(None) if leave_out_self else slice(4, None)
    given_ = (codes[first], codes[rest], labels[first], labels[rest], radius)
    options = {"average": None, "exclude_self": leave_out_self}
    expected = loop(*given_, leave_out_self)
    for metric, values in zip(METRICS, expected, strict=True):
        np.testing.assert_allclose(metric(*given_, **options), values)


# One query in an empty ball, one whose ball holds one of its two relevant items.
FAR = (
    np.array([[0], [255]], dtype=np.uint8),
    np.array([[0], [1], [7]], dtype=np.uint8),
    ["cat", "cat"],
    ["cat", "dog", "cat"],
)


def test_empty_balls_score_zero_or_are_left_out():
    assert precision_at_radius(*FAR) == 0.25
    assert precision_at_radius(*FAR, empty_ball="drop") == 0.5
    assert recall_at_radius(*FAR) == 0.25
    values = precision_at_radius(*FAR, empty_ball="drop", average=None)
    np.testing.assert_array_equal(values, [0.5, np.nan])


def test_radius_is_inclusive_and_may_exceed_the_codes():
    values = [
        precision_at_radius(*FAR, radius=r, average=None)[0] for r in (0, 1, 2, 3, 500)
    ]
    np.testing.assert_allclose(values, [1, 1 / 2, 1 / 2, 2 / 3, 2 / 3])


def test_average_is_macro_or_by_class_or_none():
    queries = np.array([[0], [0], [1]], dtype=np.uint8)
    given_ = (queries, FAR[1], ["dog", "dog", "cat"], FAR[3], 0)
    np.testing.assert_array_equal(precision_at_radius(*given_, average=None), [0, 0, 0])
    np.testing.assert_array_equal(
        recall_at_radius(*given_[:4], 1, average=None), [1, 1, 0.5]
    )
    assert recall_at_radius(*given_[:4], 1) == pytest.approx(2.5 / 3)
    assert recall_at_radius(*given_[:4], 1, average="macro_class") == 0.75


def test_queries_without_relevant_items_are_dropped():
    queries, database, _, labels = FAR
    for metric in (precision_at_radius, recall_at_radius):
        with pytest.warns(UndefinedMetricWarning, match="1 of 2"):
            value = metric(queries, database, ["cat", "emu"], labels, 0)
        assert value == (1.0 if metric is precision_at_radius else 0.5)
        options = {"zero_relevant": "raise"}
        with pytest.raises(ValueError, match="1 of 2"):
            metric(queries, database, ["cat", "emu"], labels, **options)


def test_histograms_give_the_same():
    queries, database, query_labels, labels = FAR
    pair = histograms(queries, database, query_labels, labels)
    for radius in range(9):
        for metric in METRICS:
            np.testing.assert_array_equal(
                getattr(from_histograms, metric.__name__)(*pair, radius),
                metric(*FAR, radius, average=None),
            )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"radius": -1}, ValueError),
        ({"radius": 1.5}, ValueError),
        ({"radius": "2"}, TypeError),
        ({"average": "samples"}, ValueError),
        ({"zero_relevant": 2}, ValueError),
    ],
)
def test_bad_options_are_refused(metric, options, error):
    with pytest.raises(error):
        metric(*FAR, **options)


def test_bad_empty_ball_is_refused():
    with pytest.raises(ValueError, match="'empty_ball' parameter"):
        precision_at_radius(*FAR, empty_ball=1)
