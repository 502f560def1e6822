"""The further pairwise and triplet losses against loops over pairs."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import DCH, DPSH, DSH, DTSH
from skhash.losses._dtsh import triplet_likelihood
from skhash.losses._pairs import similarity


def pair_average(loss_of_pair, z, similar, weight, balance):
    """Mean of a loss over the ordered pairs of different items."""
    sums, masses = {0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0}
    for i in range(len(z)):
        for j in range(len(z)):
            if i != j:
                s = int(similar[i, j])
                w = weight[i] * weight[j]
                sums[s] += w * loss_of_pair(z[i], z[j], s)
                masses[s] += w
    if balance:
        return sum(sums[s] / masses[s] for s in sums if masses[s])
    return sum(sums.values()) / sum(masses.values())


def to_signs(z, power):
    """Sum over bits of the distance to the sign, to a power, for each item."""
    signs = np.where(z > 0, 1, -1)
    return (np.abs(z - signs) ** power).sum(1)


def cosine(a, b):
    return a @ b / math.sqrt((a @ a) * (b @ b))


def naive_dsh(z, similar, weight, loss):
    def pair(a, b, s):
        squared = sum((a - b) ** 2)
        return squared / 2 if s else max(loss.margin - squared, 0) / 2

    pairs = pair_average(pair, z, similar, weight, loss.balance)
    off = weight @ to_signs(z, 1) / weight.sum()
    return pairs + 2 * loss.quantization * off


def naive_dpsh(z, similar, weight, loss):
    def pair(a, b, s):
        theta = a @ b / 2
        return math.log(1 + math.exp(theta)) - s * theta

    pairs = pair_average(pair, z, similar, weight, loss.balance)
    off = weight @ to_signs(z, 2) / weight.sum() / z.shape[1]
    return pairs + loss.quantization * off


def naive_dch(z, similar, weight, loss):
    h = np.tanh(z)
    n_bits = h.shape[1]

    def pair(a, b, s):
        d = n_bits / 2 * (1 - cosine(a, b))
        if s:
            return math.log(d / loss.gamma) + math.log(1 + loss.gamma / d)
        return math.log(1 + loss.gamma / (d + 0.01))

    pairs = pair_average(pair, h, similar, weight, loss.balance)
    ones = np.ones(n_bits)
    distances = [n_bits / 2 * (1 - cosine(np.abs(row), ones)) for row in h]
    off = weight @ np.log(1 + np.array(distances) / loss.gamma) / weight.sum()
    return pairs + loss.quantization * off


def naive_dtsh(z, similar, weight, loss):
    n = len(z)
    total = mass = 0.0
    for a in range(n):
        inner = inner_mass = 0.0
        for p in range(n):
            for q in range(n):
                if p != a and similar[a, p] and not similar[a, q] and q != a:
                    w = weight[p] * weight[q]
                    x = (z[a] @ z[p] - z[a] @ z[q]) / 2 - loss.margin
                    inner += w * math.log(1 + math.exp(-x))
                    inner_mass += w
        if inner_mass:
            total += weight[a] * inner / inner_mass
            mass += weight[a]
    off = weight @ to_signs(z, 2) / weight.sum() / z.shape[1]
    return total / mass + loss.quantization * off


@pytest.mark.parametrize(
    ("loss", "naive"),
    [
        (DSH(margin=9.0, quantization=0.3), naive_dsh),
        (DSH(margin=9.0, quantization=0.0, balance=True), naive_dsh),
        (DPSH(quantization=0.7), naive_dpsh),
        (DPSH(balance=True), naive_dpsh),
        (DCH(gamma=3.0), naive_dch),
        (DCH(balance=False, quantization=1.0), naive_dch),
        (DTSH(margin=2.0, quantization=0.4), naive_dtsh),
    ],
    ids=lambda each: getattr(each, "__name__", repr(each)),  # the same in all workers
)
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_equals_loop(z, y, label_sets, weight, loss, naive, multilabel, weighted):
    labels = label_sets if multilabel else y
    plain = weight.numpy() if weighted else np.ones(len(z))
    expected = naive(z.numpy(), similarity(labels).numpy(), plain, loss)
    value = loss.setup(6, labels)(z, labels, weight if weighted else None)
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_triplet_chunks_change_neither_value_nor_gradient(z, y, monkeypatch):
    results = []
    for size in (1, 100, 2**20):
        monkeypatch.setattr("skhash.losses._dtsh.CHUNK_SIZE", size)
        theta = (z @ z.T).requires_grad_()
        value = triplet_likelihood(theta, similarity(y), 2.0)
        (grad,) = torch.autograd.grad(value, theta)
        results.append((value.item(), grad))
    for value, grad in results[1:]:
        assert value == pytest.approx(results[0][0])
        np.testing.assert_allclose(grad, results[0][1], atol=1e-15)


def test_margins_follow_the_bits(y):
    assert DSH().setup(24, y).margin_ == 48
    assert DTSH().setup(24, y).margin_ == 12


def test_dissimilar_pairs_beyond_the_margin_cost_nothing():
    z = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0]])
    loss = DSH(quantization=0.0).setup(4, torch.tensor([0, 1]))
    assert loss(z, torch.tensor([0, 1])).item() == 0


def test_cauchy_penalty_of_equal_dissimilar_codes_pushes_without_bursting():
    z = torch.tensor([[1.0, 1.0], [1.0, 1.0 - 1e-4]], requires_grad=True)
    value = DCH(gamma=1.0).setup(2, torch.tensor([0, 1]))(z, torch.tensor([0, 1]))
    value.backward()
    assert 0 < z.grad.abs().max() < 10
