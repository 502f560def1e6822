"""What users pass as X, brought to an array; what cannot be read is named."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from skhash.hamming.columns import is_missing

# Values from here on are no data: float32 ends there, and its largest number is a
# common marker of missing values.
LARGEST = float(np.finfo(np.float32).max)
# Columns of frames that are no numbers, by the beginning of their dtype's name.
_TIMES = ("date", "time", "duration", "period", "interval")
_WORDS = ("object", "str", "category", "categorical", "enum", "list", "array")


def read_array(X: Any, name: str = "X") -> Any:
    """An array, a sparse matrix or a data frame of numbers, as scikit-learn reads it.

    Raises
    ------
    ValueError
        If X is none of them, holds something else than real numbers, is ragged or has
        masked values.
    """
    if isinstance(X, Tensor):
        X = tensor_array(X, name)
    elif is_picture(X):
        X = picture_array(X)
    elif hasattr(X, "collect"):
        raise ValueError(f"{name} is a {type(X).__name__}: pass {name}.collect().")
    elif hasattr(X, "columns") and hasattr(X, "dtypes"):
        _check_frame(X, name)
        return X
    elif isinstance(X, np.ma.MaskedArray):
        X = _unmasked(X, name)
    elif hasattr(X, "to_numpy"):  # a series
        X = X.to_numpy()
    elif isinstance(X, (list, tuple)):
        X = _of_list(X, name)
    elif not (hasattr(X, "__array__") or sp.issparse(X)):
        _refuse_other(X, name)
    if not isinstance(X, np.ndarray) and not sp.issparse(X):
        return X
    if X.ndim == 1 and X.dtype == object and len(X):
        return _of_objects(X, name)
    _check_dtype(X, name)
    if isinstance(X, (sp.csr_array, sp.csr_matrix)) and not X.has_canonical_format:
        X = X.copy()  # values of one place are summed, which moments take for granted
        X.sum_duplicates()
    return X


def tensor_array(X: Tensor, name: str = "X") -> Any:
    """A tensor of any kind as an array; a sparse one as a CSR matrix."""
    X = plain_tensor(X, name).cpu()
    if X.is_sparse:
        X = X.coalesce()
        values = tensor_array(X.values())
        return sp.csr_array((values, X.indices().numpy()), shape=tuple(X.shape))
    try:
        return X.numpy()
    except TypeError:  # bfloat16 and narrower: numpy has no such numbers
        return X.float().numpy()


def plain_tensor(X: Tensor, name: str = "X") -> Tensor:
    """A tensor of numbers, strided or a sparse matrix, without its history."""
    if X.is_nested:
        raise ValueError(
            f"{name} is a nested tensor; all items need one shape: pad them, "
            f"{name}.to_padded_tensor(0.0)."
        )
    if X.is_meta:
        raise ValueError(f"{name} is a tensor on the device 'meta', which has no data.")
    X = X.detach()
    if X.is_quantized:
        X = X.dequantize()
    if X.layout != torch.strided:
        matrix = X.ndim == 2 and X.sparse_dim() == 2 and X.layout != torch._mkldnn  # type: ignore[attr-defined]
        return X.to_sparse() if matrix else X.to_dense()
    return X.resolve_conj().resolve_neg()


def is_picture(item: Any) -> bool:
    """Whether this is an image of Pillow."""
    image = sys.modules.get("PIL.Image")  # where it was not imported, there are none
    return image is not None and isinstance(item, image.Image)


def picture_array(picture: Any) -> np.ndarray:
    """Pixels of a Pillow image: (height, width) or (height, width, channels)."""
    if picture.mode in ("P", "PA"):  # else the numbers would be those of a palette
        picture = picture.convert("RGB" if picture.mode == "P" else "RGBA")
    return np.asarray(picture)


def _of_list(X: Sequence, name: str) -> Any:
    first = X[0] if X else None
    if any(isinstance(x, (Tensor, np.ma.MaskedArray)) or is_picture(x) for x in X):
        X = [read_array(x, f"{name}[{i}]") for i, x in enumerate(X)]
    try:
        array = np.asarray(X)
    except ValueError:
        _refuse_ragged(X, name)
        raise
    if array.ndim == 1 and array.dtype.kind in "OUS":
        _refuse_words(first, name)
    # scikit-learn reads numbers among objects, and refuses strings, in its own words.
    return X if array.dtype.kind in "OUS" else array


def _of_objects(X: np.ndarray, name: str) -> Any:
    """Items that are arrays, or whatever else, in an array of objects."""
    if isinstance(X[0], (np.ndarray, list, tuple, Tensor)) or is_picture(X[0]):
        return _of_list(X.tolist(), name)
    _refuse_words(X[0], name)
    return X


def _refuse_ragged(X: Sequence, name: str) -> None:
    shapes = [_shape(x, f"{name}[{i}]") for i, x in enumerate(X)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{name}[{i}] has shape {shape}, but {name}[0] has {shapes[0]}: all "
                "items need one shape; resize, crop or pad them."
            ) from None


def _shape(item: Any, name: str) -> tuple[int, ...]:
    try:
        return np.shape(item)
    except ValueError:
        raise ValueError(
            f"{name} is ragged: its rows are not of one length; crop or pad them."
        ) from None


def _refuse_words(first: Any, name: str) -> None:
    if isinstance(first, (str, bytes, os.PathLike)):
        raise ValueError(
            f"{name} holds strings, the first is {first!r}: pass numbers. Files of "
            "images are read by skhash.datasets, arrays by numpy.load; texts need "
            "features, e.g. of sklearn.feature_extraction.text.TfidfVectorizer."
        )
    if isinstance(first, (Mapping, Set)):
        raise ValueError(
            f"{name} holds a {type(first).__name__} for each item: pass rows of "
            "numbers, e.g. of sklearn.feature_extraction.DictVectorizer."
        )


def _refuse_other(X: Any, name: str) -> None:
    kind = type(X).__name__
    if isinstance(X, DataLoader):
        refuse_loader(X, name)
    if X is None:
        advice = "pass an array, a data frame, a sparse matrix or a torch Dataset"
    elif isinstance(X, (str, bytes, os.PathLike)):
        advice = f"read {X!r} first, e.g. by numpy.load or skhash.datasets"
    elif isinstance(X, Iterator):
        advice = f"pass list({name}), as it can be read only once"
    elif isinstance(X, (Mapping, Set)):
        advice = "pass rows of numbers, e.g. a data frame of its columns"
    elif np.ndim(X) == 0 and not np.isscalar(X):
        advice = "pass an array, a data frame, a sparse matrix or a torch Dataset"
    else:
        return
    got = "None" if X is None else f"a {kind}"
    raise ValueError(f"Expected 2D array, got {got} as {name}: {advice}.")


def refuse_loader(X: DataLoader, name: str = "X") -> None:
    """A loader has an order and batches of its own; the encoder makes them itself."""
    # None is torch's word for no batches at all; the encoder takes no single items.
    told = [f"batch_size={X.batch_size}"] if (X.batch_size or 0) > 1 else []
    if X.num_workers:
        told += [f"net_params={{'iterator_train__num_workers': {X.num_workers}}}"]
    raise ValueError(
        f"{name} is a DataLoader: pass its data set, {name}.dataset, and "
        f"DeepHashEncoder({', '.join(told)})."
    )


def _unmasked(X: np.ma.MaskedArray, name: str) -> np.ndarray:
    masked = np.ma.getmaskarray(X)
    if masked.any():
        place = tuple(int(axis) for axis in np.argwhere(masked)[0])
        raise ValueError(
            f"{name} has masked values, the first at {place}. Fill them in, "
            f"{name}.filled(0) or sklearn.impute.SimpleImputer on {name}.filled(nan), "
            "or leave out these items."
        )
    return np.ma.getdata(X)


def _check_dtype(X: Any, name: str) -> None:
    """Refuse dtypes that scikit-learn reads as numbers in silence, or prints whole."""
    if X.dtype.kind in "mM":
        raise ValueError(
            f"{name} has dtype {X.dtype}: turn times into numbers, e.g. "
            f"({name} - {name}.min()) / numpy.timedelta64(1, 'D')."
        )
    if X.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: {name} has dtype {X.dtype}. Pass real and "
            f"imaginary parts as features, numpy.hstack([{name}.real, {name}.imag])."
        )
    if X.dtype.names:
        raise ValueError(
            f"{name} is a structured array with the fields {X.dtype.names}: pass "
            f"numpy.lib.recfunctions.structured_to_unstructured({name})."
        )


def _check_frame(X: Any, name: str) -> None:
    for column, dtype in zip(X.columns, X.dtypes, strict=True):
        kind = str(dtype).lower()
        place = f"Column {column!r} of {name}"
        if kind.startswith(_TIMES):
            raise ValueError(
                f"{place} holds times ({dtype}): turn them into numbers, e.g. days "
                "since the first, or drop the column."
            )
        if kind.startswith("complex"):
            raise ValueError(
                f"Complex data not supported: {place} has dtype {dtype}. Make its real "
                "and imaginary parts two columns."
            )
        if kind.startswith(_WORDS):
            _check_words(X[column], place)
    nullable = any(not isinstance(dtype, np.dtype) for dtype in X.dtypes)
    # Among objects, scikit-learn 1.6 compares NA with itself, which has no truth.
    if nullable and hasattr(X, "isna") and X.isna().to_numpy().any():
        raise ValueError(
            f"Input {name} contains NaN. Fill missing values in, e.g. by "
            "sklearn.impute.SimpleImputer, or leave out these items."
        )


def _check_words(column: Any, place: str) -> None:
    """Refuse a column of frames whose first value is no number, nor reads like one."""
    if getattr(column, "ndim", 1) != 1:  # of several columns with one name
        return
    first = next((value for value in column if not is_missing(value)), None)
    if isinstance(first, (str, bytes)):
        try:
            float(first)
        except ValueError:
            raise ValueError(
                f"{place} holds strings, the first is {first!r}: encode it, e.g. by "
                "sklearn.preprocessing.OneHotEncoder, or drop it."
            ) from None
    elif np.ndim(first):
        raise ValueError(
            f"{place} holds an array for each item: pass the array of this column "
            "alone, numpy.stack(column)."
        )
