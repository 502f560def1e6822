"""What codes know of distances: an estimate of each, and a bound below it.

For the scalar product of two centred vectors the code of one and the outputs w of the
other give ``slope * <s, w>``. How far that is off is known for a random rotation (the
bound of RaBitQ), and measured for all other encoders (`_calibration`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skhash.hamming import Factors, estimate_factors
from skhash.neighbors._calibration import PUBLISHED, Calibration

# Mean squared error of a normal value rounded to the best grid of 1 to 8 bits, by its
# variance (Max, 1960).
ROUNDED = (0.3634, 0.1188, 0.03744, 0.01154, 0.003495, 0.00104, 0.000304, 0.0000877)
# An estimate is never surer than this part of its slope: where items lie in corners of
# the cube the formula says that it is exact, and a rounded query is not.
LEAST_ERROR = 1 / 16
# Rounding of the factors, which are float32, by squared norms.
ROUNDING = 2.0**-22
# Items whose squared factors are added up apart from others.
ROWS = 1 << 16
# How far products differ from squared distances: their weight in a value.
WEIGHTS = {"euclidean": 2.0, "cosine": 1.0, "inner_product": 1.0}


class Queries(NamedTuple):
    """Queries as bounds want them.

    A distance's value is about ``scale * (estimate - shifts * error) + constants``, and
    at least ``scale * (estimate - widths * error) + lows``, with the estimate and the
    error of `skhash.hamming`.
    """

    outputs: np.ndarray
    shifts: np.ndarray
    widths: np.ndarray
    constants: np.ndarray
    lows: np.ndarray
    scale: float


@dataclass(frozen=True)
class Bounds:
    """How to estimate distances from codes, and how sure that is.

    All is computed of vectors times `scale`, a power of two that brings the longest
    centred one to about 1, so that squares stay in float32.
    """

    metric: str
    center: np.ndarray
    scale: float
    calibration: Calibration = PUBLISHED

    def factors(self, z, X):
        """Slope, offset and error of items, float32 of shape (n, 3)."""
        scaled = X * self.scale
        try:
            found = estimate_factors(
                z * self.scale, scaled, self.metric, center=self.center * self.scale
            )
        except ValueError as error:
            raise ValueError(
                f"Vectors are too large beside those of the fit: {error}"
            ) from None
        table = np.array(found.table)
        if self.calibration.measured:
            gaps = scaled - self.center * self.scale
            table[:, 2] = WEIGHTS[self.metric] * np.sqrt((gaps**2).sum(axis=1))
            table[:, 0] = -self.calibration.slope * table[:, 2]
        else:
            least = LEAST_ERROR * np.abs(table[:, 0])
            table[:, 2] = np.maximum(table[:, 2], least)
        if self.metric == "cosine":
            # Zero vectors are at distance 1 of all; by products it would be 1/2.
            table[~X.any(axis=1), 1] += 0.5
        return table

    def queries(self, z, X, epsilon, query_bits, noise):
        """Queries, for bounds at a confidence; `noise` is slope over error, squared."""
        calibration = self.calibration
        gaps = (X - self.center) * self.scale
        squares = (gaps**2).sum(axis=1)
        outputs = calibration.outputs(z * np.float64(self.scale), squares)
        of_outputs = (outputs**2).sum(axis=1)
        norms = np.sqrt(of_outputs)
        rounded = ROUNDED[query_bits - 1] / (1 - ROUNDED[query_bits - 1])
        rest = calibration.quantile(epsilon) - calibration.shift
        width = calibration.shift + np.hypot(rest, epsilon * np.sqrt(rounded * noise))
        widths = max(width, 0.0) * norms
        constants = self._constants(X, squares, of_outputs)
        slack = ROUNDING * (1 + norms) ** 2
        if self.metric == "inner_product":
            slack *= 1 + np.linalg.norm(self.center * self.scale)
        if self.metric == "cosine":
            # A zero query is at distance 1 of all, and the first of them are nearest.
            slack[~X.any(axis=1)] = np.inf
        scale = self.scale**-2
        shifts = max(calibration.shift, 0.0) * norms
        return Queries(
            outputs,
            shifts,
            widths,
            constants * scale,
            (constants - slack) * scale,
            scale,
        )

    def _constants(self, X, squares, of_outputs):
        """What the estimates of all items lack of values, for each query."""
        if self.metric == "inner_product":
            return -(X * self.scale * (self.center * self.scale)).sum(axis=1)
        weight = WEIGHTS[self.metric] / 2
        constants = weight * (squares - of_outputs)
        if not self.calibration.measured:  # they are equal, but for rounding
            constants = np.zeros(len(X))
        if self.metric == "cosine":
            constants = constants + 0.5 * ~X.any(axis=1)
        return constants


def noise_of(factors: Factors) -> float:
    """Squared slopes over squared errors, on average: what rounding weighs."""
    table = factors.table
    sums = (squares_of(table[i : i + ROWS]) for i in range(0, len(table), ROWS))
    return ratio_of(sum(sums, np.zeros(2)))


def squares_of(table):
    """Sums of squared slopes and of squared errors of ROWS items at most.

    Whoever has the items in parts adds the same sums, and in the same order.
    """
    table = table.astype(np.float64)
    return np.array([(table[:, 0] ** 2).sum(), (table[:, 2] ** 2).sum()])


def ratio_of(sums):
    """The noise, of sums of squares."""
    slopes, errors = sums
    return float(slopes / errors) if errors > 0 else 0.0


def scale_of(largest):
    """The power of two that brings a norm to about 1."""
    if not largest > 0:
        return 1.0
    return float(2.0 ** -np.rint(np.log2(largest)))
