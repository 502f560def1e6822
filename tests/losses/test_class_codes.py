"""The losses that aim at codes of classes, or classify codes, against loops."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import CSQ, DPN, GreedyHash, OrthoHash
from skhash.losses._greedy_hash import straight_through_sign


def naive_targets(labels, centers, breaker):
    """Code of each item and whether it has one."""
    rows = []
    for label in labels:
        if np.ndim(label) == 0:
            rows.append(centers[label])
            continue
        votes = sum(centers[c] for c in np.flatnonzero(label)) + np.zeros(len(breaker))
        rows.append(np.where(votes == 0, breaker, np.where(votes > 0, 1, -1)))
    known = [np.ndim(label) == 0 or label.sum() > 0 for label in labels]
    return np.array(rows), np.array(known, dtype=float)


def naive_csq(z, labels, weight, loss):
    targets, known = naive_targets(labels, loss.centers_.numpy(), loss.tie_breaker_)
    n_bits = z.shape[1]
    costs = np.zeros(len(z))
    off = np.zeros(len(z))
    for i, k in np.ndindex(z.shape):
        h = math.tanh(z[i, k])
        p, q = (h + 1) / 2, (targets[i, k] + 1) / 2
        costs[i] -= (q * math.log(p) + (1 - q) * math.log(1 - p)) / n_bits
        off[i] += (abs(h) - 1) ** 2 / n_bits
    known = known * weight
    return costs @ known / known.sum() + loss.quantization * off @ weight / weight.sum()


def naive_dpn(z, labels, weight, loss):
    targets, known = naive_targets(labels, loss.centers_.numpy(), loss.tie_breaker_)
    costs = [
        np.mean([max(loss.margin - t * u, 0) for t, u in zip(*rows, strict=True)])
        for rows in zip(targets, z, strict=True)
    ]
    known = known * weight
    return np.array(costs) @ known / known.sum()


def naive_ortho_hash(z, labels, weight, loss):
    total = mass = 0.0
    centers = loss.centers_.numpy()
    for row, label, w in zip(z, labels, weight, strict=True):
        own = {int(label)} if np.ndim(label) == 0 else set(np.flatnonzero(label))
        scores = []
        for c, code in enumerate(centers):
            cosine = row @ code / math.sqrt(row @ row) / math.sqrt(len(code))
            if c in own and loss.margin_type == "cosine":
                cosine -= loss.margin
            elif c in own:
                cosine = math.cos(math.acos(cosine) + loss.margin)
            scores.append(math.exp(loss.scale * cosine))
        if own:
            losses = [-math.log(scores[c] / sum(scores)) for c in own]
            total, mass = total + w * np.mean(losses), mass + w
    return total / mass


def naive_greedy_hash(z, labels, weight, loss):
    classes = loss.classifier_.weight.detach().numpy()
    total = mass = off = 0.0
    for row, label, w in zip(z, labels, weight, strict=True):
        own = [int(label)] if np.ndim(label) == 0 else np.flatnonzero(label)
        scores = np.exp(classes @ np.where(row > 0, 1, -1))
        if len(own):
            total += w * np.mean([-math.log(scores[c] / sum(scores)) for c in own])
            mass += w
        off += w * np.mean(np.abs(np.abs(row) - 1) ** 3)
    return total / mass + loss.quantization * off / weight.sum()


@pytest.mark.parametrize(
    ("loss", "naive"),
    [
        (CSQ(quantization=0.5), naive_csq),
        (DPN(margin=0.7, targets="random"), naive_dpn),
        (OrthoHash(), naive_ortho_hash),
        (OrthoHash(margin_type="angle", margin=0.3, scale=4.0), naive_ortho_hash),
        (GreedyHash(quantization=0.6), naive_greedy_hash),
    ],
    ids=lambda each: getattr(each, "__name__", repr(each)),  # the same in all workers
)
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_equals_loop(
    z, y, label_sets, weight, new_generator, loss, naive, multilabel, weighted
):
    labels = label_sets if multilabel else y
    loss.setup(6, labels, generator=new_generator(0)).double()
    plain = weight.numpy() if weighted else np.ones(len(z))
    expected = naive(z.numpy(), labels.numpy(), plain, loss)
    value = loss(z, labels, weight if weighted else None)
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_polarisation_is_zero_on_the_right_side_of_the_margin(y, new_generator):
    loss = DPN(margin=1.0).setup(6, y, generator=new_generator(0))
    assert loss(1.01 * loss.centers_[y], y).item() == 0
    assert loss(-loss.centers_[y], y).item() == 2


def test_adaptive_codes_are_the_majority_of_decided_outputs(new_generator):
    y = torch.tensor([0, 0, 0, 1])
    loss = DPN(refresh_every=1).setup(4, y, generator=new_generator(0))
    old = loss.centers_.clone()
    z = torch.tensor([[2.0, 2, -2, 0.5], [2, -2, 0, 0.5], [0, 0, -2, 0.5], [2] * 4])
    loss.refresh(z, y)
    assert loss.centers_[0, :3].tolist() == [1, old[0, 1], -1]
    assert loss.centers_[0, 3] == old[0, 3]
    assert (loss.centers_[1] == 1).all()
    assert loss.plan(5)[0].refresh_every == 1


def test_sign_passes_its_gradient_straight_through(new_generator):
    z = torch.tensor([[0.3, -2.0, 0.0]], requires_grad=True)
    codes = straight_through_sign(z)
    assert codes.tolist() == [[1, -1, -1]]
    codes.backward(torch.tensor([[1.0, 2.0, 3.0]]))
    assert z.grad.tolist() == [[1, 2, 3]]


def test_greedy_gradient_is_that_of_the_code(z, y, new_generator):
    loss = GreedyHash(quantization=0.0).setup(6, y, generator=new_generator(0))
    loss.double()
    codes = torch.where(z > 0, 1.0, -1.0).double().requires_grad_()
    logits = codes @ loss.classifier_.weight.T
    torch.nn.functional.cross_entropy(logits, y).backward()
    z.requires_grad_()
    loss(z, y).backward()
    np.testing.assert_allclose(z.grad, codes.grad)


@pytest.mark.parametrize("loss", [CSQ(), OrthoHash(margin=0.0), GreedyHash()], ids=repr)
def test_class_scores_are_log_posteriors(z, y, new_generator, loss):
    loss.setup(6, y, generator=new_generator(0)).double()
    scores = loss.class_scores(z)
    np.testing.assert_allclose(scores.exp().sum(1).detach(), 1)
    if not isinstance(loss, CSQ):
        loss(z, y)
        picked = -scores[torch.arange(11), y].mean()
        assert picked.item() == pytest.approx(loss.terms_["similarity"].item())
    else:
        codes = loss.centers_
        bits = torch.nn.functional.logsigmoid(2 * codes[None] * z[:, None]).sum(2)
        np.testing.assert_allclose(scores, bits.log_softmax(1))


@pytest.mark.parametrize("targets", ["hadamard", "far", "balanced", "random"])
def test_targets_are_codes(targets, new_generator):
    loss = CSQ(targets=targets)
    loss.setup(10, torch.arange(4), generator=new_generator(0))
    assert loss.centers_.abs().eq(1).all()
    if targets == "balanced":
        assert (loss.centers_.sum(1) == 0).all()
