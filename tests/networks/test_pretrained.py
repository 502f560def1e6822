"""Bodies trained elsewhere: their own preprocessing, frozen first and thawed later."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skhash import DeepHashEncoder
from skhash.losses import Exponentiated, Stage
from skhash.networks import HashNetwork, hash_layer, wrap

# Few steps on few items.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Preprocess(nn.Module):
    """Keeps what it is given, and returns it at half the size, in 0..1."""

    def __init__(self):
        super().__init__()
        self.given = []

    def forward(self, x):
        self.given.append(x.clone())
        return nn.functional.avg_pool2d(x, 2).div_(255)


class InPlace(nn.Module):
    def forward(self, x):
        return x.fill_(1).flatten(1)[:, :3]


class HeadFirst(Exponentiated):
    """The hash layer alone for a third of the epochs, then everything."""

    def plan(self, n_epochs):
        alone = n_epochs // 3
        stages = [Stage(alone, train="head"), Stage(n_epochs - alone)]
        return [stage for stage in stages if stage.epochs]


class Weights(Callback):
    """Keeps the body's weights, its mode and its running mean of each epoch."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, net, **kwargs):
        body = net.module_.body[0]
        state = {name: value.clone() for name, value in body.state_dict().items()}
        self.seen.append((body.training, state))


def body():
    torch.manual_seed(0)
    return nn.Sequential(Preprocess(), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, size=(40, 8, 8, 3)).astype(np.uint8)
    X[1::2, :, :4] += 100
    return X, np.arange(40) % 2


def encoder(network, **params):
    settings = {"loss": "exponentiated", "max_epochs": 1, "random_state": 0, **params}
    return DeepHashEncoder(8, network=network, batch_size=20, **settings)


def same(one, two):
    return [name for name in one if torch.equal(one[name], two[name])]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_raw_body_gets_items_as_they_are(images, dtype):
    X, y = images
    X = X.astype(dtype)
    model = encoder(wrap(body(), raw=True)).fit(X, y)
    first = model.net_.module_.body[0][0]
    first.given.clear()
    model.transform(X)
    (given,) = first.given
    assert given.dtype == torch.float32
    np.testing.assert_array_equal(given.numpy(), X.transpose(0, 3, 1, 2))


def test_other_bodies_get_standardised_items(images):
    X, y = images
    model = encoder(wrap(body())).fit(X, y)
    first = model.net_.module_.body[0][0]
    first.given.clear()
    model.transform(X)
    channels = X.reshape(-1, 3).astype(np.float64)
    expected = (X - channels.mean(0)) / channels.std(0)
    np.testing.assert_allclose(
        first.given[0].numpy(), expected.transpose(0, 3, 1, 2), atol=1e-5
    )


@pytest.mark.filterwarnings("ignore:All 40 items")
def test_raw_body_that_works_in_place_leaves_the_items_alone():
    X = np.random.default_rng(0).normal(size=(40, 1, 4, 4)).astype(np.float32)
    before = X.copy()
    model = encoder(wrap(InPlace(), raw=True)).fit(X, np.arange(40) % 2)
    model.transform(X)
    model.embed(X[:1])
    np.testing.assert_array_equal(X, before)


def test_function_may_ask_for_raw_items(images):
    def network(input_shape, n_bits, *, normalize_z=False, generator=None):
        layers = nn.Sequential(Preprocess(), nn.Flatten())
        head = hash_layer(48, n_bits, normalize=normalize_z, generator=generator)
        return HashNetwork(layers, head, raw=True)

    model = encoder(network).fit(*images)
    model.transform(images[0])
    assert float(model.net_.module_.body[0].given[-1].max()) == images[0].max()


def test_wrap_says_that_it_is_raw():
    assert "raw" not in repr(wrap(nn.Flatten()))
    assert repr(wrap(nn.Flatten(), raw=True)).endswith("lr_scale=0.1, raw=True)")


def test_items_in_other_units_are_noticed_of_raw_bodies_too(images):
    X, y = images
    model = encoder(wrap(body(), raw=True)).fit(X, y)
    with pytest.warns(UserWarning, match=r"images in 0..1 after a fit on 0..255"):
        model.transform(X / 255)


def test_plan_trains_the_hash_layer_first_and_then_the_body(images):
    weights = Weights()
    network = wrap(body(), raw=True, lr_scale=0.5)
    model = encoder(network, loss=HeadFirst(), max_epochs=6, callbacks=[weights])
    model.fit(*images)
    start = {name: value.clone() for name, value in body().state_dict().items()}
    modes, states = zip(*weights.seen, strict=True)
    assert modes == (False, False, True, True, True, True)
    for state in states[:2]:  # batch norm's running means, too
        assert same(state, start) == list(start)
    for state in states[2:]:
        assert same(state, start) == []
    assert model.score(*images) > 0.9


def test_two_fits_freeze_and_thaw(images):
    X, y = images
    network = wrap(body(), raw=True, freeze=True)
    model = encoder(network, warm_start=True).fit(X, y)
    start = {name: value.clone() for name, value in body().state_dict().items()}
    thawed = model.net_.module_.body
    assert same(thawed[0].state_dict(), start) == list(start)
    thawed.requires_grad_(True)
    for module in thawed.modules():
        module.frozen = False
    head = model.net_.module_.head[0].weight.clone()
    weights = Weights()
    model.set_params(callbacks=[weights], max_epochs=6, lr=1e-9).fit(X, y)
    # It goes on from what the hash layer has learnt.
    np.testing.assert_allclose(
        model.net_.module_.head[0].weight.detach(), head.detach(), atol=1e-6
    )
    model.set_params(lr=3e-3).fit(X, y)
    assert weights.seen[-1][0]
    assert same(weights.seen[-1][1], start) == []
    assert model.score(X, y) > 0.9
