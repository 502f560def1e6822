"""The report agrees with the metrics, and says what should be known."""

import json
import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import norm

from skhash import metrics
from skhash.hamming import pack
from skhash.metrics import code_health, compare, evaluate
from skhash.metrics.averages import bootstrap_means, interval


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    centers = rng.random((3, 14)) < 0.5
    codes = pack(centers[labels] ^ (rng.random((90, 14)) < 0.2))
    return codes[:30], codes[30:], labels[:30], labels[30:]


def test_scores_are_the_metrics(task):
    report = evaluate(*task, k=7, radius=3, normalizer="hits")
    expected = {
        "mAP": metrics.mean_average_precision(*task),
        "mAP@7": metrics.mean_average_precision(*task, k=7, normalizer="hits"),
        "mAP@R": metrics.mean_average_precision_at_r(*task),
        "precision@7": metrics.precision_at_k(*task, 7),
        "recall@7": metrics.recall_at_k(*task, 7),
        "hit rate@7": metrics.hit_rate_at_k(*task, 7),
        "MRR": metrics.mean_reciprocal_rank(*task),
        "R-precision": metrics.r_precision(*task),
        "nDCG@7": metrics.ndcg(*task, k=7),
        "precision within 3": metrics.precision_at_radius(*task, 3),
        "recall within 3": metrics.recall_at_radius(*task, 3),
    }
    assert list(report.scores) == list(expected)
    for name, value in expected.items():
        score = report.scores[name]
        assert score.mean == pytest.approx(value)
        assert score.low <= score.mean <= score.high
        assert np.nanmean(report.per_query[name]) == pytest.approx(value)
    assert report.tie_bounds == pytest.approx(
        [
            metrics.mean_average_precision(*task, ties=ties)
            for ties in ("pessimistic", "optimistic")
        ]
    )
    assert report.code_health == code_health(task[1])
    assert "hits" not in report.conventions["mAP"]
    assert "relevant items among the first 7" in report.conventions["mAP@7"]


@pytest.mark.parametrize("kind", ["multilabel", "matrix", "function"])
def test_graded_relevance_is_graded_in_the_report(task, kind):
    queries, database, query_labels, database_labels = task
    one_hot = np.eye(3, dtype=int)
    labels = [one_hot[query_labels], one_hot[database_labels]]
    labels[0][:, 0] = labels[1][:, 0] = 1
    options = {}
    if kind == "matrix":
        options = {"relevance": sparse.csr_array(labels[0] @ labels[1].T)}
    if kind == "function":
        options = {"relevance": lambda q, d: q @ d.T}
    report = evaluate(queries, database, *labels, k=5, **options)
    expected = metrics.ndcg(queries, database, *labels, k=5)
    assert report.scores["nDCG@5"].mean == pytest.approx(expected)
    expected = metrics.mean_average_precision(queries, database, *labels)
    assert report.scores["mAP"].mean == pytest.approx(expected)


