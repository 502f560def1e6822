"""Whether exported codes are those of `transform`, wherever that can be asked."""

import numpy as np

from skhash.hamming import unpack

# Of the spread of a bit's z: nearer to zero, rounding decides.
NEAR = 1e-5


def count_unlike(codes, estimator, X):
    """Number of bits that differ from `transform`: those that must not, and others."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    before, last.output = last.output, "embedding"
    try:
        z = estimator.transform(X)
    finally:
        last.output = before
    assert codes.dtype == np.uint8
    assert codes.shape == (len(X), -(-z.shape[1] // 8))
    padding = np.unpackbits(codes, axis=1)[:, z.shape[1] :]
    assert not padding.any()
    # A single item has no spread, so that none of its bits is near to zero.
    near = np.abs(z) <= NEAR * z.std(axis=0)
    assert near.mean() < 1e-3
    unlike = unpack(codes, z.shape[1]) != (z > 0)
    return int((unlike & ~near).sum()), int((unlike & near).sum())
