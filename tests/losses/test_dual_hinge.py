"""Dual hinge against the values of its derivation and a double loop."""

import math

import numpy as np
import pytest
import torch
from scipy.special import gammaincc

from skhash.losses import DualHinge
from skhash.losses._dual_hinge import (
    matching_probability,
    pair_distance,
    skewed_divergence,
)
from skhash.losses._pairs import jaccard, similarity

HEIGHT = math.log(21)  # log(1.05 / 0.05)


def pair_loss(d, k, rate=0.5, shape=1.0, skew=1.05):
    """Loss of pairs at distances d with true probability k."""
    d = torch.as_tensor(d)
    u, log_u = matching_probability(rate * d, shape)
    return skewed_divergence(u, log_u, torch.full_like(u, k), skew)


def naive_distance(a, b, distance):
    if distance == "inner":
        return (len(a) - sum(p * q for p, q in zip(a, b, strict=True))) / 2
    squared = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
    return squared / 4 if distance == "squared" else math.sqrt(squared)


def naive_divergence(u, k, skew):
    term = lambda p, q: p * math.log(skew * p / ((skew - 1) * p + q)) if p else 0.0
    return term(u, k) + term(k, u)


def naive_dual_hinge(z, similar, truth, weight, loss):
    h = np.tanh(z)
    n = len(h)
    sums, masses = {0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0}
    for i in range(n):
        for j in range(n):
            if i != j:
                d = naive_distance(h[i], h[j], loss.distance)
                u = gammaincc(loss.shape, loss.rate * d)
                s = int(similar[i, j])
                w = weight[i] * weight[j]
                sums[s] += w * naive_divergence(u, truth[i, j], loss.skew)
                masses[s] += w
    if loss.balance:
        pairs = sum(sums[s] / masses[s] for s in sums if masses[s])
    else:
        pairs = sum(sums.values()) / sum(masses.values())
    off = ((np.abs(h) - 1) ** 2).mean(1) @ weight / weight.sum()
    return pairs + loss.quantization * off


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"shape": 0.5},
        {"shape": 2.5, "skew": 1.5},
        {"distance": "inner"},
        {"distance": "euclidean"},
        {"balance": False},
        {"quantization": 0.4},
        {"similarity": "jaccard"},
        {"similarity": "jaccard", "shape": 2, "balance": False},
    ],
)
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_equals_double_loop(
    z, y, label_sets, weight, params, multilabel, weighted
):
    labels = label_sets if multilabel else y
    loss = DualHinge(rate=0.8, **params).setup(6, labels)
    similar = similarity(labels)
    truth = jaccard(labels) if loss.similarity == "jaccard" else similar
    plain = weight.numpy() if weighted else np.ones(len(z))
    expected = naive_dual_hinge(
        z.numpy(), similar.numpy(), truth.double().numpy(), plain, loss
    )
    value = loss(z, labels, weight if weighted else None)
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_pair_losses_match_the_table():
    d = torch.tensor([0, 0.5, 1, 2, 3, 4, 6, 8, 12, 24], dtype=torch.float64)
    similar = [0, 0.050112, 0.177783, 0.564717, 1.020313]
    similar += [1.469399, 2.206451, 2.660021, 2.981385, 3.044326]
    dissimilar = [3.044522, 2.371076, 1.846596, 1.120017, 0.679325]
    dissimilar += [0.412031, 0.151578, 0.055762, 0.007547, 0.000019]
    assert pair_loss(d, 1.0).tolist() == pytest.approx(similar, abs=1e-6)
    assert pair_loss(d, 0.0).tolist() == pytest.approx(dissimilar, abs=1e-6)


def test_two_codes_match_worked_example():
    codes = torch.tensor([[1.0, 1, 1, 1], [1, 1, -1, -1], [1, 1, 1, 1]]) * 20
    loss = DualHinge(rate=0.5).setup(4, torch.tensor([0, 1]))
    value = lambda rows, labels: loss(codes[rows], torch.tensor(labels)).item()
    assert value([0, 1], [0, 0]) == pytest.approx(0.564717, abs=1e-6)
    assert value([0, 1], [0, 1]) == pytest.approx(1.120017, abs=1e-6)
    assert value([0, 2], [0, 0]) == pytest.approx(0, abs=1e-6)
    assert value([0, 2], [0, 1]) == pytest.approx(HEIGHT, abs=1e-5)


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("k", [0.0, 1.0])
def test_pair_losses_lie_between_0_and_the_bound(shape, k):
    d = torch.linspace(0, 40, 200, dtype=torch.float64)
    value = pair_loss(d, k, shape=shape)
    assert (value >= -1e-12).all()
    assert (value <= HEIGHT + 1e-12).all()


