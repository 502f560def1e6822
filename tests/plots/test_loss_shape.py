"""Penalties of pairs, asked of the losses and computed by hand."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from scipy.stats import gamma

from skhash import DeepHashEncoder
from skhash.losses import DCH, DPSH, DSH, LOSSES, DualHinge, HashLoss, HashNet
from skhash.plots import LossShapeDisplay

N_BITS = 8
D = np.arange(N_BITS + 1)
OF_PAIRS = ["dch", "dhn", "dpsh", "dsh", "dual_hinge", "exponentiated", "hashnet"]


def dual_hinge(shape=1.0, rate=2.0, skew=1.05):
    u = gamma.sf(rate * D, shape)
    similar = u * np.log(skew * u / ((skew - 1) * u + 1))
    similar = similar + np.log(skew / (skew - 1 + u))
    return similar, u * np.log(skew / (skew - 1))


def logistic(theta):
    return np.logaddexp(0, -theta), np.logaddexp(0, theta)


@pytest.mark.parametrize(
    ("loss", "similar", "dissimilar"),
    [
        (DualHinge(), *dual_hinge()),
        (DualHinge(shape=2.5, rate=0.7, skew=1.2), *dual_hinge(2.5, 0.7, 1.2)),
        (DSH(), 2.0 * D, np.maximum(16 - 4 * D, 0) / 2),
        (DPSH(), *logistic((N_BITS - 2 * D) / 2)),
        (HashNet(), *logistic(5 / N_BITS * (N_BITS - 2 * D))),
    ],
    ids=repr,
)
def test_values_equal_the_formula(loss, similar, dissimilar):
    display = LossShapeDisplay.from_loss(loss, N_BITS)
    np.testing.assert_array_equal(display.distance, D)
    np.testing.assert_allclose(display.similar, similar, atol=1e-9)
    np.testing.assert_allclose(display.dissimilar, dissimilar, atol=1e-9)
    np.testing.assert_allclose(display.slope_similar, np.diff(similar), atol=1e-9)
    np.testing.assert_allclose(display.slope_dissimilar, np.diff(dissimilar), atol=1e-9)


@pytest.mark.parametrize("key", OF_PAIRS)
def test_losses_of_pairs_pull_and_push(key):
    display = LossShapeDisplay.from_loss(LOSSES[key](), 16)
    assert (display.slope_similar > -1e-9).all()
    assert (display.slope_dissimilar < 1e-9).all()
    assert display.similar[-1] > display.similar[0]
    assert display.dissimilar[0] > display.dissimilar[-1]


@pytest.mark.parametrize("key", sorted(LOSSES.keys() - set(OF_PAIRS)))
def test_refuses_losses_of_other_things(key):
    name = LOSSES[key].__name__
    with pytest.raises(ValueError, match=f"{name} is not a loss of pairs"):
        LossShapeDisplay.from_loss(LOSSES[key](), 16)
    assert not plt.get_fignums()


def test_draws_values_and_slopes():
    display = LossShapeDisplay.from_loss(DSH(), N_BITS, name="toy")
    for kind in ("similar", "dissimilar"):
        value, slope = display.lines_[kind]
        np.testing.assert_array_equal(value.get_ydata(), getattr(display, kind))
        np.testing.assert_array_equal(value.get_xdata(), D)
        np.testing.assert_array_equal(slope.get_xdata(), D[:-1] + 0.5)
        assert value in display.ax_[0].get_lines()
        assert slope in display.ax_[1].get_lines()
    texts = [text.get_text() for text in display.ax_[0].get_legend().get_texts()]
    assert texts == ["toy, similar", "toy, dissimilar"]


def test_draws_chosen_kinds():
    display = LossShapeDisplay.from_loss(DSH(), N_BITS, kinds="dissimilar")
    assert display.lines_.keys() == {"dissimilar"}
    assert len(display.ax_[0].get_lines()) == 1
    with pytest.raises(ValueError, match=r"kinds are .similar. and .* got 'equal'"):
        display.plot(kinds=["equal"])


def test_leaves_the_loss_alone():
    loss = HashNet()
    LossShapeDisplay.from_loss(loss, N_BITS)
    assert not hasattr(loss, "n_bits_")
    ready = DualHinge().setup(N_BITS, torch.tensor([0, 1]))
    LossShapeDisplay.from_loss(ready, 16)
    assert ready.n_bits_ == N_BITS


def test_takes_the_loss_of_an_encoder(blobs):
    encoder = DeepHashEncoder(N_BITS, network="linear", max_epochs=1, random_state=0)
    encoder.fit(*blobs)
    display = LossShapeDisplay.from_loss(encoder.loss_)
    fresh = LossShapeDisplay.from_loss(DualHinge(), N_BITS)
    np.testing.assert_allclose(display.similar, fresh.similar)


def test_takes_a_loss_of_ones_own():
    class Cosine(HashLoss):
        def forward(self, z, y):
            h = torch.nn.functional.normalize(z, dim=1)
            same = (y[:, None] == y[None, :]).to(z.dtype)
            return (h @ h.T - same).square().sum() / 2

    display = LossShapeDisplay.from_loss(Cosine(), N_BITS)
    cosine = 1 - 2 * D / N_BITS
    np.testing.assert_allclose(display.similar, (cosine - 1) ** 2, atol=1e-12)
    np.testing.assert_allclose(display.dissimilar, cosine**2, atol=1e-12)


@pytest.mark.parametrize("loss", ["dual_hinge", DualHinge, None, abs])
def test_refuses_what_is_no_loss(loss):
    with pytest.raises(TypeError, match="must be a loss object such as"):
        LossShapeDisplay.from_loss(loss, N_BITS)


def test_needs_a_number_of_bits():
    with pytest.raises(ValueError, match=r"n_bits is missing.*n_bits=32"):
        LossShapeDisplay.from_loss(DCH())
    assert not plt.get_fignums()
