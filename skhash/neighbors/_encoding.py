"""Encoders of vectors: fitted, asked for real outputs, and calibrated."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skhash.baselines import RotatedSigns
from skhash.hamming.codes import MAX_BITS
from skhash.neighbors._bounds import Bounds, scale_of
from skhash.neighbors._calibration import calibrate, sample
from skhash.neighbors._vector_input import blocks, seen_by


def fitted_encoder(encoder, X, y, metric):
    """A fitted clone of an encoder; it sees vectors as the metric does."""
    encoder = RotatedSigns(random_state=0) if encoder is None else clone(encoder)
    if isinstance(encoder, RotatedSigns):
        n_bits = encoder.n_bits or min(X.shape[1], MAX_BITS)
        if n_bits >= X.shape[1]:  # by parts, without a copy of X
            for rows in blocks(X):
                encoder.partial_fit(seen_by(metric, X[rows]))
            return encoder
    return encoder.fit(seen_by(metric, X) if metric == "cosine" else X, y)


def real_outputs(encoder, X):
    """The real outputs z of an encoder, (n, n_bits), whose signs are the codes."""
    if isinstance(encoder, Pipeline):
        if len(encoder.steps) > 1:
            X = encoder[:-1].transform(X)
        return real_outputs(encoder.steps[-1][1], X)
    z = np.asarray(
        encoder.embed(X) if hasattr(encoder, "embed") else encoder.transform(X)
    )
    if z.ndim != 2 or z.dtype.kind != "f" or not 1 <= z.shape[1] <= MAX_BITS:
        raise ValueError(
            f"An encoder gives 1 to {MAX_BITS} real outputs of each vector, by `embed` "
            f"or `transform`; those of {type(encoder).__name__} have shape {z.shape} "
            f"and dtype {z.dtype}. Encoders of skhash.baselines and DeepHashEncoder do."
        )
    return z


def has_published_bound(encoder, n_features):
    """Whether outputs are random rotations of the centred vectors, each one whole."""
    if isinstance(encoder, FrozenEstimator):
        encoder = encoder.estimator
    return isinstance(encoder, RotatedSigns) and encoder.n_bits_ % n_features == 0


def bounds_for(encoder, X, metric):
    """What codes of an encoder know of distances between these vectors."""
    published = has_published_bound(encoder, X.shape[1])
    inner = encoder.estimator if isinstance(encoder, FrozenEstimator) else encoder
    center = inner.mean_ if published else mean_of(X, metric)
    with np.errstate(over="ignore"):  # the encoder says what is too large
        largest = max(
            np.sqrt(((seen_by(metric, X[rows]) - center) ** 2).sum(axis=1)).max()
            for rows in blocks(X)
        )
    bounds = Bounds(metric, center, scale_of(largest))
    if published:
        return bounds
    rows, anchors = sample(len(X))
    some = seen_by(metric, X[rows])
    gaps = (some - center) * bounds.scale
    offsets = (gaps**2).sum(axis=1)
    if metric == "inner_product":
        offsets = -2 * (gaps @ (center * bounds.scale))
    z = real_outputs(encoder, some) * np.float64(bounds.scale)
    return Bounds(metric, center, bounds.scale, calibrate(z, gaps, anchors, offsets))


def mean_of(X, metric):
    """Mean of the vectors as the metric sees them."""
    return sum(seen_by(metric, X[rows]).sum(axis=0) / len(X) for rows in blocks(X))
