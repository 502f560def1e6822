"""Networks: their parts, their random numbers, any torch module as one."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from skhash import DeepHashEncoder
from skhash.losses import HashLoss, Stage
from skhash.networks import (
    NETWORKS,
    HashNetwork,
    Standardize,
    borrowed_generator,
    build_network,
    convnet,
    hash_layer,
    linear,
    mlp,
    output_width,
    parts,
    set_mode,
    wrap,
)
from skhash.networks._layers import Dropout

SHAPES = {"linear": (7,), "mlp": (7,), "residual": (7,), "convnet": (3, 12, 9)}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def make(network, input_shape, n_bits=5, **params):
    settings = {"normalize_z": False, "generator": generator(), **params}
    return build_network(network, input_shape, n_bits, **settings)


def weights(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


# Ready-made networks


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_bits", [1, 33])
@pytest.mark.parametrize("normalize_z", [False, True])
def test_network_has_body_and_head(name, n_bits, normalize_z):
    shape = SHAPES[name]
    net = make(name, shape, n_bits, normalize_z=normalize_z)
    x = torch.randn(4, *shape, generator=generator())
    z = net(x)
    assert z.shape == (4, n_bits)
    assert net.features(x).ndim == 2
    net.eval()
    np.testing.assert_array_equal(
        net(x).detach().numpy(), net.head(net.features(x)).detach().numpy()
    )
    if normalize_z:
        assert isinstance(net.head[-1], nn.BatchNorm1d)
        assert not net.head[-1].affine
        np.testing.assert_allclose(z.detach().mean(0), 0, atol=1e-5)
    # Nothing uninitialised, no hash layer of zeros.
    assert torch.isfinite(weights(net)).all()
    assert (weights(net.head) != 0).any()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("normalize_z", [False, True])
def test_weights_come_from_the_generator_alone(name, normalize_z):
    before = torch.get_rng_state()
    one, two, other = (
        weights(
            make(
                name,
                SHAPES[name],
                normalize_z=normalize_z,
                generator=generator(seed),
            )
        )
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_automatic_network_is_a_convnet_for_images_of_8_pixels():
    def convolutions(shape):
        return sum(isinstance(m, nn.Conv2d) for m in make("auto", shape).modules())

    assert convolutions((3, 8, 8)) > 0
    assert convolutions((1, 28, 20)) > 0
    assert convolutions((1, 7, 40)) == 0
    assert convolutions((10,)) == 0


def test_convnet_refuses_what_is_no_image():
    with pytest.raises(ValueError, match=r"needs images.*Got items of shape \(64,\)"):
        convnet((64,), 8)
    with pytest.raises(ValueError, match="at least 8 x 8 pixels, got 7 x 30"):
        convnet((1, 7, 30), 8)
    X = np.random.default_rng(0).normal(size=(20, 64))
    model = DeepHashEncoder(8, network="convnet")
    with pytest.raises(ValueError, match="use network='mlp'"):
        model.fit(X, np.arange(20) % 2)
    assert not hasattr(model, "net_")
    assert not hasattr(model, "n_features_in_")


def test_mlp_is_configured_by_partial():
    network = functools.partial(mlp, hidden=(9, 4), dropout=0.5)
    net = make(network, (7,))
    widths = [layer.out_features for layer in net.modules() if type(layer) is nn.Linear]
    assert widths == [9, 4, 5]
    assert sum(isinstance(layer, Dropout) for layer in net.modules()) == 2
    plain = functools.partial(mlp)
    assert torch.equal(weights(make(plain, (7,))), weights(make("mlp", (7,))))


@pytest.mark.parametrize("normalize", [False, True])
def test_hash_layer_splits_random_features_evenly(normalize):
    head = hash_layer(64, 32, normalize=normalize, generator=generator())
    z = head(torch.randn(500, 64, generator=generator(1)))
    share = (z > 0).double().mean(0)
    assert ((share > 0.3) & (share < 0.7)).all()


# Layers


def test_standardize_casts_lays_out_and_scales():
    first = Standardize((2, 3, 4), channels_last=True)
    first.mean.copy_(torch.tensor([1.0, 2.0]).reshape(2, 1, 1))
    first.scale.copy_(torch.tensor([2.0, 4.0]).reshape(2, 1, 1))
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, size=(5, 3, 4, 2)).astype(np.uint8)
    expected = ((X - np.array([1.0, 2.0])) / np.array([2.0, 4.0])).transpose(0, 3, 1, 2)
    for x in (X, X.reshape(5, -1)):
        out = first(torch.from_numpy(x))
        assert out.dtype == torch.float32
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-6)
    flat = Standardize((24,))
    flat.mean += 3
    for dtype in (torch.float16, torch.float64, torch.int32):
        out = flat(torch.from_numpy(X.reshape(5, 24)).to(dtype))
        assert out.dtype == torch.float32
        np.testing.assert_allclose(out.numpy(), X.reshape(5, 24) - 3.0, rtol=1e-3)


def test_dropout_draws_from_its_own_generator():
    x = torch.ones(200, 50)
    one, two = Dropout(0.3, seed=1), Dropout(0.3, seed=1)
    before = torch.get_rng_state()
    first = one(x)
    assert torch.equal(first, two(x))
    assert not torch.equal(first, one(x))
    assert torch.equal(torch.get_rng_state(), before)
    assert float((first == 0).double().mean()) == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(first[first != 0], 1 / 0.7, rtol=1e-6)
    assert float(first.mean()) == pytest.approx(1, abs=0.03)
    one.eval()
    assert one(x) is x
    assert Dropout(0.0, seed=1)(x) is x
    pickle.loads(pickle.dumps(one))
    copy.deepcopy(one)


def test_set_mode_leaves_frozen_modules_in_evaluation():
    net = HashNetwork(
        nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2)), nn.Identity()
    )
    net.body[0].frozen = True
    set_mode(net, True)
    assert not net.body[0].training
    assert net.body[1].training
    set_mode(net, True, ["body"])
    assert not net.body[1].training
    assert net.head.training
    set_mode(net, False)
    assert not any(module.training for module in net.modules())


def test_parts_are_what_can_be_trained():
    net = make("mlp", (7,))
    assert [name for name, _ in parts(net)] == ["body", "head"]
    assert sum(map(len, dict(parts(net)).values())) == len(list(net.parameters()))
    net.body.requires_grad_(False)
    assert [name for name, _ in parts(net)] == ["head"]
    assert [name for name, _ in parts(linear((7,), 5))] == ["head"]


# Any torch module


def body():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(7, 6), nn.Dropout(0.5), nn.Tanh())


def test_module_gets_a_hash_layer_and_is_not_touched():
    module = body()
    before = weights(module)
    net = make(module, (7,))
    assert net(torch.zeros(3, 7)).shape == (3, 5)
    assert net.lr_scale == {"body": 1.0}
    assert torch.equal(weights(net.body), before)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    assert torch.equal(weights(module), before)
    assert isinstance(module[1], nn.Dropout)
    assert any(isinstance(part, Dropout) for part in net.modules())
    assert not any(type(part) is nn.Dropout for part in net.modules())


def test_module_of_the_width_of_the_codes_gets_a_hash_layer_too():
    net = make(body(), (7,), n_bits=6)
    assert isinstance(net.head, nn.Linear)


def test_images_come_out_of_a_module_flat():
    net = make(nn.Conv2d(1, 2, 3), (1, 6, 6))
    assert net.head.in_features == 2 * 4 * 4
    assert net(torch.zeros(3, 1, 6, 6)).shape == (3, 5)


def test_wrap_freezes_all_or_named_parts():
    net = wrap(body(), freeze=True)((7,), 5, generator=generator())
    assert not any(p.requires_grad for p in net.body.parameters())
    assert all(p.requires_grad for p in net.head.parameters())
    assert net.lr_scale == {"body": 0.1}
    module = nn.Sequential()
    module.add_module("stem", nn.Linear(7, 6))
    module.add_module("top", nn.Linear(6, 6))
    net = wrap(module, freeze=("stem",), lr_scale=0.3)((7,), 5)
    assert {n for n, p in net.named_parameters() if not p.requires_grad} == {
        "body.0.stem.weight",
        "body.0.stem.bias",
    }
    assert net.lr_scale == {"body": 0.3}
    with pytest.raises(ValueError, match=r"freeze='layer4' is not .* 'stem', 'top'"):
        wrap(module, freeze=("layer4",))((7,), 5)
    assert "freeze=('stem',)" in repr(wrap(module, freeze=("stem",)))


def test_function_may_take_a_generator():
    taken = []

    def network(input_shape, n_bits, *, generator):
        taken.append(generator)
        return nn.Linear(input_shape[0], n_bits)

    given = generator()
    make(network, (7,), generator=given)
    assert taken == [given]


def test_function_without_generator_is_seeded_and_leaves_the_global_one():
    def network(input_shape, n_bits):
        return nn.Linear(input_shape[0], n_bits)

    before = torch.get_rng_state()
    one, two, other = (
        weights(make(network, (7,), generator=generator(seed))) for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_lazy_modules_are_seeded_and_leave_the_global_generator():
    def lazy():
        return nn.Sequential(nn.LazyLinear(6), nn.ReLU())

    before = torch.get_rng_state()
    one, two = (weights(make(lazy(), (7,))) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, two)
    assert len(one) == 7 * 6 + 6 + 6 * 5 + 5


@pytest.mark.parametrize("normalize_z", [False, True])
@pytest.mark.parametrize("width", [5, 8])
def test_function_that_returns_a_module_is_completed(width, normalize_z):
    net = make(lambda s, n: nn.Linear(s[0], width), (7,), normalize_z=normalize_z)
    assert isinstance(net, HashNetwork)
    assert net(torch.randn(3, 7)).shape == (3, 5)
    heads = [type(part) for part in net.head.modules()]
    assert (nn.Linear in heads) == (width != 5)
    assert (nn.BatchNorm1d in heads) == normalize_z


class Pair(nn.Module):
    """Returns what no network may."""

    def forward(self, x):
        return x, x


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(3, 4), r"cannot process items of shape \(7,\).*RuntimeError"),
        (lambda s, n: nn.Linear(3, n), r"cannot process items of shape \(7,\)"),
        (lambda s, n: Pair(), r"must return a tensor .* returned tuple"),
        (lambda s, n: nn.Unflatten(1, (7, 1)), r"returned \(2, 7, 1\)"),
        (lambda s, n: linear(s, n + 1), "returned 6 columns instead of n_bits=5"),
    ],
)
def test_networks_that_do_not_fit_are_refused(network, message):
    with pytest.raises(ValueError, match=message):
        make(network, (7,))


def test_function_must_return_a_module():
    with pytest.raises(TypeError, match=r"must return a torch.nn.Module, got ndarray"):
        make(lambda s, n: np.zeros(3), (7,))


def test_width_is_found_without_a_trace():
    module = nn.Sequential(nn.Linear(7, 4), nn.BatchNorm1d(4))
    module[0].eval()
    before = copy.deepcopy(module.state_dict())
    assert output_width(module, (7,)) == 4
    assert not module[0].training
    assert module[1].training
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.grad is None for p in module.parameters())


def test_borrowed_generator_comes_back_after_an_error():
    def draw():
        with borrowed_generator(1):
            inside.append(torch.rand(3))
            with borrowed_generator(1):
                inside.append(torch.rand(3))
            raise KeyError

    inside = []
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with pytest.raises(KeyError):
        draw()
    assert torch.equal(*inside)
    assert torch.equal(torch.rand(3), expected)


def test_plan_that_trains_a_part_that_is_not_there_is_refused():
    class HeadFirst(HashLoss):
        def plan(self, n_epochs):
            return [Stage(n_epochs - 1, train="head"), Stage(1)]

    class Short(HashLoss):
        def plan(self, n_epochs):
            return [Stage(1)]

    def whole(input_shape, n_bits):
        return nn.Linear(input_shape[0], n_bits)

    X, y = np.random.default_rng(0).normal(size=(20, 7)), np.arange(20) % 2
    with pytest.raises(ValueError, match="The plan trains the 'head' of the network"):
        DeepHashEncoder(5, loss=HeadFirst(), network=whole, max_epochs=3).fit(X, y)
    with pytest.raises(ValueError, match="plan of the loss has 1 epochs instead of 3"):
        DeepHashEncoder(5, loss=Short(), max_epochs=3).fit(X, y)


def test_loss_whose_setup_forgets_its_parent_is_refused():
    class Forgetful(HashLoss):
        def setup(self, n_bits, y, *, sample_weight=None, generator=None):
            return self

    X, y = np.random.default_rng(0).normal(size=(20, 7)), np.arange(20) % 2
    with pytest.raises(ValueError, match=r"Forgetful.setup must call super\(\)"):
        DeepHashEncoder(5, loss=Forgetful(), max_epochs=3).fit(X, y)


def test_residual_network_puts_features_beside_the_items():
    net = make("residual", (7,), n_bits=3)
    x = torch.randn(6, 7, generator=generator())
    features = net.eval().features(x)
    assert torch.equal(features[:, :7], x)
    assert torch.equal(features[:, 7:], net.body.layers(x))
    assert features.shape == (6, 7 + 1024)
    flat = make("residual", (2, 4, 3)).features(torch.ones(5, 2, 4, 3))
    assert flat.shape == (5, 24 + 1024)
