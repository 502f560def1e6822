"""nDCG against all orders of tied items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import UndefinedMetricWarning

from skhash.hamming import distances, pack
from skhash.metrics import _ndcg, from_histograms, ndcg, task
from tests.metrics import brute

LINEAR = float
EXPONENTIAL = lambda grade: 2.0**grade - 1

rankings = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6
).filter(lambda items: any(grade for _, grade in items))


def expected_ndcg(dist, grades, k, gain):
    orders = brute.all_orders(dist, grades)
    return np.mean([brute.ndcg(order, grades, k, gain) for order in orders])


@pytest.mark.parametrize("gain", ["exponential", "linear"])
@given(items=rankings, k=st.none() | st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_ndcg_equals_brute_force(gain, items, k):
    dist, grades = zip(*items, strict=True)
    function = LINEAR if gain == "linear" else EXPONENTIAL
    expected = expected_ndcg(dist, grades, k, function)
    database = pack(np.arange(3) < np.array(dist)[:, None])
    value = ndcg([[0]], database, relevance=[grades], k=k, gain=gain)
    assert value == pytest.approx(expected)
    graded = np.zeros((1, 4, 4), dtype=int)
    for d, g in items:
        graded[0, d, g] += 1
    value = from_histograms.ndcg(
        graded.sum(axis=2), graded, [0, 1, 2, 3], k=k, gain=gain
    )
    np.testing.assert_allclose(value, [expected])


def test_ndcg_gives_a_known_value():
    graded = [[[0, 0], [1, 1]]]
    value = from_histograms.ndcg([[1, 2]], graded, [2, 1])
    np.testing.assert_allclose(value, 0.622942, atol=1e-6)


def test_multilabel_grades_count_shared_classes():
    rng = np.random.default_rng(0)
    codes = pack(rng.random((26, 6)) < 0.4)
    labels = rng.integers(0, 2, (26, 4))
    labels[:, 0] = 1
    given_ = (codes[:20], codes[20:], labels[:20], labels[20:])
    values = ndcg(*given_, average=None, k=4)
    for i in range(20):
        dist = distances(codes[i : i + 1], codes[20:])[0].tolist()
        grades = (labels[20:] @ labels[i]).tolist()
        assert values[i] == pytest.approx(expected_ndcg(dist, grades, 4, EXPONENTIAL))
    matrix = labels[:20] @ labels[20:].T
    for relevance in (
        matrix,
        sparse.csr_array(matrix),
        sparse.csr_matrix(matrix),
        lambda q, d: q @ d.T,
        lambda q, d: sparse.csr_array(q @ d.T),
    ):
        again = ndcg(*given_, average=None, k=4, relevance=relevance)
        np.testing.assert_allclose(again, values)


def test_self_is_left_out():
    codes = np.array([[0], [1], [255]], dtype=np.uint8)
    labels = ["a", "b", "a"]
    values = ndcg(
        *(codes, codes, labels, labels),
        exclude_self=True,
        average=None,
        zero_relevant=0,
    )
    np.testing.assert_allclose(values, [1 / np.log2(3), 0, 1 / np.log2(3)])


def test_queries_of_grade_zero_are_dropped_or_one():
    given_ = (np.zeros((2, 1), np.uint8), np.zeros((1, 1), np.uint8), [0, 1], [0])
    with pytest.warns(UndefinedMetricWarning, match="1 of 2"):
        assert ndcg(*given_) == 1.0
    assert ndcg(*given_, zero_relevant=0) == 0.5
    assert ndcg(*given_, zero_relevant=1) == 1.0


@pytest.mark.parametrize(
    ("relevance", "error", "message"),
    [
        ([[1, -1]], ValueError, "0 or more"),
        ([[1, np.nan]], ValueError, "0 or more"),
        ([[1, 2, 3]], ValueError, r"shape \(1, 2\)"),
        (lambda q, d: np.ones((2, 2)), ValueError, r"shape \(1, 2\)"),
        (lambda q, d: -np.ones((1, 2)), ValueError, "0 or more"),
        (lambda q, d: np.array([["a", "b"]]), ValueError, "must be numbers"),
        ("labels", TypeError, "function of"),
    ],
)
def test_bad_relevance_is_refused(relevance, error, message):
    with pytest.raises(error, match=message):
        ndcg([[0]], [[0], [1]], relevance=relevance)


@pytest.mark.parametrize(
    ("graded", "grades", "message"),
    [
        ([[[1, 0], [1, 2]]], [1, 2], "more items"),
        ([[1, 2]], [1, 2], "shape"),
        ([[[1], [1]]], [-1], "0 or more"),
    ],
)
def test_bad_graded_histograms_are_refused(graded, grades, message):
    with pytest.raises(ValueError, match=message):
        from_histograms.ndcg([[1, 2]], graded, grades)


def test_bad_gain_is_refused():
    with pytest.raises(ValueError, match="'gain' parameter"):
        ndcg([[0]], [[0]], [0], [0], gain="log")


def test_self_is_left_out_of_shared_classes(monkeypatch):
    rng = np.random.default_rng(1)
    codes = pack(rng.random((40, 6)) < 0.4)
    labels = rng.integers(0, 2, (40, 4))
    labels[:, 0] = 1
    options = {"exclude_self": True, "average": None, "k": 7}
    values = ndcg(codes, codes, labels, labels, **options)
    by_pairs = ndcg(codes, codes, relevance=labels @ labels.T, **options)
    np.testing.assert_allclose(values, by_pairs)
    monkeypatch.setattr(_ndcg, "_CELLS", 3 * 9 * 5)
    monkeypatch.setattr(task, "_PAIRS", 40 * 7)
    np.testing.assert_array_equal(ndcg(codes, codes, labels, labels, **options), values)


@pytest.mark.parametrize("gain", ["exponential", "linear"])
def test_equal_labels_are_one_grade(gain):
    rng = np.random.default_rng(2)
    codes = pack(rng.random((60, 6)) < 0.4)
    labels = rng.integers(0, 4, 60)
    given_ = (codes[:20], codes[20:])
    values = ndcg(*given_, labels[:20], labels[20:], average=None, gain=gain)
    relevance = labels[:20, None] == labels[20:]
    by_pairs = ndcg(*given_, relevance=relevance, average=None, gain=gain)
    np.testing.assert_allclose(values, by_pairs)


@pytest.mark.parametrize("k", [None, 3])
def test_grades_may_be_any_numbers(k):
    # More different grades than are counted: they are sorted instead.
    rng = np.random.default_rng(3)
    grades = rng.random((4, 100)) * (rng.random((4, 100)) < 0.8)
    database = np.arange(100, dtype=np.uint8)[:, None] % 7
    queries = np.zeros((4, 1), np.uint8)
    values = ndcg(queries, database, relevance=grades, k=k, average=None, gain="linear")
    dist = distances(queries[:1], database)[0]
    for row, value in zip(grades, values, strict=True):
        # Each rank of a tie expects its mean grade.
        mean = np.array([row[dist == d].mean() for d in np.sort(dist)])
        expected = brute.ndcg(mean.tolist(), row.tolist(), k, LINEAR)
        assert value == pytest.approx(expected)
