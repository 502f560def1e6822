"""A warning for features that are taken for codes, and none for codes."""

import warnings

import numpy as np
import pytest
from scipy.linalg import hadamard
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_breast_cancer, load_digits

from skhash import DeepHashEncoder
from skhash.neighbors import (
    HammingNeighbors,
    HammingNeighborsClassifier,
    HammingNeighborsTransformer,
)
from skhash.neighbors._features import look_like_features
from tests.hamming.brute import draw_codes

RNG = np.random.default_rng(0)
DIGITS, Y = load_digits(return_X_y=True)


def as_bytes(features):
    low = features.min(axis=0)
    return (255 * (features - low) / np.ptp(features, axis=0)).astype(np.uint8)


def pictures(n=300, size=16):
    """Smooth grey images over all values."""
    noise = RNG.normal(size=(n, size, size))
    smooth = np.array([gaussian_filter(each, 2) for each in noise]).reshape(n, -1)
    return np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)


def strokes(n=300, size=18):
    """Bright shapes on black, as scanned letters are."""
    noise = RNG.normal(size=(n, size, size))
    smooth = np.array([gaussian_filter(each, 2.5) for each in noise]).reshape(n, -1)
    return np.clip(2500 * (smooth - 0.05), 0, 255).astype(np.uint8)


FEATURES = {
    "digits": DIGITS.astype(np.uint8),
    "digits as floats": DIGITS,
    "digits as integers": DIGITS.astype(int),
    "pictures": pictures(),
    "strokes": strokes(),
    "table": as_bytes(load_breast_cancer().data),
    "counts": RNG.poisson(3, (200, 40)),
    "gradients": np.minimum(RNG.gamma(0.6, 40, (200, 128)), 255).astype(np.uint8),
    "quantized embeddings": as_bytes(RNG.normal(size=(500, 64))),
}
ESTIMATORS = [HammingNeighbors, HammingNeighborsClassifier, HammingNeighborsTransformer]
MESSAGE = "X looks like features, not codes"


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("kind", FEATURES)
def test_features_are_told(kind, estimator):
    X = FEATURES[kind]
    with pytest.warns(UserWarning, match=MESSAGE) as caught:
        estimator().fit(X, np.arange(len(X)) % 3)
    # It points here.
    assert caught[0].filename == __file__


def test_added_features_are_told_and_may_be_refused():
    X = FEATURES["digits"]
    neighbors = HammingNeighbors().fit(RNG.integers(0, 256, (9, 64), dtype=np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match=MESSAGE):
            neighbors.add(X)
    assert neighbors.n_samples_fit_ == 9
    with pytest.warns(UserWarning, match=MESSAGE):
        neighbors.add(X)


def pack(bits):
    return np.packbits(bits, axis=1)


def projected(X, n_bits, bias=0.0):
    return pack(X @ RNG.normal(size=(X.shape[1], n_bits)) > bias)


def thermometer(levels, reverse=False):
    """Each feature as that number of ones: 00000000, 10000000, 11000000, ..."""
    steps = np.linspace(0, 16, levels + 2)[1:-1]
    steps = steps[::-1] if reverse else steps
    return pack((DIGITS[:, :, None] > steps).reshape(len(DIGITS), -1))


def designed(n_classes, n_bits, noise):
    rows = hadamard(512)[RNG.integers(0, n_classes, 400)][:, :n_bits] > 0
    return pack(rows ^ (RNG.random(rows.shape) < noise))


NOISE = RNG.random((400, 512))
CODES = {
    **{f"random, {n}": RNG.integers(0, 256, (400, n), np.uint8) for n in (1, 4, 64)},
    **{f"projected, {n}": projected(DIGITS - DIGITS.mean(0), n) for n in (64, 500)},
    **{f"projected raw, {n}": projected(DIGITS, n) for n in (256, 1000, 4000)},
    **{f"projected, biased, {n}": projected(DIGITS, n, 40) for n in (256, 1000)},
    "thresholds": pack(np.tile(DIGITS, 4) > DIGITS.mean()),
    "binary pictures": pack(strokes() > 127),
    "binary noise pictures": pack(pictures() > 127),
    "thermometers": thermometer(8),
    "thermometers in reverse": thermometer(8, reverse=True),
    "thermometers of 5": thermometer(5),
    "one-hot": pack((DIGITS[:, :, None] == np.arange(16)).reshape(len(Y), -1)),
    "classes": pack(np.eye(256, dtype=bool)[RNG.integers(0, 256, 400)]),
    "tags": pack(1 / (2 + np.arange(512)) > NOISE),
    "sparse": pack(NOISE < 0.03),
    "rising": pack(np.linspace(0, 1, 512) > NOISE),
    "in clusters": draw_codes(RNG, 400, 512, 0.02),
    "equal": np.zeros((400, 64), np.uint8),
    "padded": np.pad(pack(NOISE[:, :200] < 0.5), ((0, 0), (0, 100))),
    "last bits padded": pack(NOISE[:, :201] < 0.5),
    "bits as bytes": (NOISE[:, :256] < 0.3).astype(np.uint8),
    "keys of 4 bits": RNG.integers(0, 16, (400, 64), dtype=np.uint8),
    "keys of 7 bits": RNG.integers(0, 128, (400, 64), dtype=np.uint8),
    **{
        f"designed for {n}, noise {noise}, {bits}": codes
        for n in (2, 8, 10, 100)
        for noise in (0, 0.03, 0.2)
        for bits in (256, 512)
        for codes in [designed(n, bits, noise)]
    },
    "complements of designed": ~designed(10, 512, 0.03),
}


@pytest.mark.parametrize("kind", CODES)
def test_codes_are_not_told(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HammingNeighbors(n_neighbors=1).fit(CODES[kind]).add(CODES[kind])


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["dcwh", "dual_hinge", "csq", "hashnet"])
def test_learned_codes_are_not_told(loss):
    X = DIGITS[:600].astype(np.float32)
    encoder = DeepHashEncoder(n_bits=256, loss=loss, max_epochs=2, random_state=0)
    codes = encoder.fit(X, Y[:600]).transform(X)
    assert not look_like_features(codes)


def test_bits_are_codes_whatever_they_look_like():
    bits = np.unpackbits(FEATURES["digits"], axis=1).astype(bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HammingNeighbors().fit(bits).add(bits)


@pytest.mark.parametrize("kind", FEATURES)
def test_order_of_the_bits_is_what_tells(kind):
    """With the bits of each column in an order of its own, they could be codes."""
    X = FEATURES[kind].astype(np.uint8)
    bits = np.unpackbits(X[:, :, None], axis=2)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        orders = rng.permuted(np.tile(np.arange(8), (X.shape[1], 1)), axis=1)
        shuffled = np.take_along_axis(bits, orders[None], axis=2)
        assert not look_like_features(np.packbits(shuffled, axis=2)[:, :, 0])


def test_few_rows_or_columns_do_not_tell():
    X = FEATURES["digits"]
    assert look_like_features(X)
    assert not look_like_features(X[:31])
    assert not look_like_features(np.ascontiguousarray(X[:, 20:43]))
    assert not look_like_features(np.tile(X[:20], (20, 1)))
