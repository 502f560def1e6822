"""The search by torch gives the answers of the others, on every device there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming import TorchCodes, count_within, nearest, within
from skhash.hamming.indexes import torch as by_torch
from skhash.neighbors import HammingNeighbors
from tests.hamming.brute import draw_codes, searches

torch = pytest.importorskip("torch")
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
relaxed = settings(deadline=None, max_examples=40)


def assert_same(found, expected):
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("device", DEVICES)
@relaxed
@given(search=searches(), k=st.integers(1, 300), radius=st.sampled_from([0, 3, 9999]))
def test_torch_gives_the_same_answers(device, search, k, radius):
    queries, database, _ = search
    codes = TorchCodes(database, device)
    assert len(codes) == len(database)
    if len(database):
        k = min(k, len(database))
        assert_same(codes.nearest(queries, k), nearest(queries, database, k))
    assert_same(codes.within(queries, radius), within(queries, database, radius))
    counts = count_within(queries, database, radius)
    np.testing.assert_array_equal(codes.count_within(queries, radius), counts)


@pytest.mark.parametrize("cells", [1, 500, 40000])
def test_blocks_do_not_change_answers(cells, monkeypatch):
    monkeypatch.setattr(by_torch, "CELLS", cells)
    monkeypatch.setattr(by_torch, "FEW_CELLS", cells)
    # Blocks of a single cell are many enough with few codes.
    n_queries, n = (9, 50) if cells == 1 else (60, 260)
    codes = draw_codes(np.random.default_rng(0), n, 32, 0.1)
    queries, database = codes[:n_queries], codes[n_queries:]
    torch_codes = TorchCodes(database, "cpu")
    assert_same(torch_codes.nearest(queries, 20), nearest(queries, database, 20))
    assert_same(torch_codes.within(queries, 5), within(queries, database, 5))


def test_neighbors_search_on_a_device():
    codes = draw_codes(np.random.default_rng(1), 300, 24, 0.1)
    plain = HammingNeighbors().fit(codes)
    other = HammingNeighbors(algorithm="torch").fit(codes)
    assert other.info()["algorithm"] == "torch"
    assert_same(other.kneighbors(codes[:9]), plain.kneighbors(codes[:9]))
    assert_same(other.kneighbors(), plain.kneighbors())
    np.testing.assert_array_equal(other.count_neighbors(), plain.count_neighbors())


def test_read_only_codes_and_bad_input():
    codes = draw_codes(np.random.default_rng(1), 30, 24, 0.1)
    codes.flags.writeable = False
    database = TorchCodes(codes, "cpu")
    with pytest.raises(ValueError, match="k = 31, n_samples_fit = 30"):
        database.nearest(codes, 31)
    with pytest.raises(ValueError, match="3 bytes wide"):
        database.within(codes[:, :2], 1)
