"""Factors against their formulas, and the error against what happens."""

import math
import pickle

import numpy as np
import pytest
from scipy.special import erf
from sklearn.datasets import load_digits

from skhash.hamming import Factors, estimate_factors
from skhash.hamming.real import factors as module

METRICS = ["euclidean", "cosine", "inner_product"]


def by_hand(z, x, center, metric):
    """Slope, offset and error of one item, by the formulas."""
    norm, total = math.sqrt(math.fsum(z * z)), math.fsum(abs(z))
    moved = x - center
    f, error, n_bits = 0.0, 0.0, len(z)
    if total > 0:
        f, c = norm**2 / total, total / (math.sqrt(n_bits) * norm)
        if n_bits > 1:
            error = norm * math.sqrt(max(1 / c**2 - 1, 0) / (n_bits - 1))
    square = math.fsum(moved * moved)
    return {
        "euclidean": (-2 * f, square, 2 * error),
        "cosine": (-f, square / 2, error),
        "inner_product": (-f, -math.fsum(moved * center), error),
    }[metric]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_bits", [1, 2, 64, 300])
@pytest.mark.parametrize("given", [False, True])
def test_factors_are_those_of_the_formulas(metric, n_bits, given, monkeypatch):
    monkeypatch.setattr(module, "STEP", 7)
    rng = np.random.default_rng(n_bits)
    X, z = rng.normal(size=(20, 30)) + 1, rng.normal(size=(20, n_bits))
    z[3] = 0
    center = rng.normal(size=30) if given else X.mean(axis=0)
    factors = estimate_factors(z, X, metric, center=center if given else None)
    assert (factors.table.dtype, factors.metric, len(factors)) == ("f4", metric, 20)
    expected = [by_hand(*row, center, metric) for row in zip(z, X, strict=True)]
    np.testing.assert_allclose(factors.table, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_factors_of_an_item_hang_on_the_item_alone(metric):
    rng = np.random.default_rng(0)
    X, z, center = rng.normal(size=(60, 301)), rng.normal(size=(60, 257)), np.ones(301)
    expected = estimate_factors(z, X, metric, center=center).table
    turned = [np.asfortranarray(each) for each in (z, X)]
    found = [estimate_factors(*turned, metric, center=center).table]
    for at in range(60):
        one = slice(at, at + 1)
        found.append(estimate_factors(z[one], X[one], metric, center=center).table)
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(np.concatenate(found[1:]), expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_any_real_dtype_will_do(dtype):
    X = np.random.default_rng(0).integers(-9, 10, (12, 8))
    found = estimate_factors((X * 2).astype(dtype), X.astype(dtype), "euclidean")
    expected = estimate_factors(X * 2.0, X * 1.0, "euclidean")
    np.testing.assert_array_equal(found.table, expected.table)


def test_no_items_have_no_factors():
    assert len(estimate_factors(np.empty((0, 8)), np.empty((0, 4)), "cosine")) == 0


def test_subset_takes_rows_as_numpy_does():
    factors = Factors(np.arange(12.0).reshape(4, 3), "cosine")
    for rows in ([2, 0], np.array([True, False, True, False]), slice(1, 3)):
        part = factors.subset(rows)
        np.testing.assert_array_equal(part.table, factors.table[rows])
        assert part.metric == "cosine"


def test_factors_survive_a_pickle():
    factors = Factors(np.arange(12.0).reshape(4, 3), "cosine")
    again = pickle.loads(pickle.dumps(factors))
    np.testing.assert_array_equal(again.table, factors.table)


@pytest.mark.parametrize(
    ("table", "metric", "message"),
    [
        ([[1.0, 2.0]], "cosine", "slope, offset and error"),
        ([1.0, 2.0, 3.0], "cosine", "slope, offset and error"),
        ([[1.0, np.nan, 3.0]], "cosine", "NaN or infinity"),
        ([[1.0, 1e39, 3.0]], "cosine", "scale the vectors down"),
        ([[1.0, 2.0, -3.0]], "cosine", "0 or more"),
        ([[1.0, 2.0, 3.0]], "hamming", "metric must be one of"),
        ([[1.0, 2.0, 3.0]], ["cosine"], "metric must be one of"),
    ],
)
def test_tables_that_are_none_are_refused(table, metric, message):
    with pytest.raises(ValueError, match=message):
        Factors(np.array(table), metric)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": np.ones((3, 4))}, "4 and 3|3 and 4"),
        ({"z": np.ones(4)}, "2D array as z"),
        ({"X": np.ones((4, 0))}, "2D array as X"),
        ({"X": np.full((4, 2), np.nan)}, "X has NaN or infinity, the first in row 0"),
        ({"z": np.full((4, 8), np.inf)}, "z has NaN or infinity"),
        ({"X": np.full((4, 2), "a")}, "real numbers"),
        ({"X": np.diag([1e25] * 4)}, "scale the vectors down"),
        ({"X": np.diag([1e200] * 4)}, "scale the vectors down"),
        ({"center": np.ones(3)}, "vector of 2 finite numbers"),
        ({"center": [np.nan, 1]}, "vector of 2 finite numbers"),
        ({"metric": "l2"}, "metric must be one of"),
    ],
)
def test_what_has_no_factors_is_refused(change, message):
    given = {"z": np.ones((4, 8)), "X": np.ones((4, 2)), "metric": "euclidean"} | change
    with pytest.raises(ValueError, match=message):
        estimate_factors(**given)


def errors_in_units(X, n_rotations):
    """Errors of estimated products of rotated vectors, in units of the bound."""
    rng, moved = np.random.default_rng(0), X - X.mean(axis=0)
    for _ in range(n_rotations):
        z = moved @ np.linalg.qr(rng.normal(size=(X.shape[1],) * 2))[0]
        items, queries = z[::2], z[1::20]
        slope, _, error = estimate_factors(items, X[::2], "inner_product").table.T
        estimate = -slope * (queries @ np.where(items > 0, 1, -1).T)
        norms = np.linalg.norm(queries, axis=1)[:, None]
        yield (estimate - queries @ items.T) / (norms * error)


@pytest.mark.parametrize("epsilon", [1.0, 1.5, 1.9, 2.5])
@pytest.mark.parametrize("data", ["normal", "digits"])
def test_error_is_a_standard_deviation(epsilon, data):
    if data == "normal":
        X, wider = np.random.default_rng(1).normal(size=(1000, 256)), 0.0
    else:
        # What a query shares with an item errs less, so more is covered.
        X, wider = load_digits().data, 0.03
    errors = np.concatenate([e.ravel() for e in errors_in_units(X, 4)])
    covered = np.mean(np.abs(errors) <= epsilon) - erf(epsilon / math.sqrt(2))
    assert -0.01 <= covered <= 0.01 + wider
    assert abs(errors.mean()) < 0.05
