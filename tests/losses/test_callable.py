"""Losses made of functions, and of what pytorch-metric-learning offers."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import pairwise_distances
from torch import nn

from skhash import DeepHashEncoder
from skhash.losses import HashLoss, from_callable
from skhash.metrics import mean_average_precision


def contrast(z, y):
    h = z.tanh()
    same = (y[:, None] == y[None, :]).to(z.dtype)
    return (h @ h.T / z.shape[1] - same).square().mean()


class Contrast(HashLoss):
    def forward(self, z, y):
        return contrast(z, y)


class Proxies(nn.Module):
    """A loss with parameters of its own."""

    def __init__(self):
        super().__init__()
        self.proxies = nn.Parameter(torch.zeros(4, 8))

    def forward(self, z, y):
        return nn.functional.cross_entropy(z @ (1 + self.proxies).T, y)


def test_it_equals_the_same_formula_as_a_class(blobs):
    X, y = blobs
    encoders = [
        DeepHashEncoder(8, loss=loss, max_epochs=3, random_state=0).fit(X, y)
        for loss in (from_callable(contrast), Contrast())
    ]
    np.testing.assert_array_equal(*(encoder.embed(X) for encoder in encoders))


def test_miner_sees_the_batch_and_its_answer_reaches_the_function(z, y):
    seen = []

    def miner(outputs, labels):
        seen.append((outputs, labels))
        return outputs.shape[0], 5

    def function(outputs, labels, mined):
        return outputs.sum() * mined[0] + mined[1]

    loss = from_callable(function, miner=miner).setup(6, y)
    assert loss(z, y) == z.sum() * 11 + 5
    assert seen[0][0] is z
    assert torch.equal(seen[0][1], y)


def test_parameters_of_a_module_are_trained_and_the_given_one_stays(blobs):
    X, y = blobs
    module = Proxies()
    loss = from_callable(module)
    encoder = DeepHashEncoder(8, loss=loss, max_epochs=2, random_state=0).fit(X, y)
    trained = encoder.net_.criterion_.function
    assert (trained.proxies != 0).any()
    assert (module.proxies == 0).all()


def test_module_that_draws_follows_random_state(blobs):
    X, y = blobs

    def noisy(z, y):
        return contrast(z + torch.randn_like(z), y)

    one, two = (
        DeepHashEncoder(8, loss=from_callable(noisy), max_epochs=2, random_state=3)
        for _ in range(2)
    )
    one.fit(X, y)
    torch.manual_seed(99)
    np.testing.assert_array_equal(one.embed(X), two.fit(X, y).embed(X))


def test_clone_repr_and_pickle(z, y):
    loss = from_callable(contrast)
    assert clone(loss).function is not None
    assert repr(loss).startswith("CallableLoss(function=<function contrast")
    again = pickle.loads(pickle.dumps(loss)).setup(6, y)
    assert again(z, y) == contrast(z, y)


def test_label_sets_arrive_as_a_matrix(z):
    sets = torch.eye(3)[torch.arange(11) % 3]
    shapes = []

    def function(outputs, labels):
        shapes.append(labels.shape)
        return outputs.sum()

    from_callable(function).setup(6, sets)(z, sets)
    assert shapes == [(11, 3)]


@pytest.mark.parametrize("name", ["function", "miner"])
@pytest.mark.parametrize(
    ("value", "message"),
    [(Proxies, r"is the class Proxies.*give Proxies\(\)"), (3, r"got 3 of type int")],
)
def test_what_cannot_be_called_is_refused(name, value, message):
    arguments = {"function": contrast, name: value}
    with pytest.raises(TypeError, match=f"^{name} {'is' if value is Proxies else ''}"):
        from_callable(arguments.pop("function"), **arguments)
    with pytest.raises(TypeError, match=message):
        from_callable(**{"function": contrast, name: value})


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda z, y: z.square().mean(1), r"returned a Tensor of shape \(11,\)"),
        (lambda z, y: 0.5, r"returned a float:"),
    ],
)
def test_function_that_returns_no_scalar_is_named(z, y, function, message):
    loss = from_callable(function).setup(6, y)
    with pytest.raises(ValueError, match=message) as caught:
        loss(z, y)
    assert "<lambda> must return a scalar" in str(caught.value)


def test_weights_are_refused(blobs):
    X, y = blobs
    encoder = DeepHashEncoder(8, loss=from_callable(contrast), max_epochs=1)
    with pytest.raises(ValueError, match="sample_weight"):
        encoder.fit(X, y, sample_weight=np.arange(len(y)))


class TestPytorchMetricLearning:
    @pytest.fixture
    def pml(self):
        name = "pytorch_metric_learning"
        losses = pytest.importorskip(f"{name}.losses", reason=f"{name} is not there")
        return losses, pytest.importorskip(f"{name}.miners")

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("ContrastiveLoss", {}),
            ("TripletMarginLoss", {}),
            ("MultiSimilarityLoss", {}),
            ("SupConLoss", {}),
            ("ProxyAnchorLoss", {"num_classes": 4, "embedding_size": 16}),
            ("ArcFaceLoss", {"num_classes": 4, "embedding_size": 16}),
        ],
    )
    def test_its_losses_learn_codes(self, pml, blobs, name, options):
        X, y = blobs
        loss = from_callable(getattr(pml[0], name)(**options))
        encoder = DeepHashEncoder(16, loss=loss, max_epochs=15, random_state=0)
        codes = encoder.fit(X, y).transform(X)
        assert mean_average_precision(codes, codes, y, y) > 0.9

    def test_its_miners_choose_the_pairs(self, pml, rng):
        X, labels = rng.normal(size=(50, 10)), np.arange(50) % 4
        losses, miners = pml
        function, miner = losses.TripletMarginLoss(), miners.BatchHardMiner()
        loss = from_callable(function, miner=miner).setup(10, torch.tensor(labels))
        unit = X / np.linalg.norm(X, axis=1, keepdims=True)
        distance = pairwise_distances(unit)
        expected = []
        for i in range(50):
            same = (labels == labels[i]) & (np.arange(50) != i)
            hardest = distance[i, same].max() - distance[i, labels != labels[i]].min()
            expected.append(hardest + 0.05)
        expected = np.mean([each for each in expected if each > 0])
        value = loss(torch.tensor(X), torch.tensor(labels)).item()
        assert value == pytest.approx(expected, rel=1e-4)
