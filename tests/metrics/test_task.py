"""Average precision of codes and labels, against pairwise loops."""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import UndefinedMetricWarning

from skhash import metrics
from skhash.hamming import histograms, pack
from skhash.metrics import (
    average_precision,
    from_histograms,
    mean_average_precision,
    task,
)
from tests.metrics import brute

TIES = ["expected", "optimistic", "pessimistic", "index"]
NORMALIZERS = ["min_k_r", "hits", "relevant"]


@st.composite
def retrieval(draw, multilabel=False, same=False):
    """Queries and database of at most six codes: every order can be written down."""
    n_bits = draw(st.integers(1, 10))
    n_items = draw(st.integers(2, 6))
    n_queries = n_items if same else draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    # Few distinct bits, so that ties are the rule.
    bits = rng.random((n_queries + n_items, n_bits)) < 0.3
    shape = (n_queries + n_items, 3) if multilabel else n_queries + n_items
    labels = rng.integers(0, 2, shape)
    codes = pack(bits)
    if same:
        return codes[:n_items], codes[:n_items], labels[:n_items], labels[:n_items]
    split = lambda array: (array[:n_queries], array[n_queries:])
    return *split(codes), *split(labels)


def brute_average_precision(given_, exclude_self=False, **options):
    queries, database, query_labels, database_labels = given_
    return [
        brute.average_precision(
            *brute.distances_and_relevance(
                queries[i],
                query_labels[i],
                database,
                database_labels,
                leave_out=i if exclude_self else None,
            ),
            **options,
        )
        for i in range(len(queries))
    ]


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return function(*args, **kwargs)


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("ties", TIES)
@given(data=st.data(), k=st.none() | st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_average_precision_equals_brute_force(ties, normalizer, data, k):
    multilabel, same = data.draw(st.booleans()), data.draw(st.booleans())
    items = data.draw(retrieval(multilabel=multilabel, same=same))
    options = {"k": k, "ties": ties, "normalizer": normalizer}
    values = quietly(average_precision, *items, exclude_self=same, **options)
    expected = brute_average_precision(items, exclude_self=same, **options)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-14)


@given(items=retrieval(), seed=st.integers(0, 99), k=st.none() | st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_expectation_does_not_depend_on_database_order(items, seed, k):
    queries, database, query_labels, database_labels = items
    order = np.random.default_rng(seed).permutation(len(database))
    shuffled = (queries, database[order], query_labels, database_labels[order])
    for normalizer in NORMALIZERS:
        options = {"k": k, "normalizer": normalizer}
        np.testing.assert_allclose(
            quietly(average_precision, *items, **options),
            quietly(average_precision, *shuffled, **options),
        )


@given(seed=st.integers(0, 10**6), ties=st.sampled_from(TIES))
@settings(max_examples=40, deadline=None)
def test_hamming_geometry_is_all_that_matters(seed, ties):
    rng = np.random.default_rng(seed)
    bits = rng.random((30, 12)) < 0.4
    labels = rng.integers(0, 3, 30)
    moved = bits[:, rng.permutation(12)] ^ (rng.random(12) < 0.5)
    values = [
        quietly(
            average_precision,
            pack(b[:10]),
            pack(b[10:]),
            labels[:10],
            labels[10:],
            ties=ties,
        )
        for b in (bits, moved)
    ]
    np.testing.assert_array_equal(*values)


@pytest.mark.parametrize("normalizer", NORMALIZERS)
def test_histograms_of_shards_add_up(normalizer):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (60, 1), dtype=np.uint8)
    labels = rng.choice(["ant", "bee", "cat"], 60)
    queries, query_labels = codes[:10], labels[:10]
    shards = [
        histograms(queries, codes[part], query_labels, labels[part])
        for part in (slice(10, 25), slice(25, 60))
    ]
    n_total, n_relevant = (sum(side) for side in zip(*shards, strict=True))
    options = {"k": 7, "normalizer": normalizer}
    np.testing.assert_array_equal(
        from_histograms.average_precision(n_total, n_relevant, **options),
        average_precision(queries, codes[10:], query_labels, labels[10:], **options),
    )


@pytest.mark.parametrize("exclude_self", [False, True])
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("ties", ["expected", "index"])
def test_chunks_do_not_change_values(monkeypatch, ties, multilabel, exclude_self):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 8, (40, 1), dtype=np.uint8)
    labels = rng.integers(0, 2, (40, 3)) if multilabel else rng.integers(0, 3, 40)
    labels[0] = 1
    run = lambda: quietly(
        average_precision,
        *(codes, codes, labels, labels),
        ties=ties,
        k=11,
        exclude_self=exclude_self,
    )
    whole = run()
    monkeypatch.setattr(task, "_CELLS", 9 * 7)
    monkeypatch.setattr(task, "_PAIRS", 40 * 5)
    np.testing.assert_array_equal(run(), whole)


