"""The public search by real queries: what it takes, and what it refuses."""

import numpy as np
import pytest

from skhash.hamming import Factors, estimate_factors, nearest_real, pack
from skhash.hamming.asymmetric import nearest_lower, within_lower
from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.real import rounding, scan


@pytest.fixture
def search():
    """(queries, codes, factors) of a rotation of the plane's points, 12 bits."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 12))
    center = X.mean(axis=0)
    rotation = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    z = (X - center) @ rotation
    return z[:6], pack(z > 0), estimate_factors(z, X, "euclidean", center=center)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_an_item_is_near_to_itself(search, engine):
    queries, codes, factors = search
    with forced_engine(engine):
        values, indices = nearest_real(queries, codes, factors, 10, query_bits=8)
    assert (values.dtype, indices.dtype) == (np.float64, np.int64)
    assert values.shape == indices.shape == (6, 10)
    # The estimate of a product with oneself is exact.
    for i in range(6):
        own = values[i][indices[i] == i]
        np.testing.assert_allclose(own, 0, atol=0.3)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_equal_values_come_by_index(engine):
    codes = np.zeros((300, 2), np.uint8)
    factors = Factors(np.zeros((300, 3)), "inner_product")
    with forced_engine(engine):
        for k in (1, 5, 300):
            _, indices = nearest_real(np.ones((2, 16)), codes, factors, k)
            assert indices.tolist() == [list(range(k))] * 2


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("query_bits", [1, 4, 8])
def test_a_query_of_zeros_is_answered_by_offsets(search, engine, query_bits):
    _, codes, factors = search
    with forced_engine(engine):
        values, indices = nearest_real(
            np.zeros((1, 12)), codes, factors, 50, query_bits=query_bits
        )
    offsets = factors.table[:, 1].astype(float)
    np.testing.assert_array_equal(indices[0], np.argsort(offsets, kind="stable"))
    np.testing.assert_array_equal(values[0], np.sort(offsets))


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_bits_behind_the_last_do_not_count(search, engine):
    queries, codes, factors = search
    dirty = codes | np.array([0, 0b1111], np.uint8)
    with forced_engine(engine):
        found = nearest_real(queries, dirty, factors, 50)
        expected = nearest_real(queries, codes, factors, 50)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int32, list])
def test_queries_of_any_real_dtype_will_do(search, dtype):
    _, codes, factors = search
    queries = np.arange(24).reshape(2, 12) - 11
    given = queries.tolist() if dtype is list else queries.astype(dtype)
    found = nearest_real(given, codes, factors, 5)
    np.testing.assert_array_equal(
        found, nearest_real(queries.astype(float), codes, factors, 5)
    )


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_no_queries_have_no_answers(search, engine):
    _, codes, factors = search
    none = np.empty((0, 12))
    with forced_engine(engine):
        values, indices = nearest_real(none, codes, factors, 3, n_jobs=2)
        bounds, items, offsets = within_lower(none, codes, factors, [], [], n_jobs=2)
    assert values.shape == indices.shape == (0, 3)
    assert (len(bounds), len(items), offsets.tolist()) == (0, 0, [0])


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_no_items_are_within_nothing(engine):
    factors = Factors(np.empty((0, 3)), "cosine")
    with forced_engine(engine):
        bounds, items, offsets = within_lower(
            np.ones((2, 9)), np.empty((0, 2), np.uint8), factors, [1, np.inf], [0, 0]
        )
    assert (len(bounds), len(items), offsets.tolist()) == (0, 0, [0, 0, 0])


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_read_only_and_unaligned_arrays_are_read(search, engine):
    queries, codes, factors = search
    room = np.zeros(codes.size + 1, np.uint8)
    shifted = room[1:].reshape(codes.shape)
    shifted[:] = codes
    shifted.setflags(write=False)
    rows = Factors(np.ascontiguousarray(factors.table), factors.metric)
    with forced_engine(engine):
        found = nearest_real(queries, shifted, rows, 9)
        expected = nearest_real(queries, codes, factors, 9)
    np.testing.assert_array_equal(found, expected)


def test_kernels_are_compiled_once(search):
    queries, codes, factors = search
    assert factors.table.T.flags.c_contiguous  # read where it lies
    locked = [each.copy() for each in (queries, codes, factors.table)]
    for each in locked:
        each.setflags(write=False)
    for some in (queries, queries.astype("f4"), np.asfortranarray(queries), locked[0]):
        for table in (factors.table, locked[2], np.ascontiguousarray(factors.table)):
            for each in (codes, locked[1]):
                made = Factors(table, factors.metric)
                limits = np.repeat(np.ones(6), 2)[::2]
                nearest_lower(some, each, made, 3, limits, n_jobs=1)
                within_lower(some, each, made, limits, limits, n_jobs=1)
    for kernel in (scan.nearest_of_span, scan.within_of_span, rounding.round_rows):
        assert len(kernel.signatures) == 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"queries": np.full((1, 12), np.nan)}, ValueError, "first in row 0"),
        ({"queries": np.full((1, 12), np.inf)}, ValueError, "NaN or infinity"),
        ({"queries": np.full((1, 12), 1e200)}, ValueError, "scale them"),
        ({"queries": np.full((1, 12), 1e100)}, ValueError, "scale them"),
        ({"queries": np.ones(12)}, ValueError, "2D array as queries"),
        ({"queries": np.ones((1, 12), np.uint8)}, ValueError, "queries are codes"),
        ({"queries": np.ones((1, 12), bool)}, ValueError, "queries are codes"),
        ({"queries": np.full((1, 12), "a")}, ValueError, "real numbers"),
        ({"queries": np.ones((1, 20))}, ValueError, "3 bytes wide, got 2"),
        ({"queries": np.ones((1, 8))}, ValueError, "1 bytes wide, got 2"),
        ({"codes": np.ones((50, 2)) / 3}, ValueError, "codes"),
        ({"codes": np.zeros((49, 2), np.uint8)}, ValueError, "50 of them and 49"),
        ({"factors": np.ones((50, 3))}, TypeError, "estimate_factors"),
        ({"k": 0}, ValueError, "k > 0"),
        ({"k": 51}, ValueError, "k = 51"),
        ({"k": 2.0}, TypeError, "k does not take"),
        ({"query_bits": 0}, ValueError, "1 to 8, got 0"),
        ({"query_bits": 9}, ValueError, "1 to 8, got 9"),
        ({"query_bits": True}, TypeError, "must be an integer"),
        ({"query_bits": 4.0}, TypeError, "must be an integer"),
        ({"n_jobs": 0}, ValueError, "n_jobs"),
    ],
)
def test_what_cannot_be_searched_is_refused(search, change, error, message):
    names = ("queries", "codes", "factors")
    given = dict(zip(names, search, strict=True)) | {"k": 3} | change
    with pytest.raises(error, match=message):
        nearest_real(**given)


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        (np.ones(5), r"each query, shape \(6,\), got shape \(5,\)"),
        (1.0, "each query"),
        (-np.ones(6), "0 or more"),
        (np.full(6, np.nan), "0 or more"),
        (np.full(6, np.inf), "finite"),
    ],
)
def test_widths_are_checked(search, widths, message):
    with pytest.raises(ValueError, match=message):
        nearest_lower(*search, 3, widths)
    with pytest.raises(ValueError, match=message):
        within_lower(*search, np.ones(6), widths)


@pytest.mark.parametrize("limits", [np.ones(5), np.full(6, np.nan)])
def test_limits_are_checked(search, limits):
    with pytest.raises(ValueError, match="limits must"):
        within_lower(*search, limits, np.ones(6))