def test_dissimilar_penalty_decays_exponentially():
    d = torch.linspace(0, 10, 21, dtype=torch.float64)
    ratio = pair_loss(d + 1.5, 0.0) / pair_loss(d, 0.0)
    np.testing.assert_allclose(ratio, math.exp(-0.5 * 1.5), rtol=1e-12)


def test_gradient_signs():
    d = torch.linspace(0, 12, 25, dtype=torch.float64, requires_grad=True)
    (pull,) = torch.autograd.grad(pair_loss(d, 1.0).sum(), d)
    (push,) = torch.autograd.grad(pair_loss(d, 0.0).sum(), d)
    assert pull[0].item() == pytest.approx(0, abs=1e-15)
    assert (pull[1:] > 0).all()
    assert (push < 0).all()
    assert (push.abs().diff() < 0).all()


def test_limits():
    d = torch.linspace(0, 10, 5, dtype=torch.float64)
    for k in (0.0, 1.0):
        assert pair_loss(d, k, skew=1e9).abs().max() < 1e-7
    assert pair_loss([1e3], 1.0).item() == pytest.approx(HEIGHT)
    assert pair_loss([1e3], 0.0).item() == 0


@pytest.mark.parametrize("shape", [0.3, 1.0, 1 + 1e-9, 2.0, 5.0])
@pytest.mark.parametrize("k", [0.0, 0.3, 1.0])
def test_extreme_distances_stay_finite_in_float32(shape, k):
    d = torch.tensor([0.0, 1e-30, 1e-7, 80, 100, 180, 210, 1e6], requires_grad=True)
    value = pair_loss(d, k, shape=shape)
    value.sum().backward()
    assert value.isfinite().all()
    assert d.grad.isfinite().all()


@pytest.mark.parametrize("distance", ["squared", "inner", "euclidean"])
@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0])
def test_equal_codes_have_finite_gradients(distance, shape):
    z = torch.full((4, 6), 0.7, requires_grad=True)
    y = torch.tensor([0, 0, 1, 1])
    DualHinge(shape=shape, distance=distance).setup(6, y)(z, y).backward()
    assert z.grad.isfinite().all()
    assert z.grad.abs().max() < 1


@pytest.mark.parametrize("k", [0.0, 0.4, 1.0])
def test_incomplete_gamma_path_continues_the_exponential_one(k):
    t = torch.linspace(0.01, 10, 30, dtype=torch.float64, requires_grad=True)
    ones = torch.ones_like(t)
    u = torch.special.gammaincc(ones, t)
    general = skewed_divergence(u, u.log(), ones * k, 1.05)
    special = skewed_divergence(*matching_probability(t, 1.0), ones * k, 1.05)
    np.testing.assert_allclose(general.detach(), special.detach(), atol=1e-12)
    slopes = [torch.autograd.grad(loss.sum(), t)[0] for loss in (general, special)]
    np.testing.assert_allclose(*slopes, atol=1e-6)


def test_special_shapes_have_closed_forms():
    t = torch.linspace(0.01, 8, 30, dtype=torch.float64)
    two, _ = matching_probability(t, 2.0)
    np.testing.assert_allclose(two, (1 + t) * torch.exp(-t), rtol=1e-12)
    half, _ = matching_probability(t, 0.5)
    np.testing.assert_allclose(half, torch.erfc(t.sqrt()), rtol=1e-10)


def test_similar_slope_in_u_matches_its_formula():
    u = torch.tensor([0.05, 0.2, 0.5, 0.9, 1.0], dtype=torch.float64)
    u.requires_grad_()
    skewed_divergence(u, u.log(), torch.ones_like(u), 1.05).sum().backward()
    expected = [-11.951933, -4.580499, -1.511622, -0.196281, 0]
    assert u.grad.tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("skew", [1.01, 1.05, 1.5, 2.0, 5.0])
def test_divergence_is_zero_only_at_equality(skew):
    grid = torch.linspace(0, 1, 21, dtype=torch.float64)
    u, k = torch.meshgrid(grid, grid, indexing="ij")
    value = skewed_divergence(u, u.clamp_min(1e-300).log(), k, skew)
    assert value.diagonal().abs().max() < 1e-12
    off = value[~torch.eye(21, dtype=torch.bool)]
    assert (off > 1e-6).all()


def test_distances_are_hamming_on_vertices(new_generator):
    noise = torch.randn(9, 7, generator=new_generator(0))
    codes = torch.where(noise > 0, 1.0, -1.0).double()
    hamming = (codes[:, None] != codes[None, :]).sum(-1)
    for distance in ("squared", "inner"):
        np.testing.assert_allclose(pair_distance(codes, distance), hamming)
    np.testing.assert_allclose(
        pair_distance(codes, "euclidean"), 2 * hamming.double().sqrt()
    )


def test_default_rate_follows_the_bits(y):
    assert DualHinge().setup(48, y).rate_ == pytest.approx(16 / 48)
