"""Every way to search keeps the contract: the answers of loops, the same methods."""

import numpy as np
import pytest

from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.indexes import ALGORITHMS
from skhash.hamming.indexes.auto import searcher_for
from skhash.hamming.indexes.base import Searcher
from skhash.hamming.indexes.joined import extended
from skhash.neighbors import HammingNeighbors
from tests.hamming.brute import distance_matrix, draw_codes, ranked

RNG = np.random.default_rng(5)
# 5 bytes are no whole machine words; the second half repeats the first, so all tie.
HALF = draw_codes(RNG, 60, 40, 0.2)
CODES = np.concatenate([HALF, HALF])
QUERIES = draw_codes(RNG, 9, 40, 0.2)
RADIUS = 14


def check(searcher, codes):
    """Compare all answers with loops over a matrix of distances."""
    matrix = distance_matrix(QUERIES, codes)
    near, items = searcher.nearest(QUERIES, 7, n_jobs=1)
    found = searcher.within(QUERIES, RADIUS, n_jobs=1)
    parts = list(searcher.parts_within(QUERIES, RADIUS, 40, n_jobs=1))
    counts = searcher.count_within(QUERIES, RADIUS, n_jobs=1)
    for q, row in enumerate(matrix):
        order = ranked(row)
        assert items[q].tolist() == order[:7]
        assert near[q].tolist() == row[order[:7]].tolist()
        inside = [i for i in order if row[i] <= RADIUS]
        mine = slice(found[0][q], found[0][q + 1])
        assert found[2][mine].tolist() == inside
        assert found[1][mine].tolist() == row[inside].tolist()
        assert counts[q] == len(inside)
    assert np.concatenate([part[2] for part in parts]).tolist() == found[2].tolist()
    assert all(len(part[0]) == 2 or part[0][-1] <= 40 for part in parts)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_answers_are_those_of_loops(name):
    if name == "torch":
        pytest.importorskip("torch")
    way = ALGORITHMS[name]
    searcher = way(CODES, n_jobs=1)
    assert issubclass(way, Searcher)
    assert way.name == name
    assert searcher.n_bytes >= 0
    check(searcher, CODES)
    keep = np.arange(len(CODES)) % 3 > 0
    for codes in (None, CODES[keep]):
        part = searcher.without(keep, codes)
        if part is not None:
            check(part, CODES[keep])
    rest, start = searcher.from_row(50)
    found = rest.within(QUERIES, 40)[2]
    assert set(range(50, len(CODES))) <= set((found + start).tolist())


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - {"torch"}))
def test_few_added_codes_are_scanned_beside_an_index(name):
    searcher = extended(ALGORITHMS[name](CODES[:100]), 100, CODES)
    assert searcher.name == name
    check(searcher, CODES)
    assert extended(searcher, len(CODES), np.concatenate([CODES, CODES])) is None


def test_few_or_random_codes_suit_no_index():
    random = RNG.integers(0, 256, (5000, 8), dtype=np.uint8)
    for codes in (CODES, random):
        assert not any(way.suits(codes, n_jobs=1) for way in ALGORITHMS.values())
    assert ALGORITHMS["grouped"].suits(random[:9].repeat(500, axis=0))
    assert ALGORITHMS["multi_index"].suits(random, 1)
    assert not ALGORITHMS["multi_index"].suits(random, 30)


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - {"torch"}))
def test_without_kernels_answers_are_the_same(name):
    with forced_engine("numpy"):
        check(ALGORITHMS[name](CODES), CODES)
        searcher = searcher_for(CODES, name, 1)
        assert searcher.name == ("brute" if name == "pivot" else name)
        check(searcher, CODES)


def test_users_are_told_of_every_algorithm():
    for name in ALGORITHMS:
        assert f'"{name}"' in HammingNeighbors.__doc__
