"""What holds no values: no sequence at all, or missing ones (None, NaN, NaT, NA)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ADVICE = "Leave these items out, or give them a value of their own."
_COLLECTIONS = (set, frozenset, dict, list, tuple, np.ndarray)


def refuse_others(values: Any, name: str) -> None:
    """Raise unless the container says which value belongs to which item."""
    single = isinstance(values, str | bytes)
    if single or not (hasattr(values, "__len__") or hasattr(values, "__array__")):
        raise ValueError(f"{name} must hold one value for each item, got {values!r}.")
    if isinstance(values, set | frozenset | dict):
        raise TypeError(
            f"{name} is a {type(values).__name__}, which does not say which value "
            "belongs to which item: give a list or an array."
        )


def refuse_masked(values: Any, name: str) -> None:
    """Raise if values of a masked array are masked."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(
            f"{name} has {int(np.ma.count_masked(values))} masked, that is missing, "
            f"values. {_ADVICE}"
        )


def refuse_missing(array: NDArray, name: str, noun: str) -> None:
    """Raise if values of an array of any shape are missing; `noun` is what they are."""
    missing = _is_missing(array)
    if not missing.any():
        return
    first = np.argwhere(missing)[0].tolist()
    value = array[tuple(first)]
    shown = "NaN" if isinstance(value, float | np.floating) else str(value)
    raise ValueError(
        f"{name} has {int(missing.sum())} missing {noun}, the first {shown} in row "
        f"{first[0]}. {_ADVICE}"
    )


def _is_missing(array: NDArray) -> NDArray[np.bool_]:
    """Which values are missing; one False where none can be."""
    if array.dtype.kind == "f":
        return np.isnan(array)
    if array.dtype.kind in "Mm":
        return np.isnat(array)
    if array.dtype.kind == "O" or hasattr(array.dtype, "na_object"):
        values = array.ravel().tolist()
        if not set(map(type, values)) <= {int, bool, str, bytes}:
            found = np.fromiter(map(is_missing, values), bool, len(values))
            return found.reshape(array.shape)
    return np.zeros(1, dtype=bool)


def is_missing(value: Any) -> bool:
    """None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, _COLLECTIONS):
        return False
    differs = value != value
    return isinstance(differs, bool | np.bool_) and bool(differs)
