"""The von Mises-Fisher law itself: its normaliser, and the estimate of its spread."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ive


def log_bessel(order: float, x: ArrayLike) -> np.ndarray:
    """Logarithm of the modified Bessel function of the first kind, for x > 0."""
    x = np.asarray(x, dtype=np.float64)
    scaled = ive(order, x)
    direct = np.log(np.where(scaled > 0, scaled, 1)) + x
    # ive underflows for large orders, where the uniform expansion is precise.
    return np.where(scaled > 0, direct, _uniform_expansion(max(order, 1.0), x))


def _uniform_expansion(order: float, x: np.ndarray) -> np.ndarray:
    """Debye's expansion of log I for large orders, three terms."""
    z = x / order
    root = np.sqrt(1 + z * z)
    t = 1 / root
    u1 = (3 * t - 5 * t**3) / 24
    u2 = (81 * t**2 - 462 * t**4 + 385 * t**6) / 1152
    u3 = (30375 * t**3 - 369603 * t**5 + 765765 * t**7 - 425425 * t**9) / 414720
    series = u1 / order + u2 / order**2 + u3 / order**3
    leading = order * (root + np.log(z / (1 + root)))
    scale = 0.5 * np.log(2 * math.pi * order * root)
    return leading - scale + np.log1p(series)


def log_normalizer(concentration: ArrayLike, n_dims: int) -> np.ndarray:
    """``log Z`` of the density ``Z exp(concentration * mu.r)`` on the unit sphere."""
    kappa = np.asarray(concentration, dtype=np.float64)
    order = n_dims / 2 - 1
    log_surface = n_dims / 2 * math.log(2 * math.pi)
    return order * np.log(kappa) - log_surface - log_bessel(order, kappa)


def mean_resultant(concentration: ArrayLike, n_dims: int) -> np.ndarray:
    """Length, in (0, 1), of the mean of unit vectors that follow the law."""
    order = n_dims / 2 - 1
    return np.exp(
        log_bessel(order + 1, concentration) - log_bessel(order, concentration)
    )


def estimated_concentration(resultant: ArrayLike, n_dims: int) -> np.ndarray:
    """Maximum-likelihood concentration of unit vectors, from the length of their mean.

    The usual first guess and three Newton steps. It is 0 where the length is 0,
    infinite where it is 1, and NaN where it is NaN.
    """
    r = np.asarray(resultant, dtype=np.float64)
    if n_dims == 1:
        with np.errstate(divide="ignore"):
            return np.arctanh(r)
    inner = (r > 0) & (r < 1)
    length = np.where(inner, r, 0.5)
    kappa = length * (n_dims - length**2) / (1 - length**2)
    for _ in range(3):
        a = mean_resultant(kappa, n_dims)
        slope = 1 - a * a - (n_dims - 1) * a / kappa
        step = np.where(slope > 0, (a - length) / np.where(slope > 0, slope, 1), 0)
        kappa = np.where(kappa > step, kappa - step, kappa)
    ends = np.where(r >= 1, np.inf, np.where(r <= 0, 0.0, np.nan))
    return np.where(inner, kappa, ends)
