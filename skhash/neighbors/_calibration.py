"""How far estimates from the codes of an encoder are off, measured on the database.

For some of its items as queries, the products of centred vectors are compared with what
codes say: a slope over all pairs, and the errors of pairs of near items, since these
must not be missed, and are nearer than codes say on average.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

# Items that stand for queries, items that they are compared with, and how many of the
# nearest of those count.
ANCHORS, POOL, NEAREST = 1000, 5000, 10
# Confidences whose errors are kept; beyond the last they go on in proportion.
EPSILONS = np.linspace(0, 3, 13)
# Below this number of items nothing is measured, and all of them are read.
FEWEST = 32
_EVERYTHING = 1e6
# What the number of items left to read is counted at.
_USUAL = 2.0


@dataclass(frozen=True)
class Calibration:
    """A slope, and errors of estimates by confidence, in units of both norms.

    Parameters
    ----------
    slope : float
        Of estimates by products of signs and outputs.
    shift : float
        How much nearer near items are than their estimates say, on average.
    quantiles : ndarray of shape (13,), float64
        Error that is exceeded as rarely as epsilon standard deviations of a normal one.
    by_output : bool
        Whether the norm of a query is that of its outputs, not of its vector.
    measured : bool
        Whether this is of a sample; else the published formula holds.
    """

    slope: float = 1.0
    shift: float = 0.0
    quantiles: np.ndarray | None = None
    by_output: bool = True
    measured: bool = True

    def quantile(self, epsilon):
        """The error at a confidence."""
        if self.quantiles is None:
            return epsilon
        if epsilon <= EPSILONS[-1]:
            return float(np.interp(epsilon, EPSILONS, self.quantiles))
        rest = self.quantiles[-1] - self.shift
        return self.shift + rest * epsilon / EPSILONS[-1]

    def outputs(self, z, squares):
        """Outputs of queries with the norm that errors go by."""
        if self.by_output:
            return z
        norms = np.sqrt((z**2).sum(axis=1))
        gain = np.divide(
            np.sqrt(squares), norms, out=np.ones_like(norms), where=norms > 0
        )
        return z * gain[:, None]


# The bound of RaBitQ: no shift, errors are normal.
PUBLISHED = Calibration(measured=False)


def sample(n, seed=0):
    """Rows of the sample, ascending, and which of these stand for queries."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(n, min(n, POOL), replace=False))
    anchors = np.sort(rng.choice(len(rows), min(len(rows), ANCHORS), replace=False))
    return rows, anchors


def calibrate(z, gaps, anchors, offsets):
    """Measure on a sample of outputs z and centred vectors.

    ``offsets - 2 * products`` tells which of the sample are nearest to each other.
    """
    if len(z) < FEWEST:
        return Calibration(1.0, 0.0, np.full(len(EPSILONS), _EVERYTHING))
    products = gaps[anchors] @ gaps.T
    values = offsets - 2 * products
    own = np.arange(len(anchors)), anchors
    values[own], products[own] = np.inf, 0
    k = min(NEAREST, len(z) - 1)
    nearest = np.argpartition(values, k - 1, axis=1)[:, :k]
    last = np.take_along_axis(values, nearest, 1).max(axis=1, keepdims=True)
    norms = np.sqrt((gaps**2).sum(axis=1))
    signs = np.where(z > 0, 1.0, -1.0)
    made = []
    for by_output in (True, False):
        form = Calibration(by_output=by_output)
        outputs = form.outputs(z[anchors].astype(np.float64), norms[anchors] ** 2)
        found = (outputs @ signs.T) * norms
        found[own] = 0
        units = np.sqrt((outputs**2).sum(axis=1, keepdims=True)) * norms
        for slope in slopes(products, found, nearest):
            measured = measure(products - slope * found, units, nearest)
            width = measured.quantile(_USUAL)
            lower = offsets - 2 * (slope * found + width * units)
            measured = replace(measured, slope=slope, by_output=by_output)
            made.append(((lower <= last).sum(), measured))
    return min(made, key=lambda each: each[0])[1]


def slopes(products, found, nearest):
    """Slopes of estimates: by all pairs, and by those of near items."""
    near = (np.take_along_axis(each, nearest, 1) for each in (products, found))
    for true, estimate in ((products, found), near):
        below = (estimate**2).sum()
        yield float(f"{(true * estimate).sum() / below:.5g}") if below > 0 else 0.0


def measure(rest, units, nearest):
    """A calibration by what estimates of near items leave."""
    rest, units = (np.take_along_axis(each, nearest, 1) for each in (rest, units))
    alive = units > 0
    errors = rest[alive] / units[alive] if alive.any() else np.zeros(1)
    # Rounded, so that the last place of a BLAS does not show.
    quantiles = np.round(np.quantile(errors, ndtr(EPSILONS)), 5)
    return Calibration(1.0, float(np.round(errors.mean(), 5)), quantiles)