def test_index_ties_follow_a_stable_sort():
    database = np.zeros((3, 1), dtype=np.uint8)
    values = [
        average_precision(database[:1], database, [1], labels, ties="index")[0]
        for labels in ([1, 0, 0], [0, 1, 0], [0, 0, 1])
    ]
    np.testing.assert_allclose(values, [1, 1 / 2, 1 / 3])


def test_labels_of_any_kind_mean_the_same():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 255, (30, 2), dtype=np.uint8)
    labels = rng.integers(0, 3, 30)
    one_hot = np.eye(3, dtype=int)[labels]
    expected = average_precision(codes[:5], codes[5:], labels[:5], labels[5:])
    kinds = [
        np.array(["x", "yy", "zzz"])[labels],
        labels.astype(float),
        np.array(["x", 2, None], dtype=object)[labels].astype(str),
        one_hot,
        one_hot.astype(bool),
        sparse.csr_array(one_hot),
        labels[:, None],
    ]
    for kind in kinds:
        values = average_precision(codes[:5], codes[5:], kind[:5], kind[5:])
        np.testing.assert_allclose(values, expected)


def test_bits_and_packed_codes_mean_the_same():
    rng = np.random.default_rng(3)
    bits = rng.random((20, 11)) < 0.5
    labels = rng.integers(0, 2, 20)
    expected = mean_average_precision(*[pack(bits)] * 2, *[labels] * 2)
    assert mean_average_precision(*[bits] * 2, *[labels] * 2) == expected


def test_self_is_left_out_but_duplicates_are_not():
    codes = np.array([[0], [0], [255]], dtype=np.uint8)
    labels = ["a", "a", "b"]
    options = {"exclude_self": True, "zero_relevant": 0}
    values = average_precision(codes, codes, labels, labels, **options)
    np.testing.assert_array_equal(values, [1, 1, 0])


UNDEFINED = (
    np.array([[0], [1], [3]], dtype=np.uint8),
    np.array([[0], [1]], dtype=np.uint8),
    ["cat", "emu", "fox"],
    ["cat", "cat"],
)


@pytest.mark.parametrize("ties", TIES)
def test_queries_without_relevant_items_are_dropped_and_counted(ties):
    with pytest.warns(UndefinedMetricWarning, match=r"2 of 3 queries.*lack") as caught:
        values = average_precision(*UNDEFINED, ties=ties)
    assert "Fold" not in str(caught[0].message)  # nothing says that there are folds
    np.testing.assert_array_equal(values, [1, np.nan, np.nan])
    with pytest.warns(UndefinedMetricWarning, match="2 of 3"):
        assert mean_average_precision(*UNDEFINED, ties=ties) == 1.0


@pytest.mark.parametrize(("value", "mean"), [(0, 1 / 3), (1, 1.0)])
def test_zero_relevant_gives_a_value_without_warning(value, mean):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score = mean_average_precision(*UNDEFINED, zero_relevant=value)
    assert score == pytest.approx(mean)


def test_zero_relevant_can_raise():
    with pytest.raises(ValueError, match="2 of 3 queries"):
        mean_average_precision(*UNDEFINED, zero_relevant="raise")


def test_mean_of_nothing_is_nan_and_nothing_else_is_said():
    queries, database, _, labels = UNDEFINED
    with pytest.warns(UndefinedMetricWarning) as caught:
        score = mean_average_precision(queries, database, ["x", "y", "z"], labels)
    assert np.isnan(score)
    assert len(caught) == 1


def test_macro_class_weighs_classes_alike():
    database = np.array([[0], [255], [255]], dtype=np.uint8)
    labels = ["a", "b", "a"]
    queries = np.array([[0], [0], [0], [255]], dtype=np.uint8)
    query_labels = ["b", "b", "b", "a"]
    options = {"ties": "pessimistic"}
    values = average_precision(queries, database, query_labels, labels, **options)
    np.testing.assert_allclose(values, [1 / 3, 1 / 3, 1 / 3, (1 / 2 + 2 / 3) / 2])
    by_class = mean_average_precision(
        queries, database, query_labels, labels, average="macro_class", **options
    )
    assert by_class == pytest.approx((1 / 3 + values[3]) / 2)


