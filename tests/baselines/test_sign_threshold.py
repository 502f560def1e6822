"""One bit a feature, against the definition."""

import numpy as np
import pytest

from skhash.baselines import SignThreshold
from skhash.baselines import _sign_threshold as module

X = np.random.default_rng(0).normal(size=(101, 9)) + np.linspace(-1, 1, 9)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [("zero", np.zeros(9)), ("mean", X.mean(axis=0)), ("median", np.median(X, axis=0))],
)
@pytest.mark.parametrize("n_bits", [None, 9])
def test_bits_are_above_the_threshold(threshold, expected, n_bits):
    fitted = SignThreshold(n_bits, output="bits", threshold=threshold).fit(X)
    np.testing.assert_allclose(fitted.thresholds_, expected, atol=1e-12)
    assert np.array_equal(fitted.transform(X), (X - fitted.thresholds_) > 0)


def test_the_median_halves_distinct_values():
    bits = SignThreshold(output="bits", threshold="median").fit_transform(X)
    assert (bits.sum(axis=0) == 50).all()  # the median itself has bit 0


@pytest.mark.parametrize("threshold", ["mean", "median"])
@pytest.mark.parametrize("value", [0.1, -1e9 / 3, 0.0])
def test_a_constant_feature_has_bit_zero(threshold, value):
    constant = np.full((1000, 2), value)
    assert not SignThreshold(threshold=threshold).fit_transform(constant).any()


def test_medians_of_few_columns_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "_SORTED", 250)
    found = SignThreshold(threshold="median").fit(X).thresholds_
    assert np.array_equal(found, np.median(X, axis=0))


@pytest.mark.parametrize("n_bits", [8, 10])
def test_another_number_of_bits_is_refused(n_bits):
    with pytest.raises(ValueError, match=rf"n_bits={n_bits}.*n_features=9.*Rotated"):
        SignThreshold(n_bits).fit(X)


def test_more_features_than_codes_have_bits_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_BITS", 8)
    with pytest.raises(ValueError, match=r"1 to 8 bits.*n_features=9"):
        SignThreshold().fit(X)
