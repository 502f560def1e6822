"""Class means, label rules and the concentration rule, against loops."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import DCWH, VonMisesFisher
from skhash.losses._centers import concentration_reaching, mixed, sum_by_class
from skhash.losses._classes import class_loss, majority_codes, n_classes_of


def naive_class_loss(logits, label_sets, weight, rule):
    total = mass = 0.0
    for row, labels, w in zip(logits, label_sets, weight, strict=True):
        own = np.flatnonzero(labels)
        if not len(own):
            continue
        loss = 0.0
        for c in own:
            rivals = set(range(len(row))) - (set(own) if rule == "exclude" else {c})
            below = math.exp(row[c]) + sum(math.exp(row[r]) for r in rivals)
            loss -= math.log(math.exp(row[c]) / below) / len(own)
        total, mass = total + w * loss, mass + w
    return total / mass


@pytest.mark.parametrize("rule", ["exclude", "soft"])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_loss_equals_loop(z, label_sets, weight, rule, weighted):
    logits = 3 * z[:, :3]
    value = class_loss(logits, label_sets, weight if weighted else None, rule)
    plain = weight.numpy() if weighted else np.ones(len(z))
    expected = naive_class_loss(logits.numpy(), label_sets.numpy(), plain, rule)
    assert value.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rule", ["exclude", "soft"])
def test_class_loss_of_one_label_is_cross_entropy(z, y, rule):
    logits = z[:, :3]
    one_hot = torch.nn.functional.one_hot(y, 3)
    expected = torch.nn.functional.cross_entropy(logits, y)
    for labels in (y, one_hot, one_hot.double()):
        assert class_loss(logits, labels, rule=rule).item() == pytest.approx(
            expected.item()
        )


def test_own_labels_are_no_rivals():
    logits = torch.tensor([[2.0, 1.0, -1.0]], requires_grad=True)
    every = torch.ones(1, 3)
    value = class_loss(logits, every)
    value.backward()
    assert value.item() == 0
    assert not logits.grad.any()


def test_extreme_logits_stay_finite():
    logits = torch.tensor([[1e30, -1e30, 0.0]], requires_grad=True)
    for labels in (torch.tensor([1]), torch.tensor([[0.0, 1.0, 1.0]])):
        value = class_loss(logits, labels)
        (grad,) = torch.autograd.grad(value, logits)
        assert value.isfinite()
        assert grad.isfinite().all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("multilabel", [False, True])
def test_class_sums_equal_loop(z, y, label_sets, weight, weighted, multilabel):
    labels = label_sets if multilabel else y
    sums, masses = sum_by_class(z, labels, 3, weight if weighted else None)
    plain = weight if weighted else torch.ones(11, dtype=torch.float64)
    for c in range(3):
        members = label_sets[:, c] > 0 if multilabel else y == c
        rows = plain[members][:, None] * z[members]
        np.testing.assert_allclose(sums[c], rows.sum(0))
        assert masses[c].item() == pytest.approx(plain[members].sum().item())


def test_mixing_replaces_keeps_and_averages():
    old, new = torch.zeros(3, 2), torch.ones(3, 2)
    estimated = torch.tensor([True, False, True])
    seen = torch.tensor([True, True, False])
    result = mixed(old, new, 0.8, estimated, seen)
    np.testing.assert_allclose(result[:, 0], [0.2, 1, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("n_classes", "expected"),
    [
        (10, [3.96, 6.11, 8.19]),
        (100, [6.72, 9.10, 11.39]),
        (1000, [9.09, 11.49, 13.80]),
    ],
)
def test_concentration_rule_matches_table(n_classes, expected):
    values = [concentration_reaching(p, n_classes) for p in (0.9, 0.99, 0.999)]
    assert values == pytest.approx(expected, abs=0.01)


def test_simplex_reaches_the_probability():
    kappa = concentration_reaching(0.9, 4)
    scores = torch.full((4, 4), -1 / 3.0).fill_diagonal_(1)
    assert (kappa * scores).softmax(1).diagonal().tolist() == pytest.approx([0.9] * 4)


def test_classes_are_counted(y, label_sets):
    assert n_classes_of(y) == 3
    assert n_classes_of(label_sets[:, :2]) == 2


def test_majority_of_labels_votes_for_each_bit():
    centers = torch.tensor([[1.0, 1, 1, -1], [1, -1, 1, 1], [-1, -1, 1, -1]])
    breaker = torch.tensor([-1.0, 1, -1, 1])
    labels = torch.tensor([[1.0, 1, 1], [1, 1, 0], [0, 0, 1], [0, 0, 0]])
    expected = [[1, -1, 1, -1], [1, 1, 1, 1], [-1, -1, 1, -1], [-1, 1, -1, 1]]
    assert majority_codes(labels, centers, breaker).tolist() == expected
    y = torch.tensor([2, 0])
    assert torch.equal(majority_codes(y, centers, breaker), centers[[2, 0]])


@pytest.mark.parametrize("family", [DCWH, VonMisesFisher])
@pytest.mark.parametrize(
    ("ema", "n_classes", "expected"),
    [("auto", 8, 0.5), ("auto", 9, 0.9), (0.25, 9, 0.25), (0.0, 2, 0.0)],
)
def test_centres_follow_slowly_where_classes_outnumber_bits(
    family, ema, n_classes, expected
):
    y = torch.arange(n_classes)
    loss = family(ema=ema, center_init="normal").setup(8, y)
    before = loss.centers_.clone()
    z = torch.randn(n_classes, 8)
    loss.refresh(z, y)
    means = torch.nn.functional.normalize(z) if family is VonMisesFisher else z
    mixture = expected * before + (1 - expected) * means
    if family is VonMisesFisher:
        mixture = torch.nn.functional.normalize(mixture)
    torch.testing.assert_close(loss.centers_, mixture)