def test_macro_class_counts_a_query_in_each_of_its_classes():
    database = np.array([[0], [255]], dtype=np.uint8)
    labels = [[1, 0, 0], [0, 1, 0]]
    queries = np.array([[0], [0]], dtype=np.uint8)
    query_labels = [[1, 1, 0], [0, 1, 0]]
    values = average_precision(queries, database, query_labels, labels)
    np.testing.assert_allclose(values, [1, 0.5])
    by_class = mean_average_precision(
        queries, database, query_labels, labels, average="macro_class"
    )
    assert by_class == pytest.approx((1 + (1 + 0.5) / 2) / 2)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"queries": np.zeros((2, 2), np.uint8)}, ValueError, "1 bytes wide"),
        ({"queries": np.full((2, 1), -1)}, ValueError, "Negative values in data"),
        ({"queries": np.full((2, 1), 0.5)}, ValueError, "no integers"),
        ({"queries": np.zeros(2, np.uint8)}, ValueError, "2D array"),
        ({"query_labels": [0, 1, 1]}, ValueError, "inconsistent numbers of samples"),
        ({"query_labels": [[0, 1], [1, 0]]}, ValueError, "multi-hot"),
        ({"exclude_self": True}, ValueError, "query i is item i"),
        ({"k": -1}, ValueError, "at least 1"),
        ({"average": "micro"}, ValueError, "'average' parameter"),
        ({"average": None}, ValueError, "'average' parameter"),
    ],
)
@pytest.mark.parametrize("ties", ["expected", "index"])
def test_bad_input_is_refused(ties, change, error, message):
    good = {
        "queries": np.zeros((2, 1), np.uint8),
        "database": np.zeros((3, 1), np.uint8),
        "query_labels": [0, 1],
        "database_labels": [0, 1, 1],
    }
    with pytest.raises(error, match=message):
        mean_average_precision(**{**good, **change}, ties=ties)


def test_memory_stays_far_below_queries_times_database():
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 256, (60_000, 2), dtype=np.uint8)
    labels = rng.integers(0, 10, 60_000)
    given_ = (codes[:2000], codes, labels[:2000], labels)
    average_precision(*given_)  # compile first
    tracemalloc.start()
    average_precision(*given_)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * 60_000  # one byte for each pair


@pytest.mark.parametrize("exclude_self", [False, True])
@pytest.mark.parametrize("ties", ["expected", "index"])
def test_relevance_may_be_a_function_or_a_matrix(monkeypatch, ties, exclude_self):
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 8, (30, 1), dtype=np.uint8)
    ages = rng.integers(0, 50, 30)
    queries, query_ages = (codes, ages) if exclude_self else (codes[:7], ages[:7])
    close = lambda q, d: np.abs(q[:, None] - d) < 5
    options = {"ties": ties, "exclude_self": exclude_self, "k": 9, "zero_relevant": 0}
    expected = [
        brute.average_precision_of(
            brute.stable_order(dist, near), options["k"], "min_k_r"
        )
        if ties == "index"
        else from_histograms.average_precision(
            *brute.histograms(dist, near, 9), k=options["k"], zero_relevant=0
        )[0]
        for i in range(len(queries))
        for others in [[j for j in range(30) if not (exclude_self and i == j)]]
        for dist in [[brute.distance(queries[i], codes[j]) for j in others]]
        for near in [[int(abs(query_ages[i] - ages[j]) < 5) for j in others]]
    ]
    matrix = close(query_ages, ages)
    monkeypatch.setattr(task, "_PAIRS", 30 * 4)
    for relevance, labels in (
        (close, (query_ages, ages)),
        (lambda q, d: sparse.csr_array(close(q, d)), (query_ages, ages)),
        (lambda q, d: matrix[q][:, d], (None, None)),
        (matrix, (None, None)),
        (sparse.csr_array(matrix), (None, None)),
    ):
        values = average_precision(
            queries, codes, *labels, relevance=relevance, **options
        )
        np.testing.assert_allclose(values, expected)


def test_average_by_class_needs_labels():
    codes = np.zeros((2, 1), np.uint8)
    with pytest.raises(ValueError, match="needs query_labels"):
        mean_average_precision(codes, codes, relevance=np.eye(2), average="macro_class")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mean_average_precision", {"k": 0}),
        ("mean_average_precision", {"normalizer": "k"}),
        ("precision_at_k", {"k": 0}),
        ("r_precision", {"ties": "random"}),
        ("recall_at_k", {"average": "micro"}),
        ("recall_at_radius", {"radius": -1}),
        ("ndcg", {"gain": "log"}),
        ("ndcg", {"average": "micro"}),
        ("precision_recall_by_rank", {"ranks": [0]}),
        ("precision_recall_by_radius", {"empty_ball": 1}),
    ],
)
def test_options_are_checked_before_long_work(monkeypatch, name, options):
    def work(*args, **kwargs):
        raise AssertionError("codes were scanned")

    monkeypatch.setattr(task, "histograms", work)
    monkeypatch.setattr(task, "_PAIRS", 0)
    codes = np.zeros((2, 1), np.uint8)
    with pytest.raises(ValueError):  # noqa: PT011
        getattr(metrics, name)(codes, codes, [0, 1], [0, 1], **options)
    with pytest.raises(AssertionError, match="scanned"):
        getattr(metrics, name)(codes, codes, [0, 1], [0, 1])


@pytest.mark.parametrize("n_queries", [0, 2])
def test_options_are_checked_whatever_the_number_of_queries(n_queries):
    codes, labels = np.zeros((2, 1), np.uint8), [0, 1]
    given_ = (codes[:n_queries], codes, labels[:n_queries], labels)
    with pytest.raises(ValueError, match="k must be at least 1"):
        average_precision(*given_, k=0)
    assert average_precision(*given_, k=1).shape == (n_queries,)
