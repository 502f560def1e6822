"""HashNet against the values of its paper and code, and a double loop."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import HashNet, continuation
from skhash.losses._dhn import pair_likelihood
from skhash.losses._pair_counts import count_similar_pairs
from skhash.losses._pairs import jaccard, similarity


def naive_overlap(label_sets):
    sets = [set(np.flatnonzero(row)) for row in label_sets]
    return np.array([[len(a & b) / max(len(a | b), 1) for b in sets] for a in sets])


def naive_hashnet(z, similar, overlap, weight, alpha, beta, weighting, positive):
    h = np.tanh(beta * z)
    n, n_bits = h.shape
    sums, masses = {0: 0.0, 1: 0.0}, {0: 0.0, 1: 0.0}
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            x = alpha * sum(h[i, k] * h[j, k] for k in range(n_bits))
            s = int(similar[i, j])
            w = weight[i] * weight[j]
            c = overlap[i, j] if s else 1.0
            if weighting == "dataset" and s:
                w *= positive
            sums[s] += w * c * (math.log(1 + math.exp(x)) - s * x)
            masses[s] += w
    if weighting != "batch":
        return sum(sums.values()) / sum(masses.values())
    # |S| / |S_1| and |S| / |S_0| as the paper writes them, over |S|
    size = sum(masses.values())
    return sum(size / masses[s] * sums[s] for s in sums if masses[s]) / size


@pytest.mark.parametrize("weighting", ["batch", "dataset", None])
@pytest.mark.parametrize("form", ["binary", "jaccard"])
@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_equals_double_loop(
    z, y, label_sets, weight, weighting, form, multilabel, weighted
):
    labels = label_sets if multilabel else y
    weights = weight if weighted else None
    loss = HashNet(alpha=0.7, weighting=weighting, similarity=form)
    loss.setup(6, labels, sample_weight=weights)
    loss.beta_.fill_(1.5)
    similar = similarity(labels).numpy()
    plain = weight.numpy() if weighted else np.ones(len(z))
    overlap = np.ones((11, 11))
    if form == "jaccard" and multilabel:
        overlap = naive_overlap(label_sets.numpy())
    pairs = [(i, j) for i in range(11) for j in range(11) if i != j]
    mass = sum(plain[i] * plain[j] for i, j in pairs)
    positive = mass / sum(plain[i] * plain[j] * similar[i, j] for i, j in pairs)
    expected = naive_hashnet(
        z.numpy(), similar, overlap, plain, 0.7, 1.5, weighting, positive
    )
    assert loss(z, labels, weights).item() == pytest.approx(expected, rel=1e-12)


def test_overlap_is_shared_over_either(label_sets):
    expected = naive_overlap(label_sets.numpy())
    np.testing.assert_allclose(jaccard(label_sets).numpy(), expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("multilabel", [False, True])
def test_similar_pairs_are_counted_without_the_matrix(
    y, label_sets, weight, multilabel, weighted
):
    labels = label_sets if multilabel else y
    related = similarity(labels).double()
    mass = weight if weighted else torch.ones(11, dtype=torch.float64)
    expected = (related * mass[:, None] * mass[None, :]).fill_diagonal_(0).sum()
    count = count_similar_pairs(labels, weight if weighted else None)
    assert count == pytest.approx(expected.item())


def test_equal_codes_match_worked_example():
    x = torch.tensor([0.5 * 2, 0.5 * 2])
    value = pair_likelihood(x, torch.tensor([1.0, 0.0]))
    assert value.tolist() == pytest.approx([0.313262, 1.313262], abs=1e-6)


def test_three_codes_match_worked_example():
    z = 20 * torch.tensor([[1.0, 1.0], [1.0, 1.0], [-1.0, 1.0]])
    y = torch.tensor([0, 0, 1])
    value = HashNet(alpha=1.0).setup(2, y)(z, y)
    assert value.item() == pytest.approx(0.126928 + 0.693147, abs=1e-6)


def test_adding_dissimilar_pairs_of_the_same_kind_changes_nothing():
    """Ten copies of the lone item add dissimilar pairs, and similar ones among them."""
    z = 20 * torch.tensor([[1.0, 1.0], [1.0, 1.0], [-1.0, 1.0]])
    y = torch.tensor([0, 0, 1])
    many = torch.cat([z, z[2:].repeat(9, 1)])
    labels = torch.cat([y, y[2:].repeat(9)])
    loss = HashNet(alpha=1.0).setup(2, y)
    assert loss(many, labels).item() == pytest.approx(loss(z, y).item(), abs=1e-6)


def test_zero_outputs_cost_2_log_2_without_gradient(y):
    z = torch.zeros(11, 6, requires_grad=True)
    value = HashNet().setup(6, y)(z, y)
    value.backward()
    assert value.item() == pytest.approx(2 * math.log(2), abs=1e-6)
    assert not z.grad.any()


def test_sqrt_continuation_is_the_released_one():
    betas = continuation("sqrt", 51)
    by_iteration = lambda n: betas[n // 200]
    expected = {0: 1, 199: 1, 200: 1.414214, 400: 1.7321, 2000: 3.3166, 10000: 7.141428}
    for n, beta in expected.items():
        assert by_iteration(n) == pytest.approx(beta, abs=1e-4)


@pytest.mark.parametrize("schedule", ["sqrt", "linear", "geometric"])
@pytest.mark.parametrize("n_stages", [1, 2, 10])
def test_continuation_rises_from_1_to_final_beta(schedule, n_stages):
    betas = continuation(schedule, n_stages, final_beta=8.0)
    assert len(betas) == n_stages
    assert betas[0] == 1
    assert betas == sorted(betas)
    if n_stages > 1:
        assert betas[-1] == pytest.approx(8)


def test_plan_spreads_the_slopes_over_the_epochs():
    slopes = [stage.settings["beta_"] for stage in HashNet().plan(20)]
    assert slopes == pytest.approx([math.sqrt(1 + t) for t in range(10)])
    assert [stage.epochs for stage in HashNet().plan(20)] == [2] * 10
    few = [stage.settings["beta_"] for stage in HashNet().plan(3)]
    assert few[0] == 1
    assert few[-1] == pytest.approx(math.sqrt(10))


def test_relaxation_becomes_the_sign_as_beta_grows(z, y):
    loss = HashNet(alpha=1.0).setup(6, y)
    loss.beta_.fill_(1e6)
    codes = torch.where(z > 0, 1.0, -1.0).double() * 40
    sharp = loss(z, y)
    loss.beta_.fill_(1.0)
    assert sharp.item() == pytest.approx(loss(codes, y).item())


def test_huge_inner_products_stay_finite():
    z = torch.tensor([[30.0], [30.0], [-30.0]], requires_grad=True)
    y = torch.tensor([0, 0, 0])
    value = HashNet(alpha=1e4).setup(1, y)(z, y)
    value.backward()
    assert value.isfinite()
    assert z.grad.isfinite().all()


def test_default_alpha_follows_the_bits(y):
    assert HashNet().setup(48, y).alpha_ == pytest.approx(5 / 48)


def test_one_class_gives_positive_weight_1():
    y = torch.zeros(4, dtype=torch.long)
    assert HashNet(weighting="dataset").setup(6, y).positive_weight_ == 1
    alone = torch.arange(4)
    assert HashNet(weighting="dataset").setup(6, alone).positive_weight_ == 1
