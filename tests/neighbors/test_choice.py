"""What "auto" chooses, and that its choice changes no answer."""

import pickle
import re

import numpy as np
import pytest

from skhash import progress
from skhash.hamming import GroupedCodes, MultiIndex
from skhash.hamming.indexes import auto, groups, pivots
from skhash.hamming.indexes.scan import Scan
from skhash.neighbors import (
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
    _pairs,
    _radius,
    _search,
)
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(2)
RANDOM = RNG.integers(0, 256, (9000, 8), dtype=np.uint8)


def clustered(n, flips, n_centres=20, n_bits=64):
    centres = RNG.random((n_centres, n_bits)) < 0.5
    bits = centres[RNG.integers(0, n_centres, n)] ^ (RNG.random((n, n_bits)) < flips)
    return np.packbits(bits, axis=1)


@pytest.fixture
def small(monkeypatch):
    """Indexes are thought about for few codes, and kept however long they take."""
    monkeypatch.setattr(pivots, "LARGE", 4000)
    monkeypatch.setattr(pivots, "SAMPLE", 2000)
    monkeypatch.setattr(pivots, "least_seconds", lambda *calls: (1.0, 2.0))


@pytest.mark.parametrize(
    ("codes", "algorithm"),
    [
        (RANDOM, "brute"),
        (clustered(9000, 0.02), "pivot"),
        (clustered(9000, 0.3), "brute"),
        (RANDOM[RNG.integers(0, 300, 9000)], "grouped"),
        (np.full((9000, 8), 7, np.uint8), "grouped"),
        (RANDOM[:2000].repeat(2, axis=0), "brute"),
        (RANDOM[:1000, :5].repeat(8, axis=0), "grouped"),
        (RANDOM[:10].repeat(9, axis=0), "brute"),
    ],
    ids=["random", "near", "far", "repeated", "equal", "twice", "eight times", "few"],
)
def test_auto_takes_what_pays(small, monkeypatch, codes, algorithm):
    monkeypatch.setattr("skhash.hamming.indexes.pivots.SCAN_ADVANTAGE", 2)
    fitted = HammingNeighbors().fit(codes)
    assert fitted.info()["algorithm"] == algorithm
    brute = HammingNeighbors(algorithm="brute").fit(codes)
    for left, right in zip(
        fitted.kneighbors(codes[:30]), brute.kneighbors(codes[:30]), strict=True
    ):
        np.testing.assert_array_equal(left, right)


def test_an_index_that_is_slower_is_not_kept(small, monkeypatch):
    monkeypatch.setattr("skhash.hamming.indexes.pivots.SCAN_ADVANTAGE", 2)
    monkeypatch.setattr(pivots, "least_seconds", lambda *calls: (2.0, 2.0))
    fitted = HammingNeighbors().fit(clustered(9000, 0.02))
    assert fitted.info()["algorithm"] == "brute"


@pytest.mark.parametrize("n_kinds", [1, 2, 100, 4000, 16000])
def test_repetition_is_judged_by_all_codes(n_kinds):
    """A sample of 4096 of these hardly meets a code twice."""
    kinds = RNG.integers(0, 256, (n_kinds, 9), dtype=np.uint8)
    codes = kinds[np.arange(40000) % n_kinds]
    repeated = 4 * len(np.unique(codes, axis=0)) <= len(codes)
    assert groups.mostly_repeated(codes) == repeated


def test_work_of_pivots_is_less_where_codes_are_nearer(small):
    work = [
        pivots.predicted_work(clustered(9000, flips), 1) for flips in (0.01, 0.1, 0.4)
    ]
    assert work == sorted(work)
    assert work[2] == pytest.approx(1.15)


