"""The search by real queries: kernels, their plain twin, and loops over bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhash.hamming.asymmetric import nearest_lower, nearest_real, within_lower
from skhash.hamming.engine import compiled, plain
from skhash.hamming.engine.choose import forced_engine
from skhash.hamming.real import scan
from skhash.hamming.real.queries import on_grid
from skhash.hamming.threads import count
from tests.hamming.brute import THREADS, ranked
from tests.hamming.real.loops import CONSTANTS, draw, estimates, rounded, searches

ENGINES = ["numba", "numpy"]
relaxed = settings(deadline=None, max_examples=60)
query_bits_of = st.integers(1, 8)


@pytest.fixture(autouse=True, scope="module")
def small_work_is_split():
    """Let the threads have work that would be too little for them."""
    patch = pytest.MonkeyPatch()
    patch.setattr(count, "THREAD_WORDS", 1)
    yield
    patch.undo()


def asked(search, query_bits):
    """What an engine is asked: a grid, codes, a table and constants."""
    queries, _, codes, factors, _ = search
    grid = on_grid(queries, query_bits)
    return grid, codes, factors.table, CONSTANTS[factors.metric] * grid.squares


def assert_same(found, expected):
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


@relaxed
@given(
    searches(), query_bits_of, st.sampled_from(THREADS), st.sampled_from([1, 7, 999])
)
def test_nearest_equal_the_twin(search, query_bits, n_threads, k):
    question = asked(search, query_bits)
    widths = search[4].random(len(search[0])) * search[4].integers(0, 2)
    k = min(k, len(search[2]))
    found = compiled.nearest_lower(*question, widths, k, n_threads)
    assert_same(found, plain.nearest_lower(*question, widths, k))


@relaxed
@given(searches(), query_bits_of, st.sampled_from(THREADS), st.floats(0, 1))
def test_within_equals_the_twin(search, query_bits, n_threads, share):
    question, rng = asked(search, query_bits), search[4]
    widths = rng.random(len(search[0]))
    everything, _ = plain.nearest_lower(*question, widths, len(search[2]))
    limits = np.quantile(everything, share, axis=1)
    limits[: len(limits) // 3] = [np.inf, -np.inf, 0.0][rng.integers(3)]
    found = compiled.within_lower(*question, widths, limits, n_threads)
    assert_same(found, plain.within_lower(*question, widths, limits))


@pytest.mark.parametrize("n_bits", [3, 8, 31, 32, 40, 64, 72, 128, 200, 256, 4096])
def test_many_codes_equal_the_twin(n_bits):
    # Several blocks, whole and not, and more queries than share a pass.
    rng = np.random.default_rng(n_bits)
    search = *draw(rng, 40, 1337, n_bits), rng
    for query_bits, k in ((4, 2), (4, 700), (8, 30)):
        question, widths = asked(search, query_bits), np.ones(40)
        expected = plain.nearest_lower(*question, widths, k)
        for n_threads in (1, 2, 5):
            found = compiled.nearest_lower(*question, widths, k, n_threads)
            assert_same(found, expected)


@pytest.mark.parametrize("kind", ["normal", "few"])
@pytest.mark.parametrize("turn", [1, -1])
def test_values_in_any_order_equal_the_twin(kind, turn):
    # Ever lower values fill the candidates again and again.
    rng = np.random.default_rng(0)
    queries, _, codes, factors = draw(rng, 3, 3000, 16, kind)
    order = np.argsort(turn * factors.table[:, 1], kind="stable")
    search = queries * 0.01, None, codes[order], factors.subset(order), rng
    question, widths = asked(search, 4), np.zeros(3)
    for k in (1, 3, 64, 65, 1000, 3000):
        expected = plain.nearest_lower(*question, widths, k)
        assert_same(compiled.nearest_lower(*question, widths, k), expected)


def test_one_query_is_shared_by_threads():
    rng = np.random.default_rng(0)
    search = *draw(rng, 1, 1000, 64, "few"), rng
    question = asked(search, 4)
    for k in (1, 40, 400, 1000):
        expected = plain.nearest_lower(*question, np.zeros(1), k)
        for n_threads in (2, 3, 7):
            found = compiled.nearest_lower(*question, np.zeros(1), k, n_threads)
            assert_same(found, expected)


@pytest.mark.parametrize("engine", ENGINES)
@relaxed
@given(search=searches(max_items=60, max_queries=4), query_bits=query_bits_of)
def test_values_are_those_of_the_rounded_query(engine, search, query_bits):
    queries, bits, codes, factors, _ = search
    with forced_engine(engine):
        values, indices = nearest_real(
            queries, codes, factors, len(codes), query_bits=query_bits
        )
    # The constant is that of the query before it was rounded.
    grid = np.array([rounded(row, query_bits) for row in queries])
    grid = grid.reshape(queries.shape)
    change = (queries**2).sum(axis=1) - (grid**2).sum(axis=1)
    expected = estimates(grid, bits, factors)
    expected += CONSTANTS[factors.metric] * change[:, None]
    close = {"rtol": 1e-9, "atol": 1e-9 * queries.shape[1]}
    ordered = np.take_along_axis(expected, indices, axis=1)
    np.testing.assert_allclose(values, ordered, **close)
    # The order is that of the values, equal ones by index.
    for row, order in zip(values, indices, strict=True):
        by_index = row[np.argsort(order)]
        assert order.tolist() == ranked(by_index)


@relaxed
@given(searches(max_items=60, max_queries=4), query_bits_of)
def test_rounding_loses_no_more_than_it_may(search, query_bits):
    queries, bits, codes, factors, _ = search
    values, indices = nearest_real(
        queries, codes, factors, len(codes), query_bits=query_bits
    )
    exact = np.take_along_axis(estimates(queries, bits, factors), indices, axis=1)
    for q, query in enumerate(queries):
        moved = np.abs(query - rounded(query, query_bits)).sum()
        slopes = np.abs(factors.table[indices[q], 0]).astype(float)
        assert (
            np.abs(values[q] - exact[q]) <= slopes * moved * (1 + 1e-9) + 1e-9
        ).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_lower_bounds_are_values_less_errors(engine):
    rng = np.random.default_rng(0)
    queries, _, codes, factors = draw(rng, 5, 80, 100)
    widths, k = rng.random(5), len(codes)
    with forced_engine(engine):
        values, order = nearest_real(queries, codes, factors, k)
        bounds, indices = nearest_lower(queries, codes, factors, k, widths)
        limits = bounds[:, 20]
        found, items, offsets = within_lower(queries, codes, factors, limits, widths)
    for q in range(5):
        row = np.empty(k)
        row[order[q]] = values[q]
        row -= widths[q] * factors.table[:, 2].astype(float)
        assert indices[q].tolist() == ranked(row)
        np.testing.assert_array_equal(bounds[q], row[indices[q]])
        mine = slice(offsets[q], offsets[q + 1])
        assert items[mine].tolist() == np.flatnonzero(row <= limits[q]).tolist()
        np.testing.assert_array_equal(found[mine], row[items[mine]])


@pytest.mark.parametrize("query_bits", [1, 4, 8])
def test_an_answer_hangs_on_its_query_alone(query_bits, monkeypatch):
    rng = np.random.default_rng(1)
    queries, _, codes, factors = draw(rng, 67, 700, 96, "few")
    options = {"query_bits": query_bits}
    expected = nearest_real(queries, codes, factors, 25, n_jobs=1, **options)
    for step in (1, 2, 30):
        parts = [
            nearest_real(queries[at : at + step], codes, factors, 25, **options)
            for at in range(0, len(queries), step)
        ]
        assert_same(map(np.concatenate, zip(*parts, strict=True)), expected)
    turned = np.asfortranarray(queries[::-1])
    found = nearest_real(turned, codes, factors, 25, **options)
    assert_same([each[::-1] for each in found], expected)
    for n_jobs in (2, 3, -1):
        found = nearest_real(queries, codes, factors, 25, n_jobs=n_jobs, **options)
        assert_same(found, expected)
    monkeypatch.setattr(scan, "QUERIES", 3)
    assert_same(nearest_real(queries, codes, factors, 25, **options), expected)
