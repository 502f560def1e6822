"""Two reports of the same queries, compared."""

import json

import numpy as np
import pytest
from scipy import sparse

from skhash.hamming import pack
from skhash.metrics import compare, evaluate


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    centers = rng.random((3, 14)) < 0.5
    codes = pack(centers[labels] ^ (rng.random((90, 14)) < 0.2))
    return codes[:30], codes[30:], labels[:30], labels[30:]


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
