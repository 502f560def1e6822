"""Encoders of vectors: fitted, asked for real outputs, and calibrated."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skhash.baselines import RotatedSigns
from skhash.baselines.checked import embed_checked
from skhash.hamming.codes import MAX_BITS
from skhash.neighbors._bounds import Bounds, scale_of
from skhash.neighbors._calibration import calibrate, sample
from skhash.neighbors._vector_input import blocks, seen_by


def fitted_encoder(encoder, X, y, metric):
    """A fitted clone of an encoder; it sees vectors as the metric does."""
    encoder = new_encoder(encoder)
    if learns_by_parts(encoder, X.shape[1]):  # without a copy of X
        for rows in blocks(X):
            encoder.partial_fit(seen_by(metric, X[rows]))
        return encoder
    return encoder.fit(seen_by(metric, X) if metric == "cosine" else X, y)


def new_encoder(encoder):
    """A clone to fit; of None, the default encoder."""
    return RotatedSigns(random_state=0) if encoder is None else clone(encoder)


def learns_by_parts(encoder, n_features):
    """Whether an encoder is fitted block by block: its rotation needs only a mean."""
    if not isinstance(encoder, RotatedSigns):
        return False
    return (encoder.n_bits or min(n_features, MAX_BITS)) >= n_features


def real_outputs(encoder, X):
    """The real outputs z of an encoder, (n, n_bits), whose signs are the codes.

    Of checked vectors: they are not checked again where the encoder is one of ours.
    """
    if isinstance(encoder, FrozenEstimator):
        encoder = encoder.estimator
    if isinstance(encoder, Pipeline):
        if len(encoder.steps) > 1:
            X = encoder[:-1].transform(X)
        return real_outputs(encoder.steps[-1][1], X)
    has_embed = hasattr(encoder, "embed")
    z = np.asarray(embed_checked(encoder, X) if has_embed else encoder.transform(X))
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
    center = center_of(encoder, X.shape[1])
    if center is None:
        center = mean_of(X, metric)
    largest = largest_norm(X, metric, center)
    return bounds_about(encoder, metric, center, largest, len(X), X.__getitem__)


def center_of(encoder, n_features):
    """What an encoder with a published bound subtracts; None for all others."""
    if not has_published_bound(encoder, n_features):
        return None
    inner = encoder.estimator if isinstance(encoder, FrozenEstimator) else encoder
    return inner.mean_


def largest_norm(X, metric, center):
    """The norm of the vector that is farthest from a center."""
    with np.errstate(over="ignore"):  # the encoder says what is too large
        return max(
            np.sqrt(((seen_by(metric, X[rows]) - center) ** 2).sum(axis=1)).max()
            for rows in blocks(X)
        )


def bounds_about(encoder, metric, center, largest, n, rows_of):
    """Bounds for n vectors about a center, of which `rows_of` brings some.

    It is asked once, where they must be measured.
    """
    bounds = Bounds(metric, center, scale_of(largest))
    if has_published_bound(encoder, len(center)):
        return bounds
    rows, anchors = sample(n)
    some = seen_by(metric, rows_of(rows))
    gaps = (some - center) * bounds.scale
    offsets = (gaps**2).sum(axis=1)
    if metric == "inner_product":
        offsets = -2 * (gaps @ (center * bounds.scale))
    z = real_outputs(encoder, some) * np.float64(bounds.scale)
    return Bounds(metric, center, bounds.scale, calibrate(z, gaps, anchors, offsets))


def mean_of(X, metric):
    """Mean of the vectors as the metric sees them."""
    return sum(part_of_mean(X[rows], metric, len(X)) for rows in blocks(X))


def part_of_mean(X, metric, n):
    """What a block of n vectors adds to their mean."""
    return seen_by(metric, X).sum(axis=0) / n
