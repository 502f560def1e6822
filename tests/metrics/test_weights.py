"""A weight of n counts a query n times, in every mean over queries."""

import inspect

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.fixes import parse_version

from skhash import metrics
from skhash.hamming import pack
from skhash.metrics.averages import bootstrap_means
from skhash.neighbors import HammingNeighbors

WEIGHTED = {
    name: getattr(metrics, name)
    for name in metrics.__all__
    if inspect.isfunction(getattr(metrics, name))
    and "sample_weight" in inspect.signature(getattr(metrics, name)).parameters
}
# A report is no number: it has tests of its own below.
WEIGHTED.pop("evaluate")
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{UndefinedMetricWarning.__module__}.UndefinedMetricWarning"
)


def test_every_mean_over_queries_takes_weights():
    """Curves, and all that can be averaged in one way or another."""
    averaged = {
        name
        for name in metrics.__all__
        if inspect.isfunction(getattr(metrics, name))
        and "average" in inspect.signature(getattr(metrics, name)).parameters
    }
    curves = {"precision_recall_by_radius", "precision_recall_by_rank"}
    assert WEIGHTED.keys() == averaged | curves
    assert len(averaged) == 12


@st.composite
def tasks(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = pack(rng.random((11, 6)) < 0.4)
    shape = (11, 3) if draw(st.booleans()) else 11
    labels = rng.integers(0, 2 if isinstance(shape, tuple) else 4, shape)
    weight = rng.integers(0, 4, 5)
    weight[draw(st.integers(0, 4))] = 2
    return (codes[:5], codes[5:], labels[:5], labels[5:]), weight


def repeated(task, weight):
    queries, database, query_labels, database_labels = task
    return (
        np.repeat(queries, weight, axis=0),
        database,
        np.repeat(query_labels, weight, axis=0),
        database_labels,
    )


@given(
    tasks(),
    st.sampled_from(sorted(WEIGHTED)),
    st.sampled_from(["macro", "macro_class"]),
)
def test_weights_repeat_queries(task, name, average):
    given_, weight = task
    metric = WEIGHTED[name]
    options = {} if name.startswith("precision_recall") else {"average": average}
    expected = metric(*repeated(given_, weight), **options)
    for weights in (weight, (weight / 7).tolist()):
        found = metric(*given_, sample_weight=weights, **options)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(tasks(), st.sampled_from(sorted(WEIGHTED)))
def test_equal_weights_are_none(task, name):
    given_ = task[0]
    np.testing.assert_allclose(
        WEIGHTED[name](*given_, sample_weight=np.full(5, 0.3)), WEIGHTED[name](*given_)
    )


@given(tasks())
def test_values_of_queries_have_no_weight(task):
    given_, weight = task
    np.testing.assert_array_equal(
        metrics.recall_at_k(*given_, k=2, average=None, sample_weight=weight),
        metrics.recall_at_k(*given_, k=2, average=None),
    )


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(4), r"sample_weight.shape == \(4,\)"),
        (np.ones((5, 2)), "1D array or scalar"),
        ([1, 1, 1, 1, -1], "Negative values"),
        ([1, 1, 1, 1, np.nan], "NaN"),
        (np.zeros(5), "must contain at least one non-zero"),
    ],
)
@pytest.mark.parametrize("name", WEIGHTED)
def test_weights_that_are_none_are_refused(name, weight, message):
    codes, labels = np.arange(5, dtype=np.uint8)[:, None], np.zeros(5)
    with pytest.raises(ValueError, match=message):
        WEIGHTED[name](codes, codes, labels, labels, sample_weight=weight)


def test_queries_of_weight_only_where_nothing_is_relevant_have_no_mean():
    codes = np.zeros((2, 1), dtype=np.uint8)
    for average in ("macro", "macro_class"):
        score = metrics.mean_average_precision(
            codes, codes, [5, 6], [6, 6], average=average, sample_weight=[1, 0]
        )
        assert np.isnan(score)


# Reports


def means(report):
    return [*(score.mean for score in report.scores.values()), *report.tie_bounds]


