"""Exponentiated loss against worked values, expectations and loops."""

import itertools
import math

import numpy as np
import pytest
import torch

from skhash.losses import Exponentiated
from skhash.losses._expected import expected_exponential
from skhash.losses._pairs import jaccard, similarity

H_I, H_J = (0.3, -0.8, 0.5, 0.1), (0.9, -0.2, -0.4, 0.6)


def pair(h_i, h_j, sign, gamma):
    """Bilinear loss of one pair."""
    h = torch.stack([torch.as_tensor(row, dtype=torch.float64) for row in (h_i, h_j)])
    return expected_exponential(h, torch.full((2, 2), float(sign)).to(h), gamma)[0, 1]


def naive_exponentiated(z, similar, overlap, weight, gamma, surrogate, balance):
    h = np.tanh(z)
    n, n_bits = h.shape
    sums, masses = {0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0}
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            s = int(similar[i, j])
            y = 2 * s - 1
            loss = 1.0
            for k in range(n_bits):
                product = y * h[i, k] * h[j, k]
                if surrogate == "bilinear":
                    loss *= math.cosh(gamma) - product * math.sinh(gamma)
                else:
                    loss *= math.exp(-gamma * product)
            w = weight[i] * weight[j]
            sums[s] += w * loss * (overlap[i, j] if s else 1)
            masses[s] += w
    if balance:
        return sum(sums[s] / masses[s] for s in sums if masses[s])
    return sum(sums.values()) / sum(masses.values())


@pytest.mark.parametrize("surrogate", ["bilinear", "exp"])
@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("form", ["binary", "jaccard"])
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_equals_double_loop(
    z, y, label_sets, weight, surrogate, balance, form, multilabel, weighted
):
    labels = label_sets if multilabel else y
    loss = Exponentiated(
        gamma=0.4, surrogate=surrogate, balance=balance, similarity=form
    ).setup(6, labels)
    similar = similarity(labels)
    overlap = jaccard(labels) if form == "jaccard" else similar
    plain = weight.numpy() if weighted else np.ones(len(z))
    expected = naive_exponentiated(
        z.numpy(), similar.numpy(), overlap.numpy(), plain, 0.4, surrogate, balance
    )
    value = loss(z, labels, weight if weighted else None)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_codes_match_worked_example():
    value = lambda b, sign: pair((1.0, 1.0), b, sign, 0.5).item()
    assert value((1.0, 1.0), 1) == pytest.approx(0.367879, abs=1e-6)
    assert value((-1.0, -1.0), 1) == pytest.approx(2.718282, abs=1e-6)
    assert value((1.0, -1.0), 1) == pytest.approx(1)
    for b in ((1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)):
        assert value(b, -1) == pytest.approx(1 / value(b, 1))


@pytest.mark.parametrize("n_bits", [1, 3, 5])
@pytest.mark.parametrize("sign", [1, -1])
def test_vertices_give_the_exponential_exactly(n_bits, sign):
    vertices = list(itertools.product((-1.0, 1.0), repeat=n_bits))
    codes = torch.tensor(vertices, dtype=torch.float64)
    signs = torch.full((len(codes), len(codes)), float(sign)).to(codes)
    value = expected_exponential(codes, signs, 0.7)
    expected = torch.exp(-0.7 * sign * codes @ codes.T)
    np.testing.assert_allclose(value, expected, rtol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_inside_the_cube_it_is_the_expectation_over_random_bits(sign):
    gamma = 0.25
    expected = 0.0
    for b_i in itertools.product((-1, 1), repeat=4):
        for b_j in itertools.product((-1, 1), repeat=4):
            bits, means = b_i + b_j, H_I + H_J
            chances = [(1 + b * h) / 2 for b, h in zip(bits, means, strict=True)]
            inner = sum(p * q for p, q in zip(b_i, b_j, strict=True))
            expected += math.prod(chances) * math.exp(-gamma * sign * inner)
    assert pair(H_I, H_J, sign, gamma).item() == pytest.approx(expected, rel=1e-12)


def test_zero_codes_match_worked_example_without_gradient():
    z = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 0, 1])
    value = Exponentiated(gamma=0.5, balance=False).setup(2, y)(z, y)
    value.backward()
    assert value.item() == pytest.approx(1.271540, abs=1e-6)
    assert not z.grad.any()


def test_relaxed_pair_matches_worked_example():
    h = torch.tensor([H_I, H_J], dtype=torch.float64, requires_grad=True)
    ones = torch.ones(2, 2, dtype=torch.float64)
    value = expected_exponential(h, ones, 0.25)[0, 1]
    (grad,) = torch.autograd.grad(value, h)
    assert value.item() == pytest.approx(1.049533, abs=1e-6)
    assert grad[0, 2].item() == pytest.approx(0.098019, abs=1e-6)
    assert pair(H_I, H_J, -1, 0.25).item() == pytest.approx(1.209921, abs=1e-6)
    inner = sum(p * q for p, q in zip(H_I, H_J, strict=True))
    naive = [math.exp(-0.25 * inner), math.exp(0.25 * inner)]
    assert naive == pytest.approx([0.930066, 1.075193], abs=1e-6)
    assert naive[0] <= pair(H_I, H_J, 1, 0.25)
    assert naive[1] <= pair(H_I, H_J, -1, 0.25)


