"""DHN against the values of its equations and a double loop."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import DHN, HashNet
from skhash.losses._dhn import pair_likelihood
from skhash.losses._pairs import similarity
from skhash.losses._quantization import laplacian_prior, logcosh


def relaxed(rows):
    """Outputs z whose tanh is `rows`."""
    return torch.atanh(torch.tensor(rows, dtype=torch.float64))


def naive_dhn(z, similar, weight, quantization, balance, alpha=1.0):
    h = np.tanh(z)
    n, n_bits = h.shape
    sums = {0: 0.0, 1: 0.0}
    masses = {0: 0.0, 1: 0.0}
    for i in range(n):
        for j in range(n):
            if i != j:
                x = alpha * sum(h[i, k] * h[j, k] for k in range(n_bits))
                s = int(similar[i, j])
                w = weight[i] * weight[j]
                sums[s] += w * (math.log(1 + math.exp(x)) - s * x)
                masses[s] += w
    if balance:
        pairs = sum(sums[s] / masses[s] for s in sums if masses[s] > 0)
    else:
        pairs = sum(sums.values()) / sum(masses.values())
    prior = sum(
        weight[i] * math.log(math.cosh(abs(h[i, k]) - 1))
        for i in range(n)
        for k in range(n_bits)
    )
    return pairs + alpha * quantization * 2 * prior / sum(weight)


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("alpha", "scale"), [(1.0, 1.0), (0.25, 0.25), ("auto", 2.0)])
def test_loss_equals_double_loop(
    z, y, label_sets, weight, balance, multilabel, weighted, alpha, scale
):
    labels = label_sets if multilabel else y
    loss = DHN(quantization=0.3, balance=balance, alpha=alpha).setup(6, labels)
    value = loss(z, labels, weight if weighted else None)
    weights = weight.numpy() if weighted else np.ones(len(z))
    similar = similarity(labels).numpy()
    expected = naive_dhn(z.numpy(), similar, weights, 0.3, balance, scale)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_scaled_inner_products_do_not_grow_with_the_number_of_bits(z, y):
    short = DHN(alpha="auto").setup(6, y)
    long = DHN(alpha="auto").setup(24, y)
    value, repeated = short(z, y), long(z.repeat(1, 4), y)
    # Four copies of every bit say nothing new, and cost the same.
    assert repeated.item() == pytest.approx(value.item(), rel=1e-12)
    assert (short.alpha_, long.alpha_) == (2.0, 0.5)
    paper = DHN().setup(24, y)(z.repeat(1, 4), y)
    assert abs(paper.item() - DHN().setup(6, y)(z, y).item()) > 0.1


def test_orthogonal_codes_cost_log_2_for_either_similarity():
    for s in (0.0, 1.0):
        value = pair_likelihood(torch.tensor(0.0), torch.tensor(s))
        assert value.item() == pytest.approx(math.log(2), abs=1e-6)


def test_equal_codes_cost_little_if_similar():
    x = torch.tensor([2.0, 2.0], dtype=torch.float64)
    value = pair_likelihood(x, torch.tensor([1.0, 0.0]))
    assert value.tolist() == pytest.approx([0.126928, 2.126928], abs=1e-6)


def test_prior_is_zero_at_vertices_and_known_elsewhere():
    vertices = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    assert laplacian_prior(vertices).tolist() == [0, 0]
    x = torch.tensor([1.0, -0.5], dtype=torch.float64)
    assert logcosh(x).tolist() == pytest.approx([0.433781, 0.120115], abs=1e-6)


def test_prior_pushes_towards_vertices():
    h = torch.tensor([[0.5, -0.5, 1.0, -1.0, 1.5]], requires_grad=True)
    laplacian_prior(h).sum().backward()
    slope = math.tanh(-0.5)
    expected = [slope, -slope, 0, 0, -slope]
    assert h.grad[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_three_codes_match_worked_example():
    z = relaxed([[1.0, 1.0], [1.0, -1.0], [0.5, -0.5]])
    y = torch.tensor([0, 1, 0])
    loss = DHN(quantization=0.1).setup(2, y)
    assert loss(z, y).item() == pytest.approx(0.915867, abs=1e-6)
    assert loss.terms_["similarity"].item() == pytest.approx(0.899852, abs=1e-6)
    assert loss.terms_["quantization"].item() == pytest.approx(0.0160153, abs=1e-6)


def test_zero_outputs_cost_log_2_without_gradient(y):
    z = torch.zeros(11, 6, requires_grad=True)
    value = DHN(quantization=0).setup(6, y)(z, y)
    value.backward()
    assert value.item() == pytest.approx(math.log(2), abs=1e-6)
    assert not z.grad.any()


def test_huge_inner_products_stay_finite():
    x = torch.tensor([1e4, -1e4, 1e4, -1e4], requires_grad=True)
    value = pair_likelihood(x, torch.tensor([1.0, 1.0, 0.0, 0.0]))
    value.sum().backward()
    assert value.tolist() == [0, 1e4, 1e4, 0]
    assert x.grad.tolist() == [0, -1, 1, 0]


def test_dhn_is_hashnet_with_unit_weights_plus_prior(z, y):
    hashnet = HashNet(alpha=1.0, weighting=None).setup(6, y)
    prior = 2 * laplacian_prior(z.tanh()).mean()
    value = DHN(quantization=0.2).setup(6, y)(z, y)
    assert value.item() == pytest.approx((hashnet(z, y) + 0.2 * prior).item())
