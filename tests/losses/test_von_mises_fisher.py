"""Von Mises-Fisher against worked values and loops."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import DCWH, VonMisesFisher


def with_directions(mu, **params):
    """A loss whose mean directions are given."""
    mu = torch.as_tensor(mu, dtype=torch.float64)
    loss = VonMisesFisher(**params).setup(mu.shape[1], torch.arange(len(mu))).double()
    loss.centers_.copy_(mu / mu.norm(dim=1, keepdim=True))
    return loss


@pytest.fixture
def mu(new_generator):
    return torch.randn(3, 6, generator=new_generator(1), dtype=torch.float64)


def naive_von_mises_fisher(z, y, mu, weight, kappa, quantization):
    total = 0.0
    for row, label, w in zip(z, y, weight, strict=True):
        r = row / math.sqrt(sum(row**2))
        scores = [math.exp(kappa * sum(r * m)) for m in mu]
        sign = np.where(row > 0, 1, -1)
        cosine = sum(r * sign) / math.sqrt(len(row))
        total += w * (-math.log(scores[label] / sum(scores)))
        total += w * quantization * (1 - cosine)
    return total / sum(weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("quantization", [0.0, 0.8])
def test_loss_equals_loop(z, y, mu, weight, weighted, quantization):
    loss = with_directions(mu, concentration=3.0, quantization=quantization)
    plain = weight.numpy() if weighted else np.ones(len(z))
    unit = loss.centers_.numpy()
    expected = naive_von_mises_fisher(
        z.numpy(), y.numpy(), unit, plain, 3.0, quantization
    )
    value = loss(z, y, weight if weighted else None)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_orthogonal_directions_match_worked_example():
    two = with_directions(torch.eye(2), concentration=1.0)
    four = with_directions(torch.eye(4), concentration=2.0)
    first = torch.tensor([0])
    value = lambda loss, n: loss(torch.eye(n, dtype=torch.float64)[:1], first).item()
    assert value(two, 2) == pytest.approx(0.313262, abs=1e-6)
    assert value(four, 4) == pytest.approx(0.340753, abs=1e-6)


def test_length_does_not_matter_and_gradient_is_tangential(z, y, mu):
    loss = with_directions(mu)
    z.requires_grad_()
    value = loss(z, y)
    value.backward()
    assert loss(7 * z, y).item() == pytest.approx(value.item())
    np.testing.assert_allclose((z * z.grad).sum(1).detach(), 0, atol=1e-15)


def test_joint_rotation_does_not_matter(z, y, mu, new_generator):
    noise = torch.randn(6, 6, generator=new_generator(2), dtype=torch.float64)
    rotation, _ = torch.linalg.qr(noise)
    value = with_directions(mu)(z, y)
    rotated = with_directions(mu @ rotation)(z @ rotation, y)
    assert rotated.item() == pytest.approx(value.item())


def test_limits_of_the_concentration(z, mu):
    flat = with_directions(mu, concentration=1e-9)
    nearest = (torch.nn.functional.normalize(z) @ flat.centers_.T).argmax(1)
    assert flat(z, nearest).item() == pytest.approx(math.log(3))
    sharp = with_directions(mu, concentration=1e7)
    assert sharp(z, nearest).item() == pytest.approx(0, abs=1e-9)


def test_refresh_gives_mean_directions():
    loss = with_directions(torch.eye(3, 2) + 0.1, ema=0.0)
    before = loss.centers_.clone()
    z = torch.tensor([[5.0, 0], [0, 0.1], [1, 0], [-3, 0]], dtype=torch.float64)
    y = torch.tensor([0, 0, 1, 1])
    loss.refresh(z, y)
    np.testing.assert_allclose(loss.centers_[0], [math.sqrt(0.5)] * 2)
    np.testing.assert_allclose(loss.centers_[1:], before[1:])
    loss.refresh(z.flip(0) * 3, y.flip(0))
    np.testing.assert_allclose(loss.centers_[0], [math.sqrt(0.5)] * 2)


def test_refresh_weighs_items():
    loss = with_directions(torch.eye(2), ema=0.0)
    z = torch.eye(2, dtype=torch.float64)
    loss.refresh(z, torch.tensor([0, 0]), torch.tensor([3.0, 4.0]))
    np.testing.assert_allclose(loss.centers_[0], [0.6, 0.8])


def test_moving_average_stays_on_the_sphere():
    loss = with_directions(torch.eye(2), ema=0.5)
    z = torch.tensor([[0.0, 2.0], [0.0, -2.0]], dtype=torch.float64)
    loss.refresh(z, torch.tensor([0, 1]))
    np.testing.assert_allclose(loss.centers_[0], [math.sqrt(0.5)] * 2)
    # Halfway between a direction and its opposite there is none: the old one stays.
    np.testing.assert_allclose(loss.centers_[1], [0, 1])


def test_forward_start_takes_the_first_directions_as_they_are(z, y):
    loss = VonMisesFisher(center_init="forward", ema=0.9).setup(6, y).double()
    assert loss.plan(4)[0].refresh_first
    loss.refresh(z, y)
    r = z / z.norm(dim=1, keepdim=True)
    expected = r[y == 2].sum(0)
    np.testing.assert_allclose(loss.centers_[2], expected / expected.norm())


def test_first_directions_have_unit_length(y, new_generator):
    for init in ("hadamard", "far", "normal"):
        loss = VonMisesFisher(center_init=init)
        loss.setup(6, y, generator=new_generator(0))
        np.testing.assert_allclose(loss.centers_.norm(dim=1), 1, rtol=1e-6)


def test_equals_dcwh_on_unit_vectors(z, y, mu):
    kappa = 3.0
    loss = with_directions(mu, concentration=kappa)
    other = DCWH(inv_var=kappa, cube=0.0, vertex=0.0).setup(6, y).double()
    other.centers_.copy_(loss.centers_)
    r = z / z.norm(dim=1, keepdim=True)
    assert other(r, y).item() == pytest.approx(loss(z, y).item())


def test_class_scores_are_log_posteriors(z, y, mu):
    loss = with_directions(mu)
    scores = loss.class_scores(z)
    np.testing.assert_allclose(scores.exp().sum(1), 1)
    picked = -scores[torch.arange(11), y].mean()
    assert picked.item() == pytest.approx(loss(z, y).item())


def test_default_concentration_follows_the_classes():
    loss = VonMisesFisher().setup(12, torch.arange(10))
    assert loss.concentration_ == pytest.approx(3.96, abs=0.01)
