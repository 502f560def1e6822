"""Layers do what estimators do in `transform`, in the dtypes of numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)

from skhash import baselines
from skhash.baselines import SignThreshold
from skhash.export._module import Model

RNG = np.random.default_rng(0)
# Large means, and spreads that differ: where it matters in which dtype one computes.
X = RNG.normal(size=(60, 5)) * [1, 0.01, 30, 1, 2] + [0, 1, 1000, -5, 7]
X = np.append(X, np.full((60, 1), 3.0), axis=1)
STEPS = {
    "standard": StandardScaler(),
    "standard, no mean": StandardScaler(with_mean=False),
    "standard, no std": StandardScaler(with_std=False),
    "min-max": MinMaxScaler(),
    "min-max, clipped": MinMaxScaler((-1, 2), clip=True),
    "max-abs": MaxAbsScaler(),
    "robust": RobustScaler(),
    "robust, no centre": RobustScaler(with_centering=False, unit_variance=True),
    "robust, no scale": RobustScaler(with_scaling=False),
    "l1": Normalizer("l1"),
    "l2": Normalizer("l2"),
    "max": Normalizer("max"),
    "mean": SimpleImputer(),
    "median, flagged": SimpleImputer(strategy="median", add_indicator=True),
    "constant": SimpleImputer(
        strategy="constant", fill_value=np.uint8(2), missing_values=3
    ),
    "frequent": SimpleImputer(strategy="most_frequent", missing_values=7),
    "PCA": PCA(3),
    "PCA, white": PCA(4, whiten=True),
    "SVD": TruncatedSVD(3, random_state=0),
}
HOLED = ("mean", "median, flagged")


def holes(X):
    """X with some values missing."""
    return np.where(np.random.default_rng(1).random(X.shape) < 0.2, np.nan, X)


def z_of(pipeline, X):
    """z as the layers compute it."""
    layers = Model.of(pipeline, embedding=True).module
    return layers(torch.from_numpy(X))[1].numpy()


@pytest.mark.parametrize("fitted", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.filterwarnings("ignore:Skipping features")
def test_step_computes_what_its_estimator_computes(name, dtype, fitted):
    data = holes(X) if name in HOLED and dtype is not np.uint8 else X
    pipeline = make_pipeline(STEPS[name], SignThreshold(output="embedding"))
    if dtype is np.uint8:
        data = (np.abs(data) % 256).astype(dtype)
        fitted = dtype if name in ("constant", "frequent") else fitted
    pipeline.fit(data.astype(fitted))
    data = data.astype(dtype)
    expected, z = pipeline.transform(data), z_of(pipeline, data)
    assert z.dtype == np.float32
    # To the last digits of the dtype that is computed in. Differences of large
    # projections lose some of them, in scikit-learn, too.
    digits = 1e-6 if np.float32 in (dtype, fitted) else 1e-7
    largest = data if name.startswith(("PCA", "SVD")) else expected
    atol = digits * np.nanmax(np.abs(largest))
    np.testing.assert_allclose(z, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("name", ["standard", "min-max", "max-abs", "robust"])
def test_scaler_rounds_as_numpy_does(name):
    data = X.astype(np.float32)
    pipeline = make_pipeline(STEPS[name], SignThreshold(output="embedding")).fit(X)
    np.testing.assert_array_equal(z_of(pipeline, data), pipeline.transform(data))


@pytest.mark.filterwarnings("ignore:Skipping features")
@pytest.mark.parametrize("keep", [False, True])
def test_columns_without_any_value_are_left_out_or_kept(keep):
    data = holes(X)
    data[:, 2] = np.nan
    imputer = SimpleImputer(keep_empty_features=keep, add_indicator=True)
    pipeline = make_pipeline(imputer, SignThreshold(output="embedding")).fit(data)
    expected, z = pipeline.transform(data), z_of(pipeline, data)
    assert z.shape[1] == 11 + keep
    np.testing.assert_allclose(z, expected, rtol=1e-6)


numbers = st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, 1e-20, -1e-7])


@pytest.mark.slow
@given(
    arrays(np.float32, (4, 3), elements=numbers), st.sampled_from(["l1", "l2", "max"])
)
def test_rows_of_any_size_are_normalised_alike(rows, norm):
    pipeline = make_pipeline(Normalizer(norm), SignThreshold(output="embedding"))
    pipeline.fit(rows)
    expected = pipeline.transform(rows)
    np.testing.assert_allclose(z_of(pipeline, rows), expected, rtol=1e-6, atol=1e-7)


@given(st.integers(1, 140), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_bits_are_packed_as_by_numpy(n_bits, n, seed):
    rows = np.random.default_rng(seed).normal(size=(n, n_bits))
    hasher = SignThreshold().fit(np.zeros((2, n_bits)))
    codes = Model.of(hasher, embedding=False).module(torch.from_numpy(rows)).numpy()
    np.testing.assert_array_equal(codes, np.packbits(rows > 0, axis=1))
    assert codes.dtype == np.uint8


@pytest.mark.parametrize("name", baselines.__all__)
def test_shallow_method_computes_what_it_computes(name):
    y, method = np.arange(60) % 3, getattr(baselines, name)
    given = {"random_state": 0} if "random_state" in method().get_params() else {}
    n_bits = {"SignThreshold": 6, "ITQCCA": 2}.get(name, 4)
    hasher = method(n_bits, output="embedding", **given).fit(X, y)
    for dtype in (np.float32, np.float64, np.uint8):
        data = np.abs(X).clip(0, 255).astype(dtype)
        expected = hasher.transform(data)
        atol = 1e-6 * max(
            np.abs(expected).max(), np.abs(data - hasher_mean(hasher)).max()
        )
        np.testing.assert_allclose(z_of(hasher, data), expected, rtol=0, atol=atol)


def hasher_mean(hasher):
    """What a shallow method subtracts from features."""
    return getattr(hasher, "mean_", getattr(hasher, "thresholds_", None))
