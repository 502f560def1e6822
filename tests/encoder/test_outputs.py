"""Outputs that mean nothing are refused."""

import copy
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import TensorDataset

from skhash import DeepHashEncoder
from skhash.encoder._auto import batch_bounds, choose_rows
from skhash.encoder._data.datasets import ArrayDataset
from skhash.encoder._threads import torch_threads
from skhash.losses import HashLoss
from skhash.networks import HashNetwork
from tests.encoder.helpers import encoder_with, said

encoder = encoder_with(16, max_epochs=2, network="mlp")


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


OUTPUTS = ["packed", "bits", "signs", "embedding"]


LARGEST = np.finfo(np.float32).max


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def fitted(digits):
    return encoder(max_epochs=5).fit(*digits)


# Outputs that are not finite


class Tanh(nn.Module):
    """Ends all of infinity in 1."""

    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, 8)

    def forward(self, x):
        return torch.tanh(self.linear(x.flatten(1)))


NETWORKS = {
    "linear": "linear",
    "mlp": "mlp",
    "body": nn.Sequential(nn.Linear(64, 8), nn.ReLU()),
    "tanh": Tanh(64),
}


VALUES = [1e39, -1e39, 1e300, LARGEST, -LARGEST]


FORMS = {
    "array": np.asarray,
    "float32": lambda X: X.clip(-LARGEST, LARGEST).astype(np.float32),
    "long double": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f8"),
    "csr": sp.csr_array,
    "list": lambda X: X.tolist(),
    "tensor": torch.from_numpy,
    "images": lambda X: X.reshape(-1, 8, 8),
    "data set": lambda X: TensorDataset(torch.from_numpy(X)),
}


@pytest.fixture(scope="module")
def models(digits):
    X, y = digits[0][:200], digits[1][:200]
    rows = {name: encoder(network=net).fit(X, y) for name, net in NETWORKS.items()}
    images = encoder(network="convnet", max_epochs=1).fit(X.reshape(-1, 8, 8), y)
    return {**rows, "convnet": images}


@pytest.mark.slow
@settings(max_examples=30)
@given(
    st.sampled_from([*NETWORKS, "convnet"]),
    st.sampled_from(VALUES),
    st.sampled_from(sorted(FORMS)),
    st.integers(0, 599),
    st.integers(0, 63),
    st.sampled_from(OUTPUTS),
)
def test_values_beyond_float32_are_refused_everywhere(
    models, digits, network, value, form, row, column, output
):
    X = digits[0][:600].copy()
    X[row, column] = value
    if form == "images":
        network = "convnet"
    X = FORMS[form](X)
    model = copy.copy(models[network]).set_params(output=output)
    for method in ("transform", "decision_function"):
        with pytest.raises(ValueError, match=rf"(?i)(row|row\(s\)|item) {row}\b"):
            getattr(model, method)(X)
    if form != "data set":
        with pytest.raises(ValueError, match="SimpleImputer; or scale X"):
            model.score(X, digits[1][:600])
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_only_the_rows_that_are_wrong_are_named(models, digits):
    X = digits[0].copy()
    X[[3, 600, 601]] = 1e39  # row 600 is in another batch
    with pytest.raises(
        ValueError, match=r"1e\+39 in row 3: its outputs for row\(s\) 3 c"
    ):
        models["mlp"].transform(X)
    with pytest.raises(ValueError, match=r"row\(s\) 0, 1, 2, 3, 4, \.\.\. contain"):
        models["mlp"].transform(X[[3] * 9])