@pytest.mark.parametrize("n_queries", [5, 4000])
def test_many_queries_build_tables_for_the_call(n_queries, monkeypatch):
    scan = Scan(RANDOM)
    searcher = auto.for_a_call(scan, 1, n_queries, 1)
    assert isinstance(searcher, MultiIndex) == (n_queries == 4000)
    assert auto.for_a_call(scan, 60, n_queries, 1) is scan
    grouped = GroupedCodes(RANDOM)
    assert auto.for_a_call(grouped, 1, n_queries, 1) is grouped
    monkeypatch.setattr(auto, "MOST_BYTES", RANDOM.nbytes - 1)
    assert auto.for_a_call(scan, 1, n_queries, 1) is scan
    monkeypatch.undo()
    # In one dense cluster every list is long.
    dense = draw_codes(RNG, 9000, 64, 0.001)
    assert auto.for_a_call(Scan(dense), 1, 9000, 1).codes is dense


@pytest.mark.parametrize("radius", [2, 3])
def test_tables_for_a_call_change_no_answer(radius):
    codes = np.concatenate([RANDOM, RANDOM[::7] ^ np.uint8([1, 0, 0, 0, 0, 0, 0, 64])])
    auto = HammingNeighbors(radius=radius).fit(codes)
    brute = HammingNeighbors(radius=radius, algorithm="brute").fit(codes)
    graphs = [each.radius_neighbors_graph(mode="distance") for each in (auto, brute)]
    for part in ("data", "indices", "indptr"):
        left, right = (getattr(graph, part) for graph in graphs)
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(auto.count_neighbors(), brute.count_neighbors())
    pairs = [np.hstack(list(each.pairs())) for each in (auto, brute)]
    np.testing.assert_array_equal(*pairs)
    assert pairs[0].shape[1] == 1286
    searcher = auto._database.searcher_within(radius, len(codes), 1)
    assert isinstance(searcher, MultiIndex)
    searcher = brute._database.searcher_within(radius, len(codes), 1)
    assert isinstance(searcher, Scan)


def test_pairs_in_tables_come_once(monkeypatch):
    monkeypatch.setattr(_pairs, "ROWS", 100)
    codes = np.concatenate([RANDOM[:3000], RANDOM[:50], RANDOM[:50]])
    found = np.hstack(list(HammingNeighbors(radius=0).fit(codes).pairs()))
    expected = [(i, 3000 + i, 0) for i in range(50)]
    expected = sorted([*expected, *((i, 3050 + i, 0) for i in range(50))])
    expected += [(3000 + i, 3050 + i, 0) for i in range(50)]
    assert [tuple(pair) for pair in found.T.tolist()] == expected


