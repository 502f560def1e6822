"""The plain twin against loops over bits."""

import numpy as np
import pytest

from skhash.hamming.engine import plain
from tests.hamming.brute import N_BITS, distance_matrix, draw_codes, ranked


@pytest.fixture(params=N_BITS, ids=lambda n_bits: f"{n_bits}-bits")
def search(request):
    rng = np.random.default_rng(request.param)
    both = draw_codes(rng, 27, request.param, 0.1)
    return both[:5], both[5:]


def test_distances_count_differing_bits(search):
    found = plain.distances(*search)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, distance_matrix(*search))


@pytest.mark.parametrize("k", [1, 4, 22])
def test_nearest_are_in_order_of_distance_and_index(search, k):
    distances, indices = plain.nearest(*search, k)
    for i, row in enumerate(distance_matrix(*search)):
        order = ranked(row)[:k]
        assert indices[i].tolist() == order
        assert distances[i].tolist() == [row[j] for j in order]


@pytest.mark.parametrize("radius", [0, 1, 20, 5000])
def test_within_finds_all_up_to_the_radius(search, radius):
    indptr, distances, indices = plain.within(*search, radius)
    for i, row in enumerate(distance_matrix(*search)):
        order = [j for j in ranked(row) if row[j] <= radius]
        mine = slice(indptr[i], indptr[i + 1])
        assert indices[mine].tolist() == order
        assert distances[mine].tolist() == [row[j] for j in order]


def test_histograms_count_each_distance(search):
    classes = np.arange(5) % 3, np.arange(22) % 3
    multi_hot = np.eye(3, dtype=bool)[classes[0]], np.eye(3, dtype=bool)[classes[1]]
    n_total, n_relevant = plain.relevant_histograms(*search, *classes)
    expected = np.zeros((2, *n_total.shape), int)
    for i, row in enumerate(distance_matrix(*search)):
        for j, distance in enumerate(row):
            expected[0, i, distance] += 1
            expected[1, i, distance] += classes[0][i] == classes[1][j]
    np.testing.assert_array_equal([n_total, n_relevant], expected)
    np.testing.assert_array_equal(plain.histograms(*search), expected[0])
    again = plain.relevant_histograms(*search, *multi_hot)
    np.testing.assert_array_equal(again, expected)


def test_memory_budget_does_not_change_answers(search, monkeypatch):
    whole = plain.nearest(*search, 7), plain.within(*search, 9)
    monkeypatch.setattr(plain, "BUDGET", 1)
    parts = plain.nearest(*search, 7), plain.within(*search, 9)
    for left, right in zip(whole, parts, strict=True):
        for one, other in zip(left, right, strict=True):
            np.testing.assert_array_equal(one, other)
