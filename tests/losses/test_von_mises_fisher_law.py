"""Normaliser and estimate of the von Mises-Fisher law."""

import math

import numpy as np
import pytest
import torch

from skhash.losses import VonMisesFisher
from skhash.losses._von_mises_fisher_law import (
    estimated_concentration,
    log_bessel,
    log_normalizer,
    mean_resultant,
)


def test_normaliser_has_known_closed_forms():
    three = math.log(2 / (4 * math.pi * math.sinh(2)))
    assert log_normalizer(2.0, 3) == pytest.approx(three)
    assert log_normalizer(2.0, 3) == pytest.approx(-3.126244, abs=1e-6)
    assert log_normalizer(1.0, 2) == pytest.approx(-2.073791, abs=1e-6)


def test_density_integrates_to_one_on_the_circle():
    angles = np.linspace(0, 2 * math.pi, 10_001)[:-1]
    density = np.exp(log_normalizer(5.0, 2) + 5.0 * np.cos(angles))
    assert density.mean() * 2 * math.pi == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("order", "x"), [(255, 1.0), (511, 15.0), (511, 1e-3)])
def test_log_bessel_survives_underflow(order, x):
    # The power series, term by term in logarithms.
    terms = [
        (order + 2 * k) * math.log(x / 2)
        - math.lgamma(k + 1)
        - math.lgamma(order + k + 1)
        for k in range(60)
    ]
    expected = max(terms) + math.log(sum(math.exp(t - max(terms)) for t in terms))
    assert log_bessel(order, x) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n_dims", [1, 2, 16, 64, 512])
def test_concentration_is_recovered_from_the_mean(n_dims):
    kappa = np.array([0.5, 2.0, 4.0]) if n_dims == 1 else np.array([15.0, 50, 100])
    recovered = estimated_concentration(mean_resultant(kappa, n_dims), n_dims)
    np.testing.assert_allclose(recovered, kappa, rtol=1e-2 if n_dims == 2 else 1e-9)


def test_concentration_at_the_ends():
    for n_dims in (1, 8):
        values = estimated_concentration([0.0, 1.0, np.nan], n_dims)
        np.testing.assert_array_equal(values, [0, np.inf, np.nan])


def test_refresh_diagnoses_the_spread_of_classes(new_generator):
    noise = torch.randn(4000, 8, generator=new_generator(0))
    center = torch.zeros(8).index_fill(0, torch.tensor([0]), 1.0)
    y = torch.arange(4000) % 2
    z = noise * torch.where(y == 0, 0.1, 1.0)[:, None] + center
    loss = VonMisesFisher().setup(8, torch.tensor([0, 1, 2]))
    loss.refresh(z, y)
    tight, loose, empty = loss.class_concentrations_
    # Unit vectors of such small noise have about concentration 1 / variance.
    assert tight == pytest.approx(100, rel=0.1)
    assert 0 < loose < 10
    assert np.isnan(empty)