def test_loss_is_affine_in_each_bit():
    values = []
    for x in (-1.0, 0.0, 1.0):
        h = (H_I[0], x, *H_I[2:])
        values.append(pair(h, H_J, 1, 0.4).item())
    assert values[0] + values[2] == pytest.approx(2 * values[1])


def test_penalty_follows_the_inner_product():
    base = torch.ones(6)
    codes = [torch.cat([-torch.ones(k), torch.ones(6 - k)]) for k in range(7)]
    similar = [pair(base, b, 1, 0.3).item() for b in codes]
    dissimilar = [pair(base, b, -1, 0.3).item() for b in codes]
    assert similar == sorted(similar)
    assert dissimilar == sorted(dissimilar, reverse=True)


@pytest.mark.parametrize("group_size", [1, 11 * 11 * 4, 10**9])
def test_groups_of_bits_change_neither_value_nor_gradient(
    z, group_size, monkeypatch, new_generator
):
    monkeypatch.setattr("skhash.losses._expected.GROUP_SIZE", group_size)
    noise = torch.randn(11, 11, generator=new_generator(3), dtype=torch.float64)
    sign = (noise + noise.T).sign()
    h = z.tanh().requires_grad_()
    direct = torch.ones(11, 11, dtype=torch.float64)
    for column in h.T:
        outer = column[:, None] * column[None, :]
        direct = direct * (math.cosh(0.4) - sign * outer * math.sinh(0.4))
    value = expected_exponential(h, sign, 0.4)
    np.testing.assert_allclose(value.detach(), direct.detach())
    grads = [
        torch.autograd.grad((noise * loss).sum(), h)[0] for loss in (value, direct)
    ]
    np.testing.assert_allclose(*grads, atol=1e-12)


def test_large_gamma_is_refused(y):
    with pytest.raises(ValueError, match=r"gamma at most 40 / n_bits = 2.5"):
        Exponentiated(gamma=3.0).setup(16, y)


@pytest.mark.parametrize("n_bits", [1, 8])
def test_largest_gamma_is_finite_in_float32(n_bits, new_generator):
    y = torch.tensor([0, 0, 1, 1])
    z = 30 * torch.randn(4, n_bits, generator=new_generator(0))
    z.requires_grad_()
    value = Exponentiated(gamma=40 / n_bits).setup(n_bits, y)(z, y)
    value.backward()
    assert value.isfinite()
    assert z.grad.isfinite().all()


def test_default_gamma_follows_the_bits(y):
    assert Exponentiated().setup(48, y).gamma_ == pytest.approx(4 / 48)


def test_plan_pretrains_then_hashes_then_tunes():
    pretraining, head, tuning = Exponentiated(pretrain=0.4).plan(10)
    assert (pretraining.epochs, head.epochs, tuning.epochs) == (4, 1, 5)
    assert (pretraining.input, pretraining.train) == ("features", "all")
    assert (head.input, head.train) == ("z", "head")
    assert tuning.lr_scale == {"body": 0.1}
    assert pretraining.settings == {"pretraining_": True}
    assert head.settings == tuning.settings == {"pretraining_": False}


@pytest.mark.parametrize("n_epochs", range(1, 21))
@pytest.mark.parametrize("pretrain", [0.1, 0.5, 0.99])
def test_pretraining_leaves_room_for_hashing(n_epochs, pretrain):
    plan = Exponentiated(pretrain=pretrain).plan(n_epochs)
    assert sum(stage.epochs for stage in plan) == n_epochs
    assert plan[-1].input == "z"
    assert plan[-1].train == "all"


@pytest.mark.parametrize("multilabel", [False, True])
def test_pretraining_classifies_features(y, label_sets, multilabel, new_generator):
    labels = label_sets if multilabel else y
    loss = Exponentiated(pretrain=0.5)
    loss.setup(6, labels, generator=new_generator(0), n_features=20).double()
    features = torch.randn(11, 20, generator=new_generator(1)).double()
    loss.pretraining_ = True
    value = loss(features, labels)
    value.backward()
    logits = loss.classifier_(features)
    if multilabel:
        cost = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    else:
        cost = torch.nn.functional.cross_entropy(logits, labels)
    assert value.item() == pytest.approx(cost.item())
    assert loss.classifier_.weight.grad.abs().sum() > 0


def test_pretraining_draws_only_from_its_generator(y, new_generator):
    before = torch.random.get_rng_state()
    weights = [
        Exponentiated()
        .setup(6, y, generator=new_generator(seed), n_features=20)
        .classifier_.weight
        for seed in (0, 0, 1)
    ]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