@pytest.mark.parametrize(
    "estimator",
    [
        HammingNeighbors(algorithm="multi_index"),
        HammingNeighborsTransformer(algorithm="multi_index"),
        HammingNeighborsClassifier(algorithm="multi_index"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_multi_index_is_an_algorithm_of_every_estimator(estimator):
    fitted = pickle.loads(pickle.dumps(estimator.fit(RANDOM[:500], np.arange(500) % 2)))
    assert isinstance(fitted._database.searcher, MultiIndex)
    # The codes are stored once.
    assert fitted._database.searcher.codes is fitted.codes_
    found = fitted.kneighbors(RANDOM[:20])
    expected = HammingNeighbors(algorithm="brute").fit(RANDOM[:500])
    for left, right in zip(found, expected.kneighbors(RANDOM[:20]), strict=True):
        np.testing.assert_array_equal(left, right)


def test_info_reports_an_index():
    info = HammingNeighbors(algorithm="multi_index").fit(RANDOM).info()
    assert info["algorithm"] == "multi_index"
    assert info["index_bytes"] > RANDOM.nbytes
    assert info["build_seconds"] > 0


def test_codes_of_odd_width_are_padded_once():
    codes = np.ascontiguousarray(RANDOM[:, :5])
    neighbors = HammingNeighbors(algorithm="brute").fit(codes)
    assert neighbors.info()["index_bytes"] == 0
    found = neighbors.kneighbors(codes[:9])
    searcher = neighbors._database.searcher
    assert searcher.whole is searcher.whole
    assert neighbors.info()["index_bytes"] == 8 * len(codes)
    assert len(pickle.dumps(searcher)) < 6 * len(codes)
    wide = np.zeros((len(codes), 8), np.uint8)
    wide[:, :5] = codes
    expected = HammingNeighbors(algorithm="brute").fit(wide)
    for left, right in zip(found, expected.kneighbors(wide[:9]), strict=True):
        np.testing.assert_array_equal(left, right)
    assert expected._database.searcher.whole is wide


def test_removal_does_not_group_again(monkeypatch):
    codes = RANDOM[RNG.integers(0, 40, 5000)]
    neighbors = HammingNeighbors(algorithm="grouped").fit(codes)
    expected = HammingNeighbors(algorithm="brute").fit(codes)

    def refuse(*args, **kwargs):
        raise AssertionError("built anew")

    monkeypatch.setattr("skhash.neighbors._database.searcher_for", refuse)
    for each in (neighbors, expected):
        each.remove(np.arange(0, 5000, 3)).add(RANDOM[:50]).remove([5, 3340])
    assert neighbors.info()["algorithm"] == "grouped"
    for left, right in zip(
        neighbors.kneighbors(RANDOM[:50], 60),
        expected.kneighbors(RANDOM[:50], 60),
        strict=True,
    ):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("verbose", [0, 1])
def test_long_work_is_told_of(verbose, monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setattr(progress, "INTERVAL", 0)
    monkeypatch.setattr(_search, "TOGETHER", 100)
    monkeypatch.setattr(_radius, "TOGETHER", 100)
    neighbors = HammingNeighbors(verbose=verbose).fit(RANDOM[:500])
    built = capsys.readouterr().out.splitlines()
    found = neighbors.kneighbors(RANDOM[:250], 7)
    searched = capsys.readouterr().out.splitlines()
    graph = neighbors.radius_neighbors_graph(RANDOM[:250], radius=20)
    within = capsys.readouterr().out.splitlines()
    list(neighbors.pairs(3))
    compared = capsys.readouterr().out.splitlines()
    expected = HammingNeighbors().fit(RANDOM[:500]).kneighbors(RANDOM[:250], 7)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(left, right)
    quiet = HammingNeighbors().fit(RANDOM[:500])
    expected = quiet.radius_neighbors_graph(RANDOM[:250], radius=20)
    assert expected.nnz > 250
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(graph, part), getattr(expected, part))
    if not verbose:
        assert [*built, *searched, *within, *compared] == []
        return
    assert re.fullmatch(r"building an index of 500 codes: done in \d+\.\d s", built[-1])
    for told in (searched, within):
        shares = [re.match(r"searching \|.*\| +(\d+) %", line) for line in told[:-1]]
        assert [int(share[1]) for share in shares] == [33, 67, 100]
        assert re.fullmatch(r"searching: done in \d+\.\d s", told[-1])
    assert re.fullmatch(r"comparing: done in \d+\.\d s", compared[-1])


def test_graphs_and_votes_are_told_of(monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setattr(_search, "TOGETHER", 100)
    HammingNeighborsTransformer(verbose=1).fit_transform(RANDOM[:250])
    assert "searching: done" in capsys.readouterr().out
    model = HammingNeighborsClassifier(verbose=1).fit(RANDOM[:250], np.arange(250) % 3)
    assert "250 codes: done" in capsys.readouterr().out
    model.predict(RANDOM[:250])
    assert "searching: done" in capsys.readouterr().out


def test_quick_work_says_nothing(capsys):
    HammingNeighbors(verbose=1).fit(RANDOM).kneighbors(RANDOM[:9], 7)
    assert capsys.readouterr().out == ""


def test_auto_searches_a_memory_map_as_it_lies(small, monkeypatch, tmp_path):
    monkeypatch.setattr("skhash.hamming.indexes.pivots.SCAN_ADVANTAGE", 2)
    codes = clustered(9000, 0.02)
    fitted = HammingNeighbors().fit(codes)
    assert fitted.info()["algorithm"] == "pivot"
    np.save(tmp_path / "codes.npy", codes)
    model = HammingNeighbors().fit(np.load(tmp_path / "codes.npy", mmap_mode="r"))
    assert model.info()["algorithm"] == "brute"
    assert model.info()["index_bytes"] == 0
    for found, expected in zip(
        model.kneighbors(codes[:9]), fitted.kneighbors(codes[:9]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
