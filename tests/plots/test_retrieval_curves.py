"""Precision-recall, precision at n, distance histograms, scores over lengths."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skhash.hamming import pack
from skhash.metrics import mean_average_precision, precision_at_k
from skhash.neighbors import HammingNeighbors
from skhash.plots import (
    DistanceHistogramDisplay,
    LengthCurveDisplay,
    PrecisionAtNDisplay,
    PrecisionRecallDisplay,
)
from tests.plots.estimators import Packs, as_items

DISPLAYS = [
    PrecisionRecallDisplay,
    PrecisionAtNDisplay,
    DistanceHistogramDisplay,
    LengthCurveDisplay,
]


def expected_hits(distance, relevant, n):
    """Relevant items among the first n, every order of tied items equally likely."""
    hits = 0.0
    for d in sorted(set(distance)):
        tied = distance == d
        before = (distance < d).sum()
        taken = min(max(n - before, 0), tied.sum())
        hits += relevant[tied].sum() * taken / tied.sum()
    return hits


def numbers(display):
    return {
        key: value
        for key, value in vars(display).items()
        if isinstance(value, np.ndarray)
    }


def test_precision_recall_by_rank_equals_counting(retrieval, slow):
    distance, relevant = slow
    display = PrecisionRecallDisplay.from_codes(*retrieval, by="rank")
    assert display.cutoffs[0] == 1
    assert display.cutoffs[-1] == 60
    for n, precision, recall in zip(
        display.cutoffs, display.precision, display.recall, strict=True
    ):
        hits = [expected_hits(d, r, n) for d, r in zip(distance, relevant, strict=True)]
        assert precision == pytest.approx(np.mean(hits) / n)
        assert recall == pytest.approx(np.mean(hits / relevant.sum(axis=1)))


def test_precision_recall_by_radius_equals_counting(retrieval, slow):
    distance, relevant = slow
    display = PrecisionRecallDisplay.from_codes(*retrieval, by="radius")
    for radius, precision, recall in zip(
        display.cutoffs, display.precision, display.recall, strict=True
    ):
        inside = distance <= radius
        hits = (inside & relevant).sum(axis=1)
        share = [
            h / n if n else 0 for h, n in zip(hits, inside.sum(axis=1), strict=True)
        ]
        assert precision == pytest.approx(np.mean(share))
        assert recall == pytest.approx(np.mean(hits / relevant.sum(axis=1)))


def test_precision_recall_draws_each_radius_until_all_is_found(retrieval, slow):
    display = PrecisionRecallDisplay.from_codes(*retrieval, by="radius")
    farthest = max(d[r].max() for d, r in zip(*slow, strict=True))
    x, y = display.line_.get_data()
    np.testing.assert_array_equal(x, display.recall[: farthest + 1])
    np.testing.assert_array_equal(y, display.precision[: farthest + 1])
    assert x[-1] == 1 > x[-2]


def test_precision_recall_passes_options_on(retrieval):
    drop = PrecisionRecallDisplay.from_codes(
        *retrieval, by="radius", metric_params={"empty_ball": "drop"}
    )
    zero = PrecisionRecallDisplay.from_codes(*retrieval, by="radius")
    assert drop.precision[0] > zero.precision[0]
    ranks = PrecisionRecallDisplay.from_codes(*retrieval, metric_params={"ranks": [7]})
    assert ranks.cutoffs == [7]


def test_precision_recall_refuses_another_cutoff(retrieval):
    with pytest.raises(ValueError, match="'by' parameter must be one of 'rank'"):
        PrecisionRecallDisplay.from_codes(*retrieval, by="distance")


def test_precision_at_n_equals_counting(retrieval, slow):
    display = PrecisionAtNDisplay.from_codes(*retrieval, ranks=[1, 5, 60])
    for n, precision in zip([1, 5, 60], display.precision, strict=True):
        hits = [expected_hits(d, r, n) for d, r in zip(*slow, strict=True)]
        assert precision == pytest.approx(np.mean(hits) / n)
    assert display.low is None
    assert display.band_ is None


def test_precision_at_n_has_bounds_of_ties(retrieval):
    display = PrecisionAtNDisplay.from_codes(*retrieval, ranks=[1, 5], tie_bounds=True)
    for ties, bound in [("pessimistic", display.low), ("optimistic", display.high)]:
        wanted = [precision_at_k(*retrieval, k=k, ties=ties) for k in (1, 5)]
        np.testing.assert_allclose(bound, wanted)
    assert (display.low < display.precision).any()
    drawn = display.band_.get_paths()[0].vertices[:, 1]
    assert drawn.min() == pytest.approx(min(display.low))
    assert drawn.max() == pytest.approx(max(display.high))


def test_precision_at_n_goes_no_deeper_than_the_database(retrieval):
    queries, _, labels, _ = retrieval
    display = PrecisionAtNDisplay.from_codes(
        queries, queries, labels, labels, exclude_self=True
    )
    assert display.ranks[-1] == 29


def test_distance_histogram_equals_counting(retrieval, slow):
    distance, relevant = slow
    display = DistanceHistogramDisplay.from_codes(*retrieval)
    for d in range(13):
        assert display.n_similar[d] == (relevant & (distance == d)).sum()
        assert display.n_dissimilar[d] == (~relevant & (distance == d)).sum()
    assert len(display.n_similar) == len(display.n_dissimilar) == 13
    for patch, counts in [
        (display.similar_, display.n_similar),
        (display.dissimilar_, display.n_dissimilar),
    ]:
        values, edges, _ = patch.get_data()
        np.testing.assert_allclose(values, counts / sum(counts))
        np.testing.assert_array_equal(edges, np.arange(14) - 0.5)


def test_distance_histogram_of_several_pieces(retrieval, monkeypatch):
    whole = DistanceHistogramDisplay.from_codes(*retrieval)
    monkeypatch.setattr("skhash.metrics.task._CELLS", 40)
    parts = DistanceHistogramDisplay.from_codes(*retrieval)
    np.testing.assert_array_equal(whole.n_similar, parts.n_similar)
    np.testing.assert_array_equal(whole.n_dissimilar, parts.n_dissimilar)


def test_length_curve_equals_scores_of_prefixes(retrieval):
    queries, database, *labels = retrieval
    display = LengthCurveDisplay.from_codes(*retrieval, lengths=[1, 3, 12])
    for length, score in zip([1, 3, 12], display.scores, strict=True):
        cut = pack(queries[:, :length]), pack(database[:, :length])
        assert score == mean_average_precision(*cut, *labels)
    np.testing.assert_array_equal(display.line_.get_xdata(), [1, 3, 12])
    np.testing.assert_array_equal(display.line_.get_ydata(), display.scores)


def test_length_curve_of_another_metric(retrieval):
    display = LengthCurveDisplay.from_codes(
        *retrieval, lengths=[12], metric=precision_at_k, metric_params={"k": 3}
    )
    assert display.scores == [precision_at_k(*retrieval, k=3)]
    assert display.ax_.get_ylabel() == "precision at k"


@pytest.mark.parametrize(
    "given",
    [
        ({16: 0.8, 8: 0.7},),
        ([16, 8], [0.8, 0.7]),
        ((16, 8), np.array([0.8, 0.7])),
    ],
)
def test_length_curve_sorts_given_scores(given):
    display = LengthCurveDisplay.from_scores(*given)
    np.testing.assert_array_equal(display.n_bits, [8, 16])
    np.testing.assert_array_equal(display.scores, [0.7, 0.8])
    assert display.band_ is None
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == ["8", "16"]


def test_length_curve_draws_a_band():
    of_dict = LengthCurveDisplay.from_scores(
        {16: (0.8, 0.75, 0.82), 8: (0.7, 0.6, 0.9)}
    )
    of_lists = LengthCurveDisplay.from_scores(
        [16, 8], [0.8, 0.7], low=[0.75, 0.6], high=[0.82, 0.9]
    )
    for display in (of_dict, of_lists):
        np.testing.assert_array_equal(display.low, [0.6, 0.75])
        np.testing.assert_array_equal(display.high, [0.9, 0.82])
        drawn = display.band_.get_paths()[0].vertices
        assert {(8, 0.6), (8, 0.9), (16, 0.75)} <= {tuple(v) for v in drawn.tolist()}


def test_length_curves_share_an_axis_with_all_lengths():
    first = LengthCurveDisplay.from_scores({8: 0.7, 16: 0.8})
    LengthCurveDisplay.from_scores({12: 0.6, 24: 0.7}, ax=first.ax_)
    assert first.ax_.get_xticks().tolist() == [8, 12, 16, 24]


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (([8, 16],), {}, "scores are missing"),
        (([8, 16], [0.5]), {}, r"vectors of one length, got shapes \[\(1,\), \(2,\)\]"),
        (([8], [0.5]), {"low": [0.4]}, "needs both low and high"),
        (({8: 0.5}, [0.5]), {}, "a dict .* alone"),
        (({8: (0.5, 0.4)},), {}, r"a number or a triple \(mean, low, high\)"),
        (({8: (0.5, 0.4, 0.6), 16: 0.7},), {}, "for every length, or for none"),
        (({},), {}, "vectors of one length"),
    ],
)
def test_length_curve_refuses_scores_that_do_not_fit(given, options, message):
    with pytest.raises(ValueError, match=message):
        LengthCurveDisplay.from_scores(*given, **options)


@pytest.mark.parametrize("cls", DISPLAYS)
class TestFromEstimator:
    def test_equals_from_codes(self, cls, retrieval):
        queries, database, y, y_database = retrieval
        estimator = Packs().fit(queries)
        given = as_items(queries), y, as_items(database), y_database
        of_estimator = cls.from_estimator(estimator, *given)
        of_codes = cls.from_codes(*retrieval)
        assert numbers(of_estimator)
        for key, value in numbers(of_codes).items():
            shown = numbers(of_estimator)[key]
            if cls is PrecisionRecallDisplay:
                value, shown = value[:13], shown[:13]
            np.testing.assert_array_equal(shown, value)

    def test_searches_the_database_of_a_pipeline(self, cls, retrieval):
        queries, database, y, y_database = retrieval
        pipeline = make_pipeline(Packs(), HammingNeighbors())
        pipeline.fit(as_items(database), y_database)
        display = cls.from_estimator(pipeline, as_items(queries), y)
        alone = cls.from_estimator(
            pipeline[0], as_items(queries), y, as_items(database), y_database
        )
        for key, value in numbers(alone).items():
            np.testing.assert_array_equal(numbers(display)[key], value)

    def test_leaves_one_out_without_a_database(self, cls, retrieval):
        queries, _, y, _ = retrieval
        display = cls.from_estimator(Packs().fit(queries), as_items(queries), y)
        options = {"exclude_self": True}
        if cls is LengthCurveDisplay:
            options = {"metric_params": options}
        wanted = cls.from_codes(
            pack(queries), pack(queries), y, y, **options, **n_bits_for(cls)
        )
        for key, value in numbers(wanted).items():
            np.testing.assert_array_equal(numbers(display)[key], value)

    def test_refuses_a_second_database(self, cls, retrieval):
        queries, database, y, y_database = retrieval
        pipeline = make_pipeline(Packs(), HammingNeighbors())
        pipeline.fit(as_items(database), y_database)
        with pytest.raises(ValueError, match="holds a database of its own"):
            cls.from_estimator(pipeline, queries, y, database, y_database)

    def test_refuses_half_a_database(self, cls, retrieval):
        queries, database, y, y_database = retrieval
        estimator = Packs().fit(queries)
        with pytest.raises(ValueError, match="without its labels: add y_database"):
            cls.from_estimator(estimator, queries, y, database)
        with pytest.raises(ValueError, match="y_database is given without X_database"):
            cls.from_estimator(estimator, queries, y, None, y_database)

    def test_refuses_missing_or_unequal_labels(self, cls, retrieval):
        queries, database, y, y_database = retrieval
        estimator = Packs().fit(queries)
        with pytest.raises(ValueError, match="y is None: the labels of X are needed"):
            cls.from_estimator(estimator, queries, None)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            cls.from_estimator(estimator, queries, y[1:])
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            cls.from_estimator(estimator, queries, y, database, y_database[1:])

    def test_refuses_an_unfitted_encoder(self, cls, retrieval):
        queries, _, y, _ = retrieval
        with pytest.raises(NotFittedError, match="not fitted yet"):
            cls.from_estimator(Packs(), queries, y)

    def test_refuses_a_database_without_labels(self, cls, retrieval):
        queries, database, y, _ = retrieval
        neighbors = HammingNeighbors().fit(pack(database))
        with pytest.raises(ValueError, match="fitted without labels"):
            cls.from_estimator(neighbors, pack(queries), y)

    def test_refuses_codes_of_another_width(self, cls, retrieval):
        queries, database, y, y_database = retrieval
        with pytest.raises(ValueError, match=r"1 bytes"):
            cls.from_codes(pack(queries), pack(database[:, :5]), y, y_database)
        with pytest.raises(ValueError, match="database is None: give the codes"):
            cls.from_codes(queries, None, y)


def n_bits_for(cls):
    takes = cls in (DistanceHistogramDisplay, LengthCurveDisplay)
    return {"n_bits": 12} if takes else {}
