"""Items unlike those of the fit are said, and no others."""

import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits, make_blobs
from sklearn.preprocessing import StandardScaler
from torch.utils.data import Dataset, TensorDataset

from skhash.encoder._outputs import Outputs
from skhash.metrics import mean_average_precision_scorer
from tests.encoder.helpers import encoder_with, said

encoder = encoder_with(16, max_epochs=2, network="mlp")


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def fitted(digits):
    return encoder(max_epochs=5).fit(*digits)


# Items unlike those of the fit


SLIPS = {
    "0..1 after 0..255": (
        1,
        1 / 255,
        r"spread of most .* 0\.00[34].*images in 0\.\.1 a",
    ),
    "0..255 after 0..1": (
        1 / 255,
        1,
        r"spread of most .* 2.* images in 0\.\.255 after",
    ),
    "0..1000 after 0..1": (1e-3, 1, "spread of most"),
    "negative": (1, -1 / 255, "spread of most"),
}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize(
    "form",
    ["rows", "csr", "images", "colours", "data set", "images of a data set", "stream"],
)
def test_other_units_are_said(digits, slip, form):
    X, y = digits[0][:400] * 15, digits[1][:400]
    first, then, message = SLIPS[slip]

    class Stream(torch.utils.data.IterableDataset):
        def __init__(self, X):
            self.X = X

        def __iter__(self):
            return iter(self.X)

    make = {
        "rows": lambda X: X,
        "csr": sp.csr_array,
        "images": lambda X: X.reshape(-1, 8, 8),
        "colours": lambda X: np.stack([X.reshape(-1, 8, 8)] * 3, axis=-1),
        "data set": lambda X: TensorDataset(torch.from_numpy(X)),
        "images of a data set": lambda X: TensorDataset(
            torch.from_numpy(X.reshape(-1, 1, 8, 8))
        ),
        "stream": Stream,
    }[form]
    model = encoder(max_epochs=1)
    model.fit(X * first if form == "stream" else make(X * first), y)
    assert said(model, make(X * first)) == []
    for n in (400, 32):
        for method in ("transform", "embed", "predict"):
            (warned,) = said(model, make(X[:n] * then), method)
            assert re.search(message, warned)
    assert said(model, make(X[:31] * then)) == []


def test_images_of_a_usual_slip_are_said():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, size=(64, 8, 8, 3)).astype(np.uint8)
    model = encoder(network="convnet", max_epochs=1).fit(X, np.arange(64) % 2)
    (message,) = said(model, (X / 255).astype(np.float32))
    assert "the spread of most channels is some 0.0039 times that in fit" in message
    (message,) = said(model, (X / 255 - 0.45) / 0.22)  # normalised
    assert "the spread of most channels" in message
    (message,) = said(model, torch.from_numpy(X).permute(0, 3, 1, 2) / 255)
    assert "the spread of most channels" in message


def test_another_mean_is_said(digits):
    X, y = digits
    model = encoder(max_epochs=1).fit(X, y)
    (message,) = said(model, X + 273.15)
    assert re.search("the mean of most features is some .* times their spread", message)


def test_one_code_of_doubtful_items_is_said():
    """Some features are greater than in fit, some smaller, few by 20 times."""
    X, y = load_breast_cancer(return_X_y=True)
    model = encoder(network="linear", max_epochs=10)
    model.fit(StandardScaler().fit_transform(X), y)
    assert len(np.unique(model.embed(X[:30]) > 0, axis=0)) == 1
    for method in ("transform", "predict"):
        (message,) = said(model, X[:60], method)
        assert message.startswith("All 60 items of X got the same code, although they")
    assert said(model, X[:31]) == []


# ... and no others


