"""Precision-recall curves against the metrics at each cut-off."""

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from skhash.hamming import histograms
from skhash.metrics import (
    from_histograms,
    precision_at_k,
    precision_at_radius,
    precision_recall_by_radius,
    precision_recall_by_rank,
    recall_at_k,
    recall_at_radius,
)


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (60, 1), dtype=np.uint8)
    labels = rng.integers(0, 3, 60)
    return codes[:15], codes[15:], labels[:15], labels[15:]


@pytest.mark.parametrize("empty_ball", [0, "drop"])
def test_curve_by_radius_is_the_metric_at_each_radius(task, empty_ball):
    curve = precision_recall_by_radius(*task, empty_ball=empty_ball)
    np.testing.assert_array_equal(curve.cutoffs, np.arange(9))
    for radius in curve.cutoffs:
        expected = precision_at_radius(*task, radius, empty_ball=empty_ball)
        assert curve.precision[radius] == pytest.approx(expected, nan_ok=True)
        assert curve.recall[radius] == pytest.approx(recall_at_radius(*task, radius))
    rows = from_histograms.precision_recall_by_radius(
        *histograms(*task), empty_ball=empty_ball
    )
    np.testing.assert_allclose(np.nanmean(rows[0], axis=0), curve.precision)
    np.testing.assert_allclose(np.nanmean(rows[1], axis=0), curve.recall)


@pytest.mark.parametrize("ties", ["expected", "optimistic", "pessimistic", "index"])
def test_curve_by_rank_is_the_metric_at_each_rank(task, ties):
    ranks = [1, 4, 30, 45, 60]
    curve = precision_recall_by_rank(*task, ranks=ranks, ties=ties)
    np.testing.assert_array_equal(curve.cutoffs, ranks)
    for i, k in enumerate(ranks):
        assert curve.precision[i] == pytest.approx(precision_at_k(*task, k, ties=ties))
        assert curve.recall[i] == pytest.approx(recall_at_k(*task, k, ties=ties))
    if ties != "index":
        rows = from_histograms.precision_recall_by_rank(
            *histograms(*task), ranks, ties=ties
        )
        np.testing.assert_allclose(rows[0].mean(axis=0), curve.precision)
        np.testing.assert_allclose(rows[1].mean(axis=0), curve.recall)


def test_ranks_span_the_database_by_default(task):
    curve = precision_recall_by_rank(*task)
    assert curve.cutoffs[0] == 1
    assert curve.cutoffs[-1] == 45
    assert curve.recall[-1] == pytest.approx(1)
    assert (np.diff(curve.cutoffs) > 0).all()


def test_self_is_left_out(task):
    _, codes, _, labels = task
    curve = precision_recall_by_rank(codes, codes, labels, labels, exclude_self=True)
    assert curve.cutoffs[-1] == 44
    expected = precision_at_k(codes, codes, labels, labels, 1, exclude_self=True)
    assert curve.precision[0] == pytest.approx(expected)


def test_queries_without_relevant_items_are_dropped(task):
    queries, database, labels, database_labels = task
    labels = labels.copy()
    labels[:5] = 7
    for curve_of in (precision_recall_by_radius, precision_recall_by_rank):
        with pytest.warns(UndefinedMetricWarning, match="5 of 15"):
            curve = curve_of(queries, database, labels, database_labels)
        alone = curve_of(queries[5:], database, labels[5:], database_labels)
        np.testing.assert_allclose(curve.precision, alone.precision)
        np.testing.assert_allclose(curve.recall, alone.recall)


@pytest.mark.parametrize("ranks", [[0], [], [[1]], [1.5]])
def test_bad_ranks_are_refused(task, ranks):
    with pytest.raises((ValueError, TypeError), match="ranks"):
        precision_recall_by_rank(*task, ranks=ranks)
