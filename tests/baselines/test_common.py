"""What all shallow methods share: inputs, outputs, and the ways of scikit-learn."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhash import baselines
from skhash.baselines import _base
from skhash.hamming import pack

METHODS = [getattr(baselines, name) for name in baselines.__all__]
X, Y = load_digits(return_X_y=True)
X = X[:500] - 3.0
Y = Y[:500]


def make(method, n_bits=12, **params):
    """A method of that many bits, where it has a choice."""
    if "random_state" in method().get_params():
        params.setdefault("random_state", 0)
    bits = {} if method is baselines.SignThreshold else {"n_bits": n_bits}
    return method(**bits, **params)


@pytest.fixture(params=METHODS, ids=lambda method: method.__name__)
def method(request):
    return request.param


def test_outputs_are_made_of_z(method):
    fitted = make(method).fit(X, Y)
    z = fitted.embed(X)
    n_bits = 64 if method is baselines.SignThreshold else 12
    assert z.shape == (500, n_bits)
    assert z.dtype == np.float32
    made = {
        each: fitted.set_params(output=each).transform(X)
        for each in ("packed", "bits", "signs", "embedding")
    }
    assert np.array_equal(made["packed"], pack(z > 0))
    assert np.array_equal(made["bits"], z > 0)
    assert np.array_equal(made["signs"], np.where(z > 0, 1, -1))
    assert np.array_equal(made["embedding"], z)
    assert [made[each].dtype for each in made] == [np.uint8, bool, np.int8, np.float32]


def test_names_and_frames(method):
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    fitted = make(method).set_output(transform="pandas").fit(frame, Y)
    codes = fitted.transform(frame)
    start = method.__name__.lower()
    assert list(codes.columns) == [f"{start}{i}" for i in range(codes.shape[1])]
    assert list(fitted.feature_names_in_) == list(frame.columns)
    fitted.set_output(transform="default")
    assert np.array_equal(fitted.transform(frame), codes.to_numpy())
    bits = fitted.set_params(output="bits")
    assert len(bits.get_feature_names_out()) == bits.transform(frame).shape[1]


def test_clone_pickle_and_pipeline(method):
    fitted = make(method).fit(X, Y)
    codes = fitted.transform(X)
    again = clone(fitted).fit(X, Y)
    assert np.array_equal(again.transform(X), codes)
    loaded = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(loaded.transform(X), codes)
    piped = make_pipeline(StandardScaler(), make(method)).fit(X, Y)
    assert piped.transform(X).shape == codes.shape


def test_refits_do_not_remember(method):
    rng = np.random.default_rng(0)
    fitted = make(method).fit(rng.normal(size=(50, 20)), np.arange(50) % 3)
    assert np.array_equal(
        fitted.fit(X, Y).transform(X), make(method).fit(X, Y).transform(X)
    )


def test_n_bits_changed_after_fit_is_for_the_next(method):
    fitted = make(method).fit(X, Y)
    codes = fitted.transform(X)
    fitted.set_params(n_bits=30)
    assert np.array_equal(fitted.transform(X), codes)
    assert len(fitted.get_feature_names_out()) == codes.shape[1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64, np.uint8])
def test_dtypes_of_the_same_numbers_give_the_same_codes(method, dtype):
    whole = X + 3
    expected = make(method).fit(whole, Y).transform(whole)
    given = whole.astype(dtype)
    assert np.array_equal(make(method).fit(given, Y).transform(given), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_tensors(method, dtype):
    tensor = torch.tensor(X + 3, dtype=dtype, requires_grad=True)
    expected = make(method).fit(X + 3, Y).transform(X + 3)
    assert np.array_equal(make(method).fit(tensor, Y).transform(tensor), expected)


def test_blocks_of_rows_change_nothing(method, monkeypatch, tmp_path):
    whole = make(method).fit(X, Y)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    monkeypatch.setattr(_base, "_BLOCK", 64 * 7)
    parts = make(method).fit(mapped, Y)
    np.testing.assert_allclose(parts.embed(mapped), whole.embed(X), atol=1e-4)


def test_rows_do_not_depend_on_each_other(method):
    fitted = make(method).fit(X, Y)
    one_by_one = np.concatenate([fitted.transform(row[None]) for row in X[:50]])
    assert np.array_equal(one_by_one, fitted.transform(X[:50]))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.where(np.eye(500, 64) > 0, np.nan, X), "NaN"),
        (np.where(np.eye(500, 64) > 0, np.inf, X), "infinity"),
        (X[:1], "minimum of 2"),
        (X[0], "Expected 2D array"),
        (X.reshape(-1, 8, 8), "dim"),
        (sp.csr_array(X), "TruncatedSVD"),
        (sp.coo_matrix(X), "TruncatedSVD"),
    ],
    ids=["nan", "infinity", "one row", "1-d", "images", "csr", "other sparse"],
)
def test_refused_in_fit(method, bad, message):
    with pytest.raises(ValueError, match=message):
        make(method).fit(bad, Y[: bad.shape[0]])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((1, 64), np.nan), "NaN"),
        (X[:, :5], "5 features"),
        (sp.csr_array(X), "TruncatedSVD"),
    ],
)
def test_refused_in_transform(method, bad, message):
    fitted = make(method).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        fitted.transform(bad)


def test_one_item_can_be_encoded(method):
    assert len(make(method).fit(X, Y).transform(X[:1])) == 1


def test_not_fitted(method):
    with pytest.raises(NotFittedError):
        make(method).transform(X)
    with pytest.raises(NotFittedError):
        make(method).embed(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_bits": 0}, "n_bits"),
        ({"n_bits": 5000}, "n_bits"),
        ({"n_bits": 2.5}, "n_bits"),
        ({"output": "byte"}, "output"),
    ],
)
def test_parameters_out_of_range(method, params, message):
    with pytest.raises(ValueError, match=f"The '{message}' parameter"):
        make(method).set_params(**params).fit(X, Y)


def test_mistyped_output_is_named_in_transform(method):
    fitted = make(method).fit(X, Y).set_params(output="bit")
    with pytest.raises(ValueError, match="Did you mean 'bits'"):
        fitted.transform(X)


def test_a_constant_column_changes_nothing_much(method):
    wide = np.column_stack([X, np.full(len(X), 0.1)])
    fitted = make(method).fit(wide, Y)
    z = fitted.embed(wide)
    assert np.isfinite(z).all()
    if method in (baselines.PCAHashing, baselines.ITQ, baselines.SpectralHashing):
        np.testing.assert_allclose(z, make(method).fit(X).embed(X), atol=1e-4)


def test_one_feature(method):
    column = np.random.default_rng(0).normal(size=(60, 1))
    labels = (column[:, 0] > 0).astype(int)
    fitted = make(method, n_bits=1, output="bits")
    bits = fitted.fit(column, labels).transform(column)
    assert bits.shape == (60, 1)
    assert 5 < bits.sum() < 55


@pytest.mark.filterwarnings("ignore:Only:UserWarning")
@pytest.mark.filterwarnings("ignore:No feature:UserWarning")
def test_equal_items_get_equal_codes(method):
    same = np.full((20, 30), 0.1)
    codes = make(method).fit(same, np.arange(20) % 2).transform(same)
    assert (codes == codes[0]).all()


@pytest.mark.parametrize(
    "method", [each for each in METHODS if "random_state" in each().get_params()]
)
def test_random_state(method):
    def codes(seed):
        return make(method, random_state=seed).fit(X, Y).transform(X)

    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert np.array_equal(codes(3), codes(3))
    assert np.array_equal(codes(np.random.RandomState(3)), codes(3))
    assert not np.array_equal(codes(3), codes(4))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.slow
def test_codes_do_not_depend_on_the_number_of_threads():
    code = f"""