def test_checks_count_what_should_be_known():
    queries = np.array([[0], [255], [3]], dtype=np.uint8)
    database = np.array([[0], [1], [2], [4]], dtype=np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the report itself tells
        report = evaluate(queries, database, [0, 0, 9], [0, 1, 0, 0], k=2, radius=1)
    assert report.checks == {
        "queries": 3,
        "database items": 4,
        "bytes per code": 1,
        "queries without relevant items": 1,
        "share of queries with nothing within 1": pytest.approx(1 / 3),
        # distances 0 1 1 1; 8 7 7 7; 2 1 1 3
        "share of queries with a tie across rank 2": pytest.approx(2 / 3),
        "mean size of the tie across rank 2": 3,
        "share of queries with an equal code in the database": pytest.approx(1 / 3),
    }
    assert np.isnan(report.per_query["mAP"]).tolist() == [False, False, True]


def test_report_without_relevant_items_is_nan():
    codes = np.zeros((2, 1), np.uint8)
    report = evaluate(codes, codes, [0, 1], [2, 3])
    assert all(np.isnan(score.mean) for score in report.scores.values())
    assert report.checks["queries without relevant items"] == 2
    with pytest.raises(ValueError, match="nothing to compare"):
        compare(report, report)


def test_self_is_left_out(task):
    _, codes, _, labels = task
    report = evaluate(codes, codes, labels, labels, k=5, exclude_self=True)
    expected = metrics.mean_average_precision(
        codes, codes, labels, labels, exclude_self=True
    )
    assert report.scores["mAP"].mean == pytest.approx(expected)
    assert report.conventions["self"] == "query i does not find item i"


def test_leaks_between_queries_and_database_are_counted(task):
    rng = np.random.default_rng(0)
    X_database = rng.random((60, 4, 4))
    X_queries = np.concatenate([X_database[10:15], rng.random((25, 4, 4))])
    report = evaluate(*task, X_queries=X_queries, X_database=X_database)
    assert report.checks["queries that are in the database"] == 5


@pytest.mark.parametrize("exclude_self", [False, True])
def test_leaks_are_queries_with_an_equal_other_item(exclude_self):
    rng = np.random.default_rng(0)
    X = rng.random((20, 3))
    X[15] = X[3]
    X[[7, 11]] = X[2]
    codes, labels = pack(X > 0.5), np.arange(20) % 2
    report = evaluate(
        *(codes, codes, labels, labels),
        exclude_self=exclude_self,
        X_queries=X,
        X_database=X,
    )
    expected = sum(
        any((X[i] == X[j]).all() for j in range(20) if not (exclude_self and i == j))
        for i in range(20)
    )
    assert expected == (5 if exclude_self else 20)
    assert report.checks["queries that are in the database"] == expected


@pytest.mark.parametrize("name", ["X_queries", "X_database"])
def test_items_that_are_not_one_per_code_are_refused(task, name):
    with pytest.raises(ValueError, match=f"{name} must hold.* 7 items for"):
        evaluate(*task, **{name: np.zeros((7, 2))})


def test_report_reads_well_and_is_plain_data(task):
    report = evaluate(*task, k=7)
    text, html = repr(report), report._repr_html_()
    for part in [*report.scores, *report.checks, *report.conventions.values()]:
        assert part in text
        assert part in html
    assert f"{report.scores['mAP'].mean:.4f}" in text
    plain = json.loads(json.dumps(report.to_dict(per_query=True)))
    assert plain["scores"]["mAP"]["mean"] == report.scores["mAP"].mean
    assert plain["per_query"]["mAP"] == report.per_query["mAP"].tolist()
    assert "per_query" not in report.to_dict()


def test_what_has_no_value_is_null_in_json():
    codes = np.zeros((2, 1), np.uint8)
    report = evaluate(codes, codes, [0, 1], [0, 0], k=2)
    text = json.dumps(report.to_dict(per_query=True), allow_nan=False)
    plain = json.loads(text)
    assert plain["per_query"]["mAP"] == [1.0, None]
    assert plain["checks"]["mean size of the tie across rank 2"] is None
    undefined = evaluate(codes, codes, [0, 1], [2, 3], k=2).to_dict()
    assert undefined["scores"]["mAP"] == {"mean": None, "low": None, "high": None}
    assert undefined["tie_bounds"] == [None, None]


def test_html_escapes_what_it_shows(task):
    report = evaluate(*task, k=7)
    report.conventions["relevant"] = "<script>"
    assert "<script>" not in report._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be at least 1"),
        ({"radius": -1}, "radius"),
        ({"normalizer": "k"}, "'normalizer' parameter"),
        ({"confidence": 95}, "between 0 and 1"),
        ({"n_resamples": 0}, "n_resamples must be at least 1"),
        ({"exclude_self": True}, "query i is item i"),
    ],
)
def test_bad_options_are_refused(task, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(*task, **options)
    if set(options) & {"n_resamples", "confidence"}:
        report = evaluate(*task)
        with pytest.raises(ValueError, match=message):
            compare(report, report, **options)


@pytest.mark.parametrize("confidence", ["a", None, True, [0.9]])
def test_confidence_that_is_no_number_is_refused(task, confidence):
    report = evaluate(*task)
    for measure in (
        lambda: evaluate(*task, confidence=confidence),
        lambda: compare(report, report, confidence=confidence),
    ):
        with pytest.raises(TypeError, match="confidence must be a number between 0"):
            measure()


def test_no_queries_are_refused(task):
    with pytest.raises(ValueError, match="0 sample"):
        evaluate(task[0][:0], task[1], task[2][:0], task[3])


def test_bootstrap_interval_covers_like_the_normal_one():
    rng = np.random.default_rng(0)
    values = rng.exponential(size=(400, 2))
    low, high = interval(bootstrap_means(values, 4000, 0), 0.9)
    half = norm.ppf(0.95) * values.std(axis=0) / np.sqrt(len(values))
    np.testing.assert_allclose(low, values.mean(axis=0) - half, atol=half.max() / 8)
    np.testing.assert_allclose(high, values.mean(axis=0) + half, atol=half.max() / 8)


def test_same_seed_gives_the_same_report(task):
    first, second = evaluate(*task, random_state=3), evaluate(*task, random_state=3)
    assert first.scores == second.scores
    assert evaluate(*task, random_state=4).scores != first.scores


def test_relevance_is_asked_once(task):
    """And once more for the fingerprint, by which reports are compared."""
    calls = []

    def relevance(q, d):
        calls.append(len(q))
        return q[:, None] == d

    evaluate(*task, k=5, relevance=relevance)
    assert calls == [30, 30]