@pytest.mark.slow
@pytest.mark.parametrize("scaled", [False, True])
def test_parts_of_digits_raise_no_alarm(digits, scaled):
    X, y = digits
    if scaled:
        X = StandardScaler().fit_transform(X)
    rows = encoder(max_epochs=8).fit(X, y)
    images = encoder(max_epochs=4).fit(X.reshape(-1, 8, 8), y)
    order = np.argsort(y, kind="stable")
    parts = [X[y == k] for k in range(10)]
    parts += [X[order[i : i + 32]] for i in range(0, 1760, 32)]
    parts += [X[np.argsort(X[:, 20])[i : i + 32]] for i in range(0, 1760, 160)]
    parts += [X[[i] * 50] for i in range(5)]
    for part in parts:
        assert said(rows, part) == []
        assert said(images, part.reshape(-1, 8, 8)) == []
    assert said(rows, sp.csr_array(X)) == []


@pytest.mark.slow
@settings(max_examples=25)
@given(
    st.integers(1, 30),
    st.integers(2, 12),
    st.floats(0.5, 30),
    st.integers(-4, 4),
    st.integers(0, 99),
)
def test_classes_raise_no_alarm(n_features, n_classes, apart, power, seed):
    X, y = make_blobs(
        600,
        n_features,
        centers=n_classes,
        center_box=(-apart, apart),
        random_state=seed,
    )
    X *= 10.0**power
    model = encoder(network="linear", max_epochs=1).fit(X, y)
    for k in range(n_classes):
        assert said(model, X[y == k]) == []
    assert said(model, X) == []
    assert said(model, np.repeat(X[:1], 50, axis=0)) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ids", "words", "constant", "rare"])
def test_sparse_and_constant_features_raise_no_alarm(kind):
    rng = np.random.default_rng(0)
    n, y = 2000, np.arange(2000) % 2
    if kind == "ids":  # each row has a column of its own
        X = sp.csr_array((np.ones(n), (np.arange(n), np.arange(n))), shape=(n, n))
    elif kind == "words":
        words = np.minimum(rng.zipf(1.3, size=(n, 20)), 3000) - 1
        rows = np.repeat(np.arange(n), 20)
        X = sp.csr_array((np.ones(n * 20), (rows, words.ravel())), shape=(n, 3000))
    elif kind == "constant":
        X = np.where(np.arange(50) < 45, 7.0, rng.normal(size=(n, 50)))
    else:
        X = (rng.random((n, 50)) < 0.001) * rng.normal(size=(n, 50)) * 1000
    model = encoder(network="linear", max_epochs=1).fit(X, y)
    for start in range(0, n, 32):
        assert said(model, X[start : start + 32]) == []
    assert said(model, X) == []


@pytest.mark.slow
def test_few_items_are_not_looked_at(fitted, digits, monkeypatch):
    monkeypatch.setattr("skhash.encoder._outputs.Outputs._sample", None)
    fitted.transform(digits[0][:31])
    with pytest.raises(TypeError):
        fitted.transform(digits[0][:32])


def test_a_look_at_a_sample_reads_few_rows(fitted, digits, monkeypatch):
    looked = []
    sample = Outputs._sample
    monkeypatch.setattr(
        "skhash.encoder._outputs.Outputs._sample",
        lambda self: looked.append(sample(self)) or looked[-1],
    )
    X = np.repeat(digits[0], 5, axis=0)

    class Counted(Dataset):
        def __len__(self):
            return len(X)

        def __getitem__(self, index):
            counted.append(index)
            return X[index]

    counted = []
    fitted.transform(X)
    fitted.transform(Counted())
    assert counted == list(range(len(X)))  # each once
    np.testing.assert_array_equal(looked[0], looked[1])
    assert 32 <= len(looked[0]) <= 256
    assert (looked[0][0, :, 0] == X[0]).all()
    assert (looked[0][-1, :, 0] == X[-1]).all()


def test_scorers_say_it_too(fitted, digits):
    X, y = digits
    with pytest.warns(UserWarning, match="X is unlike"):
        mean_average_precision_scorer(fitted, X[:100] / 255, y[:100])


def test_warnings_can_be_errors(fitted, digits):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="X is unlike"):
            fitted.transform(digits[0] / 255)