def test_overflow_inside_a_network_is_refused(digits):
    X, y = digits

    class Square(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(64, 8)

        def forward(self, x):
            return self.linear(x).square().square()

    model = encoder(network=Square(), normalize_z=False).fit(X, y)
    far = X.copy()
    far[5] = 1e18  # fine in float32, but not to the fourth power
    with pytest.raises(
        ValueError, match=r"1e\+18 in row 5: its outputs for row\(s\) 5"
    ):
        model.predict(far)


@pytest.mark.slow
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_trainings_refuse_values_beyond_float32(fitted, digits, value, form, method):
    X, y = digits[0][:60].copy(), digits[1][:60]
    X[7, 20] = value
    X = FORMS[form](X)
    for model in (encoder(early_stopping=True), copy.deepcopy(fitted)):
        if form == "images" and hasattr(model, "net_"):
            continue  # was fitted on flat rows
        before = vars(model).copy()
        with pytest.raises(ValueError, match=r"(?i)(row|item) 7\b"):
            getattr(model, method)(X, y)
        assert vars(model) == before


@pytest.mark.parametrize("output", OUTPUTS)
def test_codes_of_a_diverged_training_are_said_to_be_useless(digits, output):
    X, y = digits
    model = encoder(lr=1e25, optimizer="sgd", normalize_z=False, output=output)
    model.fit(X[:200], y[:200])
    for method in ("transform", "embed", "predict"):
        (message,) = said(model, X, method)
        assert re.search("diverged; its codes are useless.*smaller learning", message)


# ... and no others


def test_outputs_do_not_depend_on_their_batches():
    """Many rows at once go through other kernels than few."""
    rng = np.random.default_rng(0)
    for n_features, n_bits in [(5, 1), (64, 8), (33, 32)]:
        X = rng.normal(size=(9001, n_features)).astype(np.float32)
        model = DeepHashEncoder(n_bits, network="linear", max_epochs=1, random_state=0)
        net = model.fit(X[:100], X[:100, 0] > 0).net_
        assert choose_rows(net.module_, n_features, n_bits) == 8192
        for n in [1, 511, 513, 575, 576, 1030, 8192, 8193, 9001]:
            parts = [X[i : min(i + 512, n)] for i in range(0, n, 512)]
            with torch_threads(1):
                batches = [next(net.encode(ArrayDataset(part))) for part in parts]
            expected = np.concatenate(batches)
            np.testing.assert_array_equal(model.embed(X[:n]), expected)


@pytest.mark.parametrize("n", [0, 1, 63, 64, 512, 513, 575, 576, 5000, 8193])
@pytest.mark.parametrize("size", [15, 512, 2048, 8192])
def test_bounds_of_batches(n, size):
    bounds = batch_bounds(n, size)
    assert [i for start, end in bounds for i in range(start, end)] == list(range(n))
    assert all(0 < end - start <= size for start, end in bounds)
    if size > 512 and 0 < n % 512 < 64:
        assert bounds[-1] == (n - n % 512, n)


class Doubles(HashNetwork):
    """Writes to what it is given."""

    def forward(self, x):
        return super().forward(x.mul_(2))


@pytest.mark.slow
def test_items_stay_as_they_are(digits):
    X, y = digits
    for network in ["linear", "mlp", nn.Sequential(nn.ReLU(inplace=True)), doubles]:
        model = encoder(network=network, max_epochs=1).fit(X, y)
        given = X[:100].copy()
        for items in (given, given[::-1], given[:1][::-1], given[:, ::-1][:, ::-1]):
            z = model.embed(items)
            np.testing.assert_array_equal(given, X[:100])
            items = np.ascontiguousarray(items)
            items.flags.writeable = False
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                np.testing.assert_array_equal(model.embed(items), z)


def doubles(input_shape, n_bits):
    return Doubles(nn.Flatten(), nn.Linear(input_shape[0], n_bits))


def test_encoding_makes_no_loss(monkeypatch):
    X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    model = DeepHashEncoder(8, network="linear", max_epochs=1, random_state=0)
    model.fit(X, np.arange(20) % 2)
    expected = model.transform(X)
    made = []
    monkeypatch.setattr(HashLoss, "__init__", lambda loss: made.append(loss))
    np.testing.assert_array_equal(model.transform(X), expected)
    assert made == []
