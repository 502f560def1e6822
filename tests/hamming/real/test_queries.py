"""Queries on a grid: near to what they were, and each on its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming.real import rounding
from skhash.hamming.real.queries import on_grid
from tests.hamming.real.loops import rounded

BITS = range(1, 9)
relaxed = settings(deadline=None, max_examples=80)


def back(grid):
    """Queries from their levels."""
    return grid.steps[:, None] * (grid.levels - grid.most / 2)


@relaxed
@given(st.integers(0, 2**32 - 1), st.sampled_from(BITS), st.sampled_from([1, 5, 200]))
def test_grid_is_that_of_the_loop(seed, query_bits, n_bits):
    rng = np.random.default_rng(seed)
    queries = rng.normal(size=(3, n_bits)) * 10.0 ** rng.integers(-9, 9)
    queries[0] = rng.integers(-1, 2, n_bits)
    grid = on_grid(queries, query_bits)
    assert grid.levels.max() <= grid.most == 2**query_bits - 1
    for row, query in zip(back(grid), queries, strict=True):
        np.testing.assert_allclose(row, rounded(query, query_bits), rtol=1e-12)


@relaxed
@given(st.integers(0, 2**32 - 1), st.sampled_from(BITS), st.sampled_from([1, 5, 200]))
def test_kernel_equals_the_twin(seed, query_bits, n_bits):
    rng = np.random.default_rng(seed)
    queries = rng.normal(size=(9, n_bits)) * 10.0 ** rng.integers(-200, 150, (9, 1))
    queries[:3] = rng.integers(-1, 2, (3, n_bits))
    queries[3] = 0
    found = rounding.on_grid(queries, query_bits)
    for left, right in zip(found, on_grid(queries, query_bits), strict=True):
        assert np.asarray(left).dtype == np.asarray(right).dtype
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("query_bits", BITS)
def test_a_query_is_rounded_on_its_own(query_bits):
    queries = np.random.default_rng(0).normal(size=(50, 99))
    queries[7] *= 1e30
    together = on_grid(queries, query_bits)
    for i in range(len(queries)):
        alone = on_grid(queries[i : i + 1], query_bits)
        for left, right in zip(alone[:3], together[:3], strict=True):
            np.testing.assert_array_equal(left[0], right[i])


@pytest.mark.parametrize("query_bits", BITS)
def test_product_with_the_query_is_kept(query_bits):
    queries = np.random.default_rng(1).normal(size=(20, 64))
    products = (back(on_grid(queries, query_bits)) * queries).sum(axis=1)
    np.testing.assert_allclose(products, (queries * queries).sum(axis=1), rtol=1e-12)


def test_more_bits_are_nearer():
    queries = np.random.default_rng(2).normal(size=(200, 256))
    errors = [np.square(back(on_grid(queries, b)) - queries).mean() for b in BITS]
    assert errors == sorted(errors, reverse=True)
    # The best grid for normal values errs by 0.0115.
    assert errors[3] < 0.013
    assert errors[7] < 1e-4


@pytest.mark.parametrize("query_bits", BITS)
@pytest.mark.parametrize("value", [0.0, 5e-324, 1e-200])
def test_zeros_and_the_smallest_numbers_have_a_grid(value, query_bits):
    grid = on_grid(np.full((2, 9), value), query_bits)
    assert np.isfinite(grid.steps).all()
    assert (grid.steps >= 0).all()


@pytest.mark.parametrize("query_bits", BITS)
def test_constant_query_stays_constant(query_bits):
    grid = on_grid(np.full((1, 9), -3.0), query_bits)
    np.testing.assert_allclose(back(grid), -3.0, rtol=1e-12)


def test_one_bit_is_the_sign():
    queries = np.random.default_rng(3).normal(size=(9, 33))
    np.testing.assert_array_equal(on_grid(queries, 1).levels, queries > 0)


def test_signs_lose_nothing():
    signs = np.sign(np.random.default_rng(4).normal(size=(5, 100)))
    for query_bits in BITS:
        np.testing.assert_allclose(back(on_grid(signs, query_bits)), signs, rtol=1e-12)
