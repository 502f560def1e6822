"""Outputs of rows that another part has checked, without a second look at them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.baselines._base import ShallowHasher


def embed_checked(encoder: Any, X: NDArray[np.float64]) -> Any:
    """``encoder.embed(X)``, of finite rows.

    Checks of scikit-learn take as long as all else where there is one row. They are
    left to those who know the rows; where the width is wrong `embed` says so.
    """
    shallow = getattr(type(encoder), "embed", None) is ShallowHasher.embed
    if shallow and getattr(encoder, "n_features_in_", None) == X.shape[1]:
        return encoder._embedded(X)
    return encoder.embed(X)