import hashlib, numpy as np
from skhash import baselines
X = np.random.default_rng(0).normal(size=(3000, 200)) @ np.diag(np.arange(200.0))
y = np.arange(3000) % 7
for name in {baselines.__all__}:
    if name == "SignThreshold":
        method = baselines.SignThreshold()
    else:
        method = getattr(baselines, name)(48)
    if "random_state" in method.get_params():
        method.set_params(random_state=0)
    z = method.fit(X, y).embed(X)
    print(name, hashlib.sha256(z.tobytes()).hexdigest())
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", f"import os\n{limit}\n{code}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for limit in ("", "os.environ['OPENBLAS_NUM_THREADS'] = '1'")
    ]
    assert told[0].count("\n") == len(METHODS)
    assert told[0] == told[1]


def test_huge_values_are_refused_where_float32_ends():
    fitted = make(baselines.RandomHyperplanes).fit(X)
    with pytest.raises(ValueError, match=r"row 1 of X are too large.*1e\+300"):
        fitted.transform(np.stack([X[0], np.full(64, 1e300)]))


@pytest.mark.parametrize("name", ["PCAHashing", "ITQ", "SpectralHashing", "ITQCCA"])
def test_squares_that_overflow_are_refused(name):
    with pytest.raises(ValueError, match="overflow float64"):
        make(getattr(baselines, name)).fit(X * 1e200, Y)