@pytest.mark.slow
@given(tasks())
def test_weights_repeat_queries_in_the_means_of_a_report(task):
    given_, weight = task
    expected = means(metrics.evaluate(*repeated(given_, weight), k=3, n_resamples=1))
    for weights in (weight, (weight / 7).tolist()):
        report = metrics.evaluate(*given_, k=3, n_resamples=1, sample_weight=weights)
        np.testing.assert_allclose(means(report), expected, rtol=1e-12)


@pytest.mark.slow
@given(tasks())
def test_weight_zero_leaves_a_query_out_of_a_report(task):
    given_, weight = task
    kept = weight > 0
    report = metrics.evaluate(*given_, k=3, n_resamples=9, sample_weight=weight)
    alone = metrics.evaluate(
        *repeated(given_, kept), k=3, n_resamples=9, sample_weight=weight[kept]
    )
    np.testing.assert_array_equal(
        list(report.scores.values()), list(alone.scores.values())
    )
    np.testing.assert_array_equal(report.tie_bounds, alone.tie_bounds)
    for name, values in report.per_query.items():
        np.testing.assert_array_equal(values[kept], alone.per_query[name])


@pytest.mark.slow
@given(tasks())
def test_equal_weights_of_a_report_are_none(task):
    plain = metrics.evaluate(*task[0], k=3, n_resamples=9)
    equal = metrics.evaluate(
        *task[0], k=3, n_resamples=9, sample_weight=np.full(5, 0.25)
    )
    for name, score in plain.scores.items():
        np.testing.assert_allclose(equal.scores[name], score, rtol=1e-12)


def test_intervals_resample_queries_with_their_weights():
    """The slow way: draw queries alike, and take the weighted mean of each draw."""
    rng = np.random.default_rng(0)
    values, weight = rng.random((7, 2)), rng.integers(1, 5, 7).astype(float)
    drawn = np.random.default_rng(np.random.RandomState(3).randint(2**31 - 1))
    expected = []
    for _ in range(20):
        rows = drawn.integers(7, size=7)
        total = sum(weight[i] for i in rows)
        expected.append(sum(weight[i] * values[i] for i in rows) / total)
    np.testing.assert_allclose(bootstrap_means(values, 20, 3, weight), expected)


@pytest.fixture
def weighed():
    """Two reports of the same weighed queries, and what they were made of."""
    rng = np.random.default_rng(0)
    codes, labels = pack(rng.random((30, 9)) < 0.5), rng.integers(0, 3, 30)
    task = codes[:10], codes[10:], labels[:10], labels[10:]
    weight = rng.integers(0, 3, 10)
    a, b = (
        metrics.evaluate(queries, *task[1:], k=3, sample_weight=weight)
        for queries in (task[0], task[0] ^ 1)
    )
    return a, b, task, weight


def test_compare_weighs_queries(weighed):
    a, b, _, weight = weighed
    result = metrics.compare(a, b, n_resamples=50)
    for name, difference in result.differences.items():
        expected = b.scores[name].mean - a.scores[name].mean
        assert difference.mean == pytest.approx(expected)
        assert difference.low <= difference.mean <= difference.high
    assert result.n_queries == np.count_nonzero(weight)
    assert a.conventions["mean"] == "over queries, by their weights"


def test_reports_of_other_weights_cannot_be_compared(weighed):
    a, _, task, weight = weighed
    for others in (None, weight + 1):
        other = metrics.evaluate(*task, k=3, sample_weight=others)
        with pytest.raises(ValueError, match="weigh the queries differently"):
            metrics.compare(a, other)
    again = metrics.evaluate(*task, k=3, sample_weight=weight.tolist())
    assert metrics.compare(a, again, n_resamples=2)


@pytest.mark.parametrize("weight", [np.ones(4), [-1, 1, 1, 1, 1], np.zeros(5)])
def test_bad_weights_of_a_report_are_refused(weight):
    codes = np.arange(5, dtype=np.uint8)[:, None]
    with pytest.raises(ValueError, match=r"sample_weight|Negative|non-zero"):
        metrics.evaluate(codes, codes, [0] * 5, [0] * 5, sample_weight=weight)


