"""Estimators as layers: what each does in `transform`, written with torch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from numbers import Real
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.fixes import parse_version
from torch import nn

from skhash import baselines
from skhash.encoder import DeepHashEncoder
from skhash.export._arithmetic import (
    Clip,
    Fill,
    Floats,
    InPlace,
    Project,
    UnitRows,
    Waves,
)

# Before, `StandardScaler` computed in float64 and rounded the result.
_CASTS_MOMENTS = parse_version(sklearn.__version__) >= parse_version("1.8")


def _standard_scaler(step: StandardScaler) -> Iterator[nn.Module]:
    yield Floats()
    if step.with_mean:
        yield InPlace(torch.sub, step.mean_, cast=_CASTS_MOMENTS)
    if step.with_std:
        yield InPlace(torch.div, step.scale_, cast=_CASTS_MOMENTS)


def _min_max_scaler(step: MinMaxScaler) -> Iterator[nn.Module]:
    yield Floats()
    yield InPlace(torch.mul, step.scale_)
    yield InPlace(torch.add, step.min_)
    if step.clip:
        low, high = map(float, step.feature_range)
        yield Clip(low=low, high=high)


def _max_abs_scaler(step: MaxAbsScaler) -> Iterator[nn.Module]:
    yield Floats()
    yield InPlace(torch.div, step.scale_)
    if getattr(step, "clip", False):  # new in scikit-learn 1.8
        yield Clip(low=-1.0, high=1.0)


def _robust_scaler(step: RobustScaler) -> Iterator[nn.Module]:
    yield Floats()
    if step.with_centering:
        yield InPlace(torch.sub, step.center_)
    if step.with_scaling:
        yield InPlace(torch.div, step.scale_)


def _normalizer(step: Normalizer) -> Iterator[nn.Module]:
    yield Floats()
    yield UnitRows(norm=step.norm)


def _imputer(step: SimpleImputer) -> Iterator[nn.Module]:
    missing = step.missing_values
    # Versions of scikit-learn before 1.8 have one dtype for both.
    dtype = getattr(step, "_fill_dtype", step._fit_dtype)
    if not isinstance(missing, Real) or dtype.kind not in "fiu":
        raise TypeError(
            f"SimpleImputer(missing_values={missing!r}) fills in values of dtype "
            f"{dtype}, and a graph holds numbers alone. Fit it with numbers, those "
            "that are missing marked by NaN."
        )
    if step.strategy not in ("most_frequent", "constant"):
        yield Floats()
    values = step.statistics_.astype(np.float64)
    kept = np.flatnonzero(~np.isnan(values) | step.keep_empty_features)
    values = np.nan_to_num(values).astype(dtype)
    flagged = step.indicator_.features_ if step.add_indicator else np.arange(0)
    yield Fill(
        missing=float(missing),
        values=values,
        columns=kept,
        flagged=flagged.astype(np.int64),
    )


def _pca(step: PCA) -> Iterator[nn.Module]:
    yield Floats()
    yield Project(matrix=step.components_.T)
    yield InPlace(torch.sub, step.mean_ @ step.components_.T)
    if step.whiten:
        scale = np.sqrt(step.explained_variance_)
        yield InPlace(torch.div, np.maximum(scale, np.finfo(scale.dtype).eps))


def _truncated_svd(step: TruncatedSVD) -> Iterator[nn.Module]:
    yield Project(matrix=step.components_.T)


def _projection(step: Any) -> Iterator[nn.Module]:
    """Shallow methods whose z is a projection of centred features."""
    yield _Doubles()
    yield InPlace(torch.sub, step.mean_)
    yield Project(matrix=step.components_.T)


def _sign_threshold(step: baselines.SignThreshold) -> Iterator[nn.Module]:
    yield _Doubles()
    yield InPlace(torch.sub, step.thresholds_)


def _spectral(step: baselines.SpectralHashing) -> Iterator[nn.Module]:
    yield from _projection(step)
    yield InPlace(torch.sub, step.lower_)
    # Where nothing varies, any width will do.
    extent = step.upper_ - step.lower_
    widths = np.where(extent > 0, extent, 1.0)[step.directions_]
    yield Waves(
        frequencies=np.pi * step.half_waves_ / widths, directions=step.directions_
    )


def _encoder(step: DeepHashEncoder) -> Iterator[nn.Module]:
    network = step.net_.module_
    # For a compiled network, the one that was compiled.
    yield copy.deepcopy(getattr(network, "_orig_mod", network)).cpu()


class _Doubles(nn.Module):
    """Numbers in float64, in which the shallow methods compute."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same values."""
        return x.double()


# The last step makes the codes; the others stand before it.
HASHERS: dict[type, Callable[[Any], Iterator[nn.Module]]] = {
    DeepHashEncoder: _encoder,
    baselines.ITQ: _projection,
    baselines.ITQCCA: _projection,
    baselines.PCAHashing: _projection,
    baselines.RandomHyperplanes: _projection,
    baselines.RotatedSigns: _projection,
    baselines.SignThreshold: _sign_threshold,
    baselines.SpectralHashing: _spectral,
}
TRANSFORMERS: dict[type, Callable[[Any], Iterator[nn.Module]]] = {
    StandardScaler: _standard_scaler,
    MinMaxScaler: _min_max_scaler,
    MaxAbsScaler: _max_abs_scaler,
    RobustScaler: _robust_scaler,
    Normalizer: _normalizer,
    SimpleImputer: _imputer,
    PCA: _pca,
    TruncatedSVD: _truncated_svd,
}
