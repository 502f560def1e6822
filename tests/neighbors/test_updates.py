"""Codes added, removed, named and filtered, against a database fitted anew."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming import distances
from skhash.neighbors import HammingNeighbors
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(11)
CODES = draw_codes(RNG, 300, 16, 0.1)
QUERIES = draw_codes(RNG, 20, 16, 0.1)


def assert_same_answers(left, right, queries=QUERIES):
    k = min(7, left.n_samples_fit_)
    answers = [
        (*each.kneighbors(queries, k), *each.radius_neighbors(queries, 3))
        for each in (left, right)
    ]
    for one, other in zip(*answers, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-40, 40), max_size=8), st.booleans())
def test_changes_equal_a_fit_of_the_result(changes, with_ids):
    """Positive numbers add codes, negative ones remove them."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(1000)
    rows = list(range(20))
    labels = np.arange(1000)
    neighbors = HammingNeighbors().fit(
        CODES[rows], labels[rows], ids=ids[rows] if with_ids else None
    )
    last = 20
    for change in changes:
        if change >= 0:
            more = [i % 300 for i in range(last, last + change)]
            names = list(range(last, last + change))
            if change:
                neighbors.add(
                    CODES[more], labels[names], ids[names] if with_ids else None
                )
            rows += names
            last += change
        else:
            gone = rng.choice(len(rows), min(-change, len(rows) - 1), replace=False)
            neighbors.remove(ids[np.array(rows)[gone]] if with_ids else gone)
            rows = [row for at, row in enumerate(rows) if at not in set(gone.tolist())]
    anew = HammingNeighbors().fit(
        CODES[np.array(rows) % 300],
        labels[rows],
        ids=ids[rows] if with_ids else None,
    )
    assert_same_answers(neighbors, anew)
    np.testing.assert_array_equal(neighbors.labels_, anew.labels_)
    np.testing.assert_array_equal(neighbors.codes_, anew.codes_)


def test_ids_are_returned_in_order_of_insertion():
    ids = np.array([f"item {i}" for i in RNG.permutation(300)])
    plain, named = HammingNeighbors().fit(CODES), HammingNeighbors().fit(CODES, ids=ids)
    np.testing.assert_array_equal(
        named.kneighbors(QUERIES)[1], ids[plain.kneighbors(QUERIES)[1]]
    )
    np.testing.assert_array_equal(
        named.radius_neighbors(QUERIES)[1][0],
        ids[plain.radius_neighbors(QUERIES)[1][0]],
    )
    # Graphs have one column per code, whatever its id.
    left, right = (each.kneighbors_graph(QUERIES) for each in (plain, named))
    assert (left != right).nnz == 0


@pytest.mark.parametrize("kind", ["mask", "rows", "ids"])
def test_filter_finds_all_neighbors_among_the_chosen(kind):
    mask = RNG.random(300) < 0.3
    ids = RNG.permutation(1000)[:300] if kind == "ids" else None
    chosen = {
        "mask": mask,
        "rows": RNG.permutation(np.flatnonzero(mask)),
        "ids": None if ids is None else ids[mask][::-1],
    }[kind]
    neighbors = HammingNeighbors().fit(CODES, ids=ids)
    found, indices = neighbors.kneighbors(QUERIES, 9, filter=chosen)
    for row, dist, index in zip(distances(QUERIES, CODES), found, indices, strict=True):
        order = sorted(np.flatnonzero(mask), key=lambda j: (row[j], j))[:9]
        assert dist.tolist() == row[order].tolist()
        assert index.tolist() == (order if ids is None else ids[order].tolist())


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        (np.ones(299, bool), "one value per code"),
        ([300], "from 0 to 299"),
        ([-1], "from 0 to 299"),
        (["a"], "from 0 to 299"),
        ([1, 2, 3], "n_neighbors = 5, n_samples_fit = 3"),
        (np.zeros(300, bool), "n_samples_fit = 0"),
    ],
)
def test_filter_that_cannot_be_is_refused(filter, message):
    with pytest.raises(ValueError, match=message):
        HammingNeighbors().fit(CODES).kneighbors(QUERIES, filter=filter)


