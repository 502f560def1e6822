"""The report agrees with the metrics, and says what should be known."""

import json
import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import norm

from skhash import metrics
from skhash.hamming import pack
from skhash.metrics import code_health, compare, evaluate, find_duplicates
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


def test_compare_is_paired_and_signed(task):
    queries, database, *labels = task
    rng = np.random.default_rng(1)
    # One bit in eight of the queries is lost: a little worse on the same queries.
    worse = queries ^ pack(rng.random((30, 14)) < 0.1)
    good = evaluate(queries, database, *labels, k=5)
    poor = evaluate(worse, database, *labels, k=5)
    result = compare(poor, good, n_resamples=2000)
    for name, difference in result.differences.items():
        expected = good.scores[name].mean - poor.scores[name].mean
        assert difference.mean == pytest.approx(expected)
        assert difference.low <= difference.mean <= difference.high
    gain = result.differences["mAP"]
    assert gain.low > 0
    assert gain.p_value < 0.05
    # Far narrower than the two intervals apart would suggest.
    spread = good.scores["mAP"].high - good.scores["mAP"].low
    assert gain.high - gain.low < 2 * spread
    back = compare(good, poor, n_resamples=2000).differences["mAP"]
    assert back.mean == pytest.approx(-gain.mean)
    assert result.n_queries == 30
    assert "mAP@5" in repr(result)
    assert "mAP@5" in result._repr_html_()
    assert json.loads(json.dumps(result.to_dict()))["n_queries"] == 30


def test_equal_reports_do_not_differ(task):
    report = evaluate(*task)
    for difference in compare(report, report, n_resamples=100).differences.values():
        assert difference == (0, 0, 0, 1)


def test_reports_of_other_tasks_cannot_be_compared(task):
    queries, database, query_labels, database_labels = task
    report = evaluate(*task, k=5)
    with pytest.raises(ValueError, match="different options"):
        compare(report, evaluate(*task, k=6))
    fewer = evaluate(queries[:9], database, query_labels[:9], database_labels, k=5)
    with pytest.raises(ValueError, match="different queries"):
        compare(report, fewer)
    others = evaluate(queries, database, (query_labels + 1) % 3, database_labels, k=5)
    with pytest.raises(ValueError, match="different queries"):
        compare(report, others)


def test_databases_must_be_the_same(task):
    queries, database, query_labels, database_labels = task
    report = evaluate(*task, k=5)
    fewer = evaluate(queries, database[9:], query_labels, database_labels[9:], k=5)
    with pytest.raises(ValueError, match=r"different database items \(60 and 51\)"):
        compare(report, fewer)
    turned = evaluate(queries, database, query_labels, database_labels[::-1], k=5)
    with pytest.raises(ValueError, match=r"different database items \(their labels"):
        compare(report, turned)
    other_codes = evaluate(queries, database ^ 1, query_labels, database_labels, k=5)
    assert compare(report, other_codes, n_resamples=10).n_queries == 30


def test_labels_are_kept_as_given_and_compared(task):
    queries, database, query_labels, database_labels = task

    def report(*names):
        names = np.array(names)
        own = names[query_labels].tolist()
        return evaluate(queries, database, own, names[database_labels], k=5)

    cats = report("cat", "dog", "emu")
    assert cats.query_labels.tolist() == (
        np.array(["cat", "dog", "emu"])[query_labels].tolist()
    )
    assert cats.database_labels[0] in ("cat", "dog", "emu")
    with pytest.raises(ValueError, match=r"different queries \(their labels"):
        compare(cats, report("ant", "bee", "emu"))
    with pytest.raises(ValueError, match=r"different queries \(their labels"):
        compare(cats, evaluate(*task, k=5))
    assert compare(cats, report("cat", "dog", "emu"), n_resamples=10)


def test_another_label_in_the_database_is_not_blamed_on_the_queries(task):
    queries, database, query_labels, database_labels = task
    more = database_labels.copy()
    more[0] = -1  # sorts first and shifts every encoded label
    other = evaluate(queries, database, query_labels, more, k=5)
    np.testing.assert_array_equal(other.query_labels, query_labels)
    with pytest.raises(ValueError, match="different database items"):
        compare(evaluate(*task, k=5), other)


def test_kept_labels_are_a_copy(task):
    labels = task[2].copy()
    report = evaluate(*task[:2], labels, task[3], k=5)
    labels[:] = 0
    np.testing.assert_array_equal(report.query_labels, task[2])


def test_relevance_must_be_the_same(task):
    queries, database, query_labels, database_labels = task
    equal = (query_labels[:, None] == database_labels).astype(float)

    def report(relevance, *labels):
        return evaluate(queries, database, *labels, k=5, relevance=relevance)

    matrix = report(equal)
    assert compare(matrix, report(sparse.coo_array(equal)), n_resamples=10)
    for other in (2 * equal, np.roll(equal, 1, axis=1)):
        with pytest.raises(ValueError, match="different options"):
            compare(matrix, report(other))
    labels = task[2:]
    by_labels = report(None, *labels)
    by_function = report(lambda q, d: q[:, None] == d, *labels)
    with pytest.raises(ValueError, match="different options"):
        compare(by_labels, by_function)
    again = report(lambda q, d: q[:, None] == d, *labels)
    assert compare(by_function, again, n_resamples=10)
    with pytest.raises(ValueError, match="different options"):
        compare(by_function, report(lambda q, d: q[:, None] >= d, *labels))


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array, np.ndarray.tolist])
def test_duplicates_are_equal_rows(convert):
    rng = np.random.default_rng(0)
    database = rng.integers(0, 3, (40, 3))
    queries = rng.integers(0, 4, (30, 3))
    expected = []
    for i, query in enumerate(queries):
        equal = [j for j, item in enumerate(database) if (item == query).all()]
        expected += [(i, equal[0])] if equal else []
    pairs = find_duplicates(convert(queries), convert(database))
    assert pairs.tolist() == [list(pair) for pair in expected]
    assert expected


def test_duplicates_ignore_dtype_and_the_sign_of_zero():
    assert find_duplicates([[-0.0, 1.0]], [[0.0, 1.0]]).tolist() == [[0, 0]]
    assert find_duplicates(np.uint8([[3]]), np.float32([[3]])).tolist() == [[0, 0]]
    assert find_duplicates([["a"]], [["abc"], ["a"]]).tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="same shape"):
        find_duplicates([[1, 2]], [[1, 2, 3]])