# Scorers


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    return rng.normal(size=(3, 9))[y] + rng.normal(size=(60, 9)), y, rng.random(60)


FOLDS = KFold(3, shuffle=True, random_state=0)


def expected_scores(X, y, weight, metric=metrics.mean_average_precision, **options):
    codes = pack(X > 0)
    return [
        metric(
            codes[test],
            codes[test],
            y[test],
            y[test],
            exclude_self=True,
            sample_weight=weight[test],
            **options,
        )
        for _, test in FOLDS.split(X)
    ]


def test_scorers_weigh_queries_by_metadata_routing(data):
    X, y, weight = data
    encoder = FunctionTransformer(lambda X: X > 0)
    with sklearn.config_context(enable_metadata_routing=True):
        make = metrics.make_retrieval_scorer
        scoring = {
            "mAP": make(metrics.mean_average_precision),
            "precision": make(metrics.precision_at_k, k=3),
        }
        scoring["mAP"].set_score_request(sample_weight=True)
        scoring["precision"].set_score_request(sample_weight="other")
        results = cross_validate(
            encoder,
            X,
            y,
            scoring=scoring,
            cv=FOLDS,
            params={"sample_weight": weight, "other": 1 - weight},
            error_score="raise",
        )
        assert results["test_mAP"].tolist() == expected_scores(X, y, weight)
        assert results["test_precision"].tolist() == expected_scores(
            X, y, 1 - weight, metrics.precision_at_k, k=3
        )
        plain = cross_validate(
            encoder,
            X,
            y,
            scoring=make(metrics.recall_at_k),
            cv=FOLDS,
            params={},  # scikit-learn 1.6.0 fails at None
        )
        assert np.isfinite(plain["test_score"]).all()
        search = GridSearchCV(
            encoder,
            {"validate": [False, True]},
            scoring=scoring["mAP"],
            cv=FOLDS,
            error_score="raise",
        ).fit(X, y, sample_weight=weight)
        assert search.best_score_ == pytest.approx(
            np.mean(expected_scores(X, y, weight))
        )


def test_a_database_scores_with_weights(data):
    X, y, weight = data
    codes = pack(X > 0)
    neighbors = HammingNeighbors().fit(codes[:30], y[:30])
    expected = metrics.mean_average_precision(
        codes[30:], codes[:30], y[30:], y[:30], sample_weight=weight[30:]
    )
    assert neighbors.score(codes[30:], y[30:], sample_weight=weight[30:]) == expected
    scorer = metrics.mean_average_precision_scorer
    assert scorer(neighbors, codes[30:], y[30:], sample_weight=weight[30:]) == expected
    train, test = next(FOLDS.split(X))
    expected = metrics.mean_average_precision(
        codes[test], codes[train], y[test], y[train], sample_weight=weight[test]
    )
    with sklearn.config_context(enable_metadata_routing=True):
        database = HammingNeighbors().set_score_request(sample_weight=True)
        encode = FunctionTransformer(lambda X: pack(X > 0))
        tried = [(database, codes)]
        if parse_version(sklearn.__version__) >= parse_version("1.7"):
            # In 1.6, cross_validate does not ask what a pipeline's own score takes.
            tried.append((make_pipeline(encode, database), X))
        for estimator, items in tried:
            results = cross_validate(
                estimator,
                items,
                y,
                cv=FOLDS,
                params={"sample_weight": weight},
                error_score="raise",
            )
            assert results["test_score"][0] == expected


def plain_metric(queries, database, query_labels, database_labels, *, exclude_self):
    return 1.0


def any_metric(queries, database, query_labels, database_labels, **options):
    return float(options["sample_weight"].sum())


def test_metrics_without_weights_are_named(data):
    X, y, weight = data
    encoder = FunctionTransformer(lambda X: X > 0)
    for metric in (plain_metric, metrics.average_precision):
        scorer = metrics.make_retrieval_scorer(metric)
        with pytest.raises(TypeError, match=f"{metric.__name__} does not take"):
            scorer(encoder, X, y, sample_weight=weight)
    scorer = metrics.make_retrieval_scorer(any_metric)
    assert scorer(encoder, X, y, sample_weight=weight) == weight.sum()