def test_changes_that_do_not_fit_are_refused():
    neighbors = HammingNeighbors().fit(CODES, np.arange(300), ids=np.arange(300))
    before = neighbors.codes_
    for call, message in (
        (lambda: neighbors.add(QUERIES, np.arange(20)), "has ids"),
        (lambda: neighbors.add(QUERIES, ids=np.arange(900, 920)), "has labels"),
        (lambda: neighbors.add(QUERIES, np.arange(20), np.arange(20)), "unique"),
        (lambda: neighbors.add(QUERIES[:, :1], np.arange(20)), "features"),
        (lambda: neighbors.add(QUERIES, np.arange(19)), "inconsistent numbers"),
        (lambda: neighbors.remove([5, 777]), "No code has the id 777"),
        (lambda: HammingNeighbors().fit(CODES, ids=np.zeros(300)), "unique"),
        (lambda: HammingNeighbors().fit(CODES).add(QUERIES, ids=range(20)), "no ids"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert neighbors.codes_ is before


def test_ids_of_another_kind_are_refused():
    codes = np.arange(3, dtype=np.uint8)[:, None]
    model = HammingNeighbors().fit(codes, ids=[10, 20, 30])
    with pytest.raises(ValueError, match="ids of dtype int64, got ids of dtype <U1"):
        model.add(codes[:1], ids=["x"])
    model.add(codes[:1], ids=np.array([7], np.uint8)).remove([10])
    assert model.kneighbors([[0]], 1, return_distance=False) == [[7]]


def test_a_database_may_be_emptied_and_filled_again():
    neighbors = HammingNeighbors(n_neighbors=1).fit(CODES[:3]).remove([0, 1, 2])
    assert neighbors.n_samples_fit_ == 0
    assert neighbors.count_neighbors(QUERIES).tolist() == [0] * 20
    assert neighbors.radius_neighbors(QUERIES)[1][0].size == 0
    with pytest.raises(ValueError, match="n_samples_fit = 0"):
        neighbors.kneighbors(QUERIES)
    assert_same_answers(neighbors.add(CODES), HammingNeighbors().fit(CODES))


def test_copies_do_not_share_their_additions():
    one = HammingNeighbors().fit(CODES[:50]).add(CODES[50:60])
    shallow, deep = copy.copy(one), copy.deepcopy(one)
    stored = pickle.loads(pickle.dumps(one))
    one.add(CODES[60:80])
    for other in (shallow, deep, stored):
        other.add(CODES[80:100])
        np.testing.assert_array_equal(
            other.codes_, np.concatenate([CODES[:60], CODES[80:100]])
        )
    np.testing.assert_array_equal(one.codes_, CODES[:80])


def test_queries_see_the_database_before_or_after_a_change():
    neighbors = HammingNeighbors(n_neighbors=5).fit(CODES[:100])
    sizes = [100, *range(110, 301, 10)]
    expected = {
        HammingNeighbors().fit(CODES[:n]).kneighbors(QUERIES)[1].tobytes()
        for n in sizes
    }

    def ask(_):
        return neighbors.kneighbors(QUERIES)[1].tobytes()

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(ask, range(200))
        for n in sizes[1:]:
            neighbors.add(CODES[n - 10 : n])
        assert set(answers) <= expected


def test_many_equal_codes_are_searched_once():
    codes = CODES[RNG.integers(0, 40, 5000)]
    brute = HammingNeighbors(algorithm="brute").fit(codes)
    auto = HammingNeighbors().fit(codes)
    assert auto.info()["algorithm"] == "grouped"
    assert brute.info()["algorithm"] == "brute"
    assert brute.info()["index_bytes"] == 0
    assert_same_answers(auto, brute)
    np.testing.assert_array_equal(
        auto.count_neighbors(QUERIES), brute.count_neighbors(QUERIES)
    )
    auto.add(QUERIES)
    brute.add(QUERIES)
    assert_same_answers(auto, brute)


@pytest.mark.parametrize("algorithm", ["auto", "grouped", "multi_index", "pivot"])
def test_every_algorithm_gives_the_answers_of_brute(algorithm):
    brute = HammingNeighbors(algorithm="brute").fit(CODES)
    other = HammingNeighbors(algorithm=algorithm).fit(CODES)
    if algorithm != "auto":
        assert other.info()["algorithm"] == algorithm
        assert other.info()["index_bytes"] > 0
    for change in (
        lambda each: each,
        lambda each: each.add(QUERIES),
        lambda each: each.add(CODES[:9]),
        lambda each: each.add(CODES[9:150]),
        lambda each: each.remove(np.arange(0, 300, 3)),
        lambda each: each.remove(np.arange(each.n_samples_fit_)).add(CODES[:40]),
    ):
        assert_same_answers(change(other), change(brute))
        found = [each.kneighbors(n_neighbors=4)[1] for each in (other, brute)]
        np.testing.assert_array_equal(*found)
        counts = [each.count_neighbors(radius=3) for each in (other, brute)]
        np.testing.assert_array_equal(*counts)
