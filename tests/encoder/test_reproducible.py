"""The same random state, the same codes; copies, and what stays unchanged."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback
from torch import nn

from skhash.hamming import pack, unpack
from skhash.losses import DCWH
from tests.encoder.helpers import encoder_with

encoder = encoder_with(12, max_epochs=4, batch_size=64)


@pytest.fixture(scope="module")
def fitted(blobs):
    return encoder().fit(*blobs)


# Randomness


def body(seed=0):
    """A user's body, with random layers of three kinds."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.5), nn.AlphaDropout(0.2), nn.RReLU()
    )


def from_function(input_shape, n_bits):
    """A user's function that draws weights from torch's global generator."""
    return nn.Sequential(nn.Linear(input_shape[0], n_bits))


def codes_of(model, X, y):
    return clone(model).fit(X, y).transform(X)


PARALLEL = {
    "mlp": {},
    "dropout": {"network": body()},
    "function": {"network": from_function},
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("network", [*PARALLEL, "convnet"])
def test_codes_are_the_same_on_every_backend(blobs, backend, network):
    X, y = blobs
    if network == "convnet":
        rng = np.random.default_rng(0)
        X = (rng.random((60, 8, 8)) * 255).astype(np.uint8)
        X[:30, :4] //= 4
        y = np.arange(60) // 30
        models = [encoder(8 * k, network="convnet", max_epochs=2) for k in (1, 2, 3)]
    else:
        models = [encoder(8 * k, **PARALLEL[network]) for k in (1, 2, 3)]
    serial = [codes_of(model, X, y) for model in models]
    with joblib.parallel_backend(backend, n_jobs=2):
        parallel = joblib.Parallel()(
            joblib.delayed(codes_of)(model, X, y) for model in models
        )
    for here, there in zip(serial, parallel, strict=True):
        np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("random_state", [None, 0])
@pytest.mark.parametrize("network", ["mlp", "linear", body(), from_function])
def test_global_generators_stay_as_they_were(blobs, network, random_state):
    X, y = blobs
    before = torch.get_rng_state(), np.random.get_state()[1:3]  # noqa: NPY002
    model = encoder(network=network, random_state=random_state, max_epochs=1)
    model.fit(X, y)
    model.transform(X)
    model.partial_fit(X, y)
    clone(model).partial_fit(X, y)
    after = torch.get_rng_state(), np.random.get_state()[1:3]  # noqa: NPY002
    assert torch.equal(before[0], after[0])
    np.testing.assert_array_equal(before[1][0], after[1][0])
    assert before[1][1] == after[1][1]


@pytest.mark.parametrize("network", ["mlp", body(), from_function])
def test_global_seeds_do_not_change_codes(blobs, network):
    X, y = blobs
    codes = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        codes.append(encoder(network=network).fit(X, y).transform(X))
    np.testing.assert_array_equal(*codes)


def test_random_state_decides(blobs):
    X, y = blobs

    def z(random_state):
        return encoder(random_state=random_state, max_epochs=1).fit(X, y).embed(X)

    np.testing.assert_array_equal(z(3), z(3))
    assert not np.array_equal(z(3), z(4))
    assert not np.array_equal(z(None), z(None))
    rng = np.random.RandomState(0)
    first, second = z(rng), z(rng)
    assert not np.array_equal(first, second)
    rng = np.random.RandomState(0)
    np.testing.assert_array_equal(z(rng), first)
    np.testing.assert_array_equal(z(rng), second)


@pytest.mark.slow
def test_number_of_torch_threads_stays_as_it_was(blobs):
    X, y = blobs
    before = torch.get_num_threads()
    models = [encoder(n_jobs=k, max_epochs=1) for k in (1, 2, 1, 2)]
    with joblib.parallel_backend("threading", n_jobs=2):
        joblib.Parallel()(joblib.delayed(codes_of)(model, X, y) for model in models)
        inside = joblib.Parallel()(
            joblib.delayed(torch.get_num_threads)() for _ in range(4)
        )
    assert torch.get_num_threads() == before
    assert set(inside) == {before}


# Copies, and what stays unchanged


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), through_joblib],
    ids=["deepcopy", "pickle", "joblib"],
)
@pytest.mark.parametrize("loss", ["dual_hinge", "dcwh"])
def test_copies_keep_codes_and_go_on_learning_alike(blobs, copied, loss):
    X, y = blobs
    model = encoder(loss=loss).fit(X, y)
    other = copied(model)
    np.testing.assert_array_equal(other.embed(X), model.embed(X))
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    assert other.history_ == model.history_
    for one in (model, other):
        one.partial_fit(X[:100], y[:100])
    np.testing.assert_array_equal(other.embed(X), model.embed(X))
    again = copied(model)  # with its optimiser
    for one in (model, again):
        one.partial_fit(X[100:], y[100:])
    np.testing.assert_array_equal(again.embed(X), model.embed(X))


def test_clone_forgets_what_was_learnt_and_learns_it_again(fitted, blobs):
    X, y = blobs
    other = clone(fitted)
    assert not hasattr(other, "net_")
    np.testing.assert_array_equal(other.fit(X, y).embed(X), fitted.embed(X))


def test_second_fit_forgets_the_first(fitted, blobs):
    X, y = blobs
    model = encoder().fit(X[:100, :5], y[:100] > 1)
    model.fit(X, y)
    np.testing.assert_array_equal(model.embed(X), fitted.embed(X))
    assert model.n_features_in_ == 10
    assert len(model.history_) == 4


class Counter(Callback):
    """A user's callback with state."""

    def __init__(self):
        self.epochs = 0

    def on_epoch_end(self, net, **kwargs):
        self.epochs += 1


def test_parameters_are_never_changed(blobs):
    X, y = blobs
    loss, network, callback = DCWH(margin=1.5), body(), Counter()
    net_params = {"optimizer__betas": (0.8, 0.9)}
    input_shape = [10]
    model = encoder(
        loss=loss,
        network=network,
        callbacks=[callback],
        net_params=net_params,
        input_shape=input_shape,
    )
    params = model.get_params()
    weights = copy.deepcopy(network.state_dict())
    model.fit(X, y).partial_fit(X, y).transform(X)
    for name, value in model.get_params().items():
        assert value is params[name], name
    assert not [name for name in vars(loss) if name.endswith("_")]
    assert not list(loss.parameters())
    assert model.loss_ is not loss
    assert all(
        torch.equal(weights[name], value)
        for name, value in network.state_dict().items()
    )
    assert network.training
    assert callback.epochs == 0
    assert net_params == {"optimizer__betas": (0.8, 0.9)}
    assert input_shape == [10]


@pytest.mark.slow
def test_pickle_holds_the_weights_once_and_no_data(blobs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 10)).astype(np.float32)
    y = rng.integers(4, size=4000)
    for params in ({}, {"early_stopping": True}, {"balanced_batches": True}):
        model = encoder(network="linear", max_epochs=1, **params).fit(X, y)
        assert len(pickle.dumps(model)) < 20_000
        model.partial_fit(X, y)  # keeps the state of the optimiser
        assert len(pickle.dumps(model)) < 25_000
    model = encoder(network="mlp", max_epochs=1).fit(X, y)
    size = sum(value.nbytes for value in model.net_.module_.state_dict().values())
    assert size < len(pickle.dumps(model)) < size + 20_000


def test_codes_of_unpacked_bits_agree_with_hamming(fitted, blobs):
    codes = fitted.transform(blobs[0])
    bits = unpack(codes, 12)
    np.testing.assert_array_equal(bits, fitted.embed(blobs[0]) > 0)
    np.testing.assert_array_equal(pack(bits), codes)
