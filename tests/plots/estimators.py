"""Encoders that learn nothing, for displays to ask."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skhash.hamming import pack


class Packs(TransformerMixin, BaseEstimator):
    """Packs what is above 0; knows its number of bits, as DeepHashEncoder does."""

    def __init__(self, n_bits=12):
        self.n_bits = n_bits

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        check_is_fitted(self)
        return pack(np.asarray(X) > 0)


def as_items(bits):
    """Items of which `Packs` makes these bits."""
    return np.where(bits, 0.5, -0.5)
