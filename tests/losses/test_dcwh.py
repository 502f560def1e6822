"""DCWH against worked values and loops."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import DCWH
from skhash.losses._dcwh import cube_excess, gaussian_logits
from skhash.losses._quantization import vertex_distance


def with_centers(centers, **params):
    """A loss whose centres are given."""
    centers = torch.as_tensor(centers, dtype=torch.float64)
    labels = torch.arange(len(centers))
    loss = DCWH(**params).setup(centers.shape[1], labels).double()
    loss.centers_.copy_(centers)
    return loss


def naive_dcwh(z, y, centers, weight, loss, vertex):
    n, n_bits = z.shape
    total = 0.0
    for i in range(n):
        squared = [sum((z[i] - c) ** 2) for c in centers]
        scores = [math.exp(-loss.inv_var * d / 2) for d in squared]
        term = -math.log(scores[y[i]] / sum(scores))
        for k in range(n_bits):
            m = loss.margin
            outside = max(0, -m - z[i, k]) + max(0, z[i, k] - m)
            sign = 1 if z[i, k] > 0 else -1
            term += loss.cube / n_bits * outside
            term += vertex / n_bits * (sign - z[i, k]) ** 2
        total += weight[i] * term
    return total / sum(weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vertex", [0.0, 0.7])
def test_loss_equals_loop(z, y, weight, weighted, vertex, new_generator):
    centers = torch.randn(3, 6, generator=new_generator(1), dtype=torch.float64)
    loss = with_centers(centers, inv_var=0.8, cube=2.0, margin=0.6)
    loss.vertex_.fill_(vertex)
    plain = weight.numpy() if weighted else np.ones(len(z))
    expected = naive_dcwh(z.numpy(), y.numpy(), centers.numpy(), plain, loss, vertex)
    value = loss(z, y, weight if weighted else None)
    assert value.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("inv_var", "expected"),
    [(1.0, [0.018150, 4.018150, 0.693147]), (0.5, [0.126928, 2.126928, 0.693147])],
)
def test_two_classes_match_worked_example(inv_var, expected):
    loss = with_centers([[1, 1], [-1, -1]], inv_var=inv_var)
    z = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    y = torch.tensor([0, 1, 0])
    values = [loss(z[i : i + 1], y[i : i + 1]).item() for i in range(3)]
    assert values == pytest.approx(expected, abs=1e-6)


def test_likelihood_only_knows_relative_positions(z, y, new_generator):
    generator = new_generator(2)
    centers = torch.randn(3, 6, generator=generator, dtype=torch.float64)
    noise = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    rotation, _ = torch.linalg.qr(noise)
    move = lambda x: x @ rotation + 5
    before = gaussian_logits(z, centers, 0.7).log_softmax(1)
    after = gaussian_logits(move(z), move(centers), 0.7).log_softmax(1)
    np.testing.assert_allclose(after, before, atol=1e-12)
    assert not np.allclose(cube_excess(move(z), 1.1), cube_excess(z, 1.1))
    assert not np.allclose(vertex_distance(move(z)), vertex_distance(z))


def test_cube_and_vertex_match_worked_example():
    z = torch.tensor([[1.3, -1.2, 0.5]], dtype=torch.float64, requires_grad=True)
    excess = cube_excess(z, 1.1)
    excess.sum().backward()
    assert excess.item() == pytest.approx(0.3)
    assert z.grad.tolist() == [[1, -1, 0]]
    assert vertex_distance(z).item() == pytest.approx(0.38)
    corners = torch.tensor([[1.0, -1.0, 1.0]])
    assert cube_excess(corners, 1.1).item() == 0
    assert vertex_distance(corners).item() == 0


def test_limits_of_the_variance(z):
    centers = [[1] * 6, [-1] * 6, [1, 1, 1, -1, -1, -1]]
    flat = with_centers(centers, inv_var=1e-9, cube=0.0)
    nearest = torch.cdist(z, flat.centers_).argmin(1)
    assert flat(z, nearest).item() == pytest.approx(math.log(3), abs=1e-6)
    sharp = with_centers(centers, inv_var=1e9, cube=0.0)
    assert sharp(z, nearest).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_refresh_gives_class_means(z, y, weight, weighted):
    loss = with_centers(torch.full((4, 6), 9.0), ema=0.0)
    loss.refresh(z, y, weight if weighted else None)
    plain = weight if weighted else torch.ones(11, dtype=torch.float64)
    for c in range(3):
        mine = y == c
        expected = np.average(z[mine].numpy(), axis=0, weights=plain[mine].numpy())
        np.testing.assert_allclose(loss.centers_[c], expected)
    assert (loss.centers_[3] == 9).all()


def test_class_means_are_the_nearest_centres(z, y, new_generator):
    loss = with_centers(torch.zeros(3, 6), ema=0.0)
    loss.refresh(z, y)
    spread = lambda centers: (z - centers[y]).square().sum()
    best = spread(loss.centers_)
    for seed in range(5):
        noise = torch.randn(3, 6, generator=new_generator(seed)).double()
        assert spread(loss.centers_ + 0.1 * noise) > best


def test_moving_average_mixes_with_the_start(z, y):
    loss = with_centers(torch.full((3, 6), 2.0), ema=0.75)
    loss.refresh(z, y)
    mean = z[y == 0].mean(0)
    np.testing.assert_allclose(loss.centers_[0], 0.75 * 2 + 0.25 * mean)


def test_forward_start_takes_the_first_means_as_they_are(z, y):
    loss = DCWH(center_init="forward", ema=0.9).setup(6, y).double()
    first = loss.plan(4)[0]
    assert first.refresh_first
    assert not any(stage.refresh_first for stage in loss.plan(4)[1:])
    loss.refresh(z, y)
    np.testing.assert_allclose(loss.centers_[1], z[y == 1].mean(0))
    loss.refresh(torch.zeros_like(z), y)
    np.testing.assert_allclose(loss.centers_[1], 0.9 * z[y == 1].mean(0))


def test_far_items_keep_a_gradient_in_float32(new_generator):
    y = torch.arange(10)
    loss = DCWH(center_init="normal", inv_var=1.0, cube=0.0)
    loss.setup(128, y, generator=new_generator(0))
    z = 50 * torch.randn(10, 128, generator=new_generator(1))
    z.requires_grad_()
    value = loss(z, y)
    value.backward()
    assert value.isfinite()
    assert z.grad.abs().sum() > 1


def test_class_scores_are_log_posteriors(z, y):
    loss = with_centers(torch.eye(3, 6) * 2, inv_var=0.5, cube=0.0)
    scores = loss.class_scores(z)
    np.testing.assert_allclose(scores.exp().sum(1), 1)
    picked = -scores[torch.arange(11), y].mean()
    assert picked.item() == pytest.approx(loss(z, y).item())
    squared = torch.cdist(z, loss.centers_).square()
    np.testing.assert_allclose(scores, (-squared / 4).log_softmax(1))


def test_plan_has_two_stages():
    first, second = DCWH(refine_from=0.25, vertex=0.2, refresh_every=2).plan(8)
    assert (first.epochs, second.epochs) == (2, 6)
    assert first.settings == {"vertex_": 0.0}
    assert second.settings == {"vertex_": 0.2}
    assert first.refresh_every == second.refresh_every == 2
    assert len(DCWH(vertex=0.0).plan(8)) == 1
    assert DCWH(refine_from=0.0).plan(8)[0].settings == {"vertex_": 0.1}
    assert DCWH(refine_from=1.0).plan(8)[0].settings == {"vertex_": 0.0}


def test_default_variance_follows_classes_and_bits():
    loss = DCWH().setup(12, torch.arange(10))
    assert loss.inv_var_ == pytest.approx(6.11 / 12, abs=1e-3)
