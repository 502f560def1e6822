"""One value an item, labels or ids, taken over exactly as given.

numpy makes strings of ``[1, "b"]``, floats of integers beyond 64 bits or of unsigned
beside signed ones, NaN of missing values, and drops zero bytes at the end of ``bytes``.
Here every value stays what it is, or is refused.
"""

import datetime
from collections.abc import Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhash.hamming._refusals import is_missing as is_missing
from skhash.hamming._refusals import refuse_masked, refuse_missing, refuse_others

_INT64 = np.iinfo(np.int64)
_UINT64 = np.iinfo(np.uint64)
# Integers up to here are floats without loss.
_EXACT_IN_FLOAT = 2**53
_COLLECTIONS = (set, frozenset, dict, list, tuple, np.ndarray)


def check_column(
    values: Any, *, name: str, n: int | None = None, noun: str = "values"
) -> NDArray:
    """Return one value an item as an array in which each equals the one given.

    Parameters
    ----------
    values : array-like of shape (n,) or (n, 1)
        Numbers, strings, bytes, dates, or other hashable objects, all of one kind: an
        array, list, tuple, range, or a column of pandas or polars.
    name : str
        What to call the values in messages.
    n : int, default=None
        How many there must be; any number when None.
    noun : str, default="values"
        What each of them is, in messages.

    Returns
    -------
    column : ndarray of shape (n,)
        Of dtype object where no other dtype holds the values exactly.

    Raises
    ------
    ValueError
        If values are missing (None, NaN, NaT, NA, masked), of several kinds, themselves
        collections, or not one for each item.
    TypeError
        If the values have no order.

    Examples
    --------
    >>> from skhash.hamming.columns import check_column
    >>> check_column([2**63, 1], name="ids")
    array([9223372036854775808,                   1], dtype=uint64)
    >>> check_column([1, "b"], name="ids")
    Traceback (most recent call last):
        ...
    ValueError: ids holds values of several kinds, such as 1 (int) and 'b' (str): ...
    """
    refuse_others(values, name)
    column = _without_lists(as_array(values, name=name))
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1:
        raise ValueError(
            f"{name} must hold one value for each item (shape (n,)), got shape "
            f"{column.shape}."
        )
    if n is not None and len(column) != n:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {name} has "
            f"{len(column)} values for {n} codes."
        )
    if column.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} is {column.dtype}.")
    if column.dtype.kind not in "biufUSMmTO":
        raise ValueError(
            f"{name} of dtype {column.dtype} are not supported: give numbers or "
            f"strings, e.g. [str(value) for value in {name}]."
        )
    refuse_missing(column, name, noun)
    return _of_objects(column, name) if column.dtype.kind == "O" else column


def kind_of(column: NDArray) -> str:
    """The kind of the values in a checked column: values of one kind can be equal.

    Parameters
    ----------
    column : ndarray of shape (n,)
        As `check_column` returns it.

    Returns
    -------
    kind : str
        "numbers", "strings", "bytes", "dates", "durations", or the name of a type;
        "any" for a column of objects without values.

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming.columns import kind_of
    >>> kind_of(np.array([1.5])), kind_of(np.array(["a"], dtype=object))
    ('numbers', 'strings')
    """
    kinds = {
        "U": "strings",
        "T": "strings",
        "S": "bytes",
        "M": "dates",
        "m": "durations",
    }
    if column.dtype.kind == "O":
        return _kind_of_type(type(column[0])) if len(column) else "any"
    return kinds.get(column.dtype.kind, "numbers")


def concatenate(columns: Sequence[NDArray]) -> NDArray:
    """Join columns of one kind so that every value stays exactly what it is.

    Parameters
    ----------
    columns : sequence of ndarray of shape (n_i,)
        As `check_column` returns them.

    Returns
    -------
    column : ndarray of shape (n_1 + n_2 + ...,)

    Examples
    --------
    >>> import numpy as np
    >>> from skhash.hamming.columns import concatenate
    >>> concatenate([np.array([-1]), np.array([2**63], dtype=np.uint64)])
    array([-1, 9223372036854775808], dtype=object)
    """
    dtypes = {column.dtype for column in columns}
    if len(dtypes) == 1 or all(dtype.kind == "U" for dtype in dtypes):
        return np.concatenate(columns)
    if all(dtype.kind in "biuf" for dtype in dtypes):
        joined = np.result_type(*dtypes)
        # Signed beside unsigned integers are floats to numpy, however small they are.
        made_floats = joined.kind == "f" and all(each.kind in "biu" for each in dtypes)
        usual = [np.dtype(np.int64), np.dtype(np.uint64)]
        for dtype in usual if made_floats else [joined, *usual]:
            if _holds(dtype, columns):
                return np.concatenate([column.astype(dtype) for column in columns])
    if all(dtype.kind == "M" for dtype in dtypes) or all(
        dtype.kind == "m" for dtype in dtypes
    ):
        joined = np.result_type(*dtypes)
        if all(_in_unit(column, joined)[1].all() for column in columns):
            return np.concatenate([column.astype(joined) for column in columns])
    return np.concatenate([_as_objects(column) for column in columns])


def _as_objects(column: NDArray) -> NDArray:
    # As plain objects, dates would be numbers or dates by their unit.
    dates = column.dtype.kind in "Mm"
    return _objects(list(column)) if dates else column.astype(object)


def _in_unit(column: NDArray, dtype: np.dtype) -> tuple[NDArray, NDArray[np.bool_]]:
    """Dates or durations in another unit, and which of them are still the same.

    numpy lets those wrap that are beyond the range of the unit.
    """
    converted = column.astype(dtype)
    back = converted.astype(column.dtype)
    return converted, back.view(np.int64) == column.view(np.int64)


def _holds(dtype: np.dtype, columns: Sequence[NDArray]) -> bool:
    """Whether a dtype of numbers holds all values of these columns of numbers."""
    for column in columns:
        if column.dtype == dtype or not len(column):
            continue
        if dtype.kind == "f" and column.dtype.kind in "iu":
            most = max(abs(int(column.min())), abs(int(column.max())))
            if most > _EXACT_IN_FLOAT:
                return False
        elif dtype.kind in "iu":
            least, most = column.min(), column.max()
            limits = np.iinfo(dtype)
            # A float beside integers may round to just the limit, which is beyond it.
            if not (int(limits.min) <= least and most < int(limits.max)):
                return False
            if column.dtype.kind == "f" and (column != np.floor(column)).any():
                return False
    return True


def as_array(values: Any, *, name: str) -> NDArray:
    """Take any container over as an array.

    Parameters
    ----------
    values : array-like, or column or table of pandas, polars, pyarrow or torch
        Not sparse.
    name : str
        What to call the values in messages.

    Returns
    -------
    array : ndarray
        Lists and other containers whose values numpy might change are a column of
        objects, one for each item.

    Raises
    ------
    ValueError
        If values are masked.

    Examples
    --------
    >>> from skhash.hamming.columns import as_array
    >>> as_array([1, "b", [2, 3]], name="labels")
    array([1, 'b', list([2, 3])], dtype=object)
    """
    refuse_masked(values, name)
    if isinstance(values, np.ndarray):
        return np.asarray(values)
    if type(values).__module__.split(".")[0] == "torch":
        values = values.detach().cpu()
        # numpy has no such floats.
        return np.asarray(values.float() if "bfloat" in str(values.dtype) else values)
    if len(getattr(values, "shape", ())) > 1 or not hasattr(values, "__len__"):
        return np.asarray(values)
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "biufMmO":  # a pandas column, too
        return np.asarray(values)
    if hasattr(values, "null_count") and hasattr(values, "to_list"):  # polars
        plain = values.to_numpy() if values.null_count() == 0 else None
        if plain is not None and plain.dtype.kind in "biufMm":
            return plain
        values = values.to_list()
    elif hasattr(values, "to_pylist"):  # pyarrow
        values = values.to_pylist()
    values = list(values)
    types = set(map(type, values))
    if types == {float}:
        return np.array(values, dtype=np.float64)
    if types == {int}:
        with suppress(OverflowError):
            return np.array(values, dtype=np.int64)
    if types and all(issubclass(each, str) for each in types):
        # By numpy alone, members of an Enum of strings would be their names.
        plain = list(map(str.__str__, values))
        if not any(value.endswith("\0") for value in plain):  # where numpy's would end
            return np.array(plain)
    return _objects(values)


def _objects(values: list) -> NDArray:
    types = set(map(type, values))
    if any(
        hasattr(each, "item") and not issubclass(each, np.generic) for each in types
    ):
        values = [_without_axes(value) for value in values]
    return np.fromiter(values, dtype=object, count=len(values))


def _without_lists(column: NDArray) -> NDArray:
    """Lists of one value each, which are a column of shape (n, 1), as the values."""
    if column.dtype == object and column.ndim == 1:
        values = column.tolist()
        if set(map(type, values)) <= {list, tuple} and all(len(v) == 1 for v in values):
            return _objects([value[0] for value in values])
    return column


def _without_axes(value: Any) -> Any:
    """Arrays and tensors of no dimension as what they hold."""
    if getattr(value, "ndim", 1) or not hasattr(value, "item"):
        return value
    return value[()] if isinstance(value, np.ndarray) else value.item()


def _of_objects(column: NDArray, name: str) -> NDArray:
    """Objects of one kind, as numbers or strings where these are exact."""
    values = column.tolist()
    kinds: dict[str, type] = {}
    for each in dict.fromkeys(map(type, values)):
        kinds.setdefault(_kind_of_type(each), each)
    if len(kinds) > 1:
        examples = [
            f"{next(v for v in values if type(v) is each)!r} ({each.__name__})"
            for each in kinds.values()
        ]
        raise ValueError(
            f"{name} holds values of several kinds, such as {' and '.join(examples)}: "
            f"make them alike, e.g. [str(value) for value in {name}]."
        )
    kind = next(iter(kinds), "any")
    if kind == "any":
        return column
    if kind == "numbers":
        return _numbers(values)
    if kind == "strings":
        return _objects(list(map(str.__str__, values)))
    if all(isinstance(value, np.datetime64 | np.timedelta64) for value in values):
        if len({value.dtype for value in values}) == 1:
            return np.array(values)
        return concatenate([np.array([value]) for value in values])
    return _hashable(column, name)


def _hashable(column: NDArray, name: str) -> NDArray:
    value = column[0]
    if isinstance(value, _COLLECTIONS):
        raise ValueError(
            f"{name} must hold one value for each item, but the first is "
            f"{value!r} ({type(value).__name__})."
        )
    try:
        hash(value), value < value
    except TypeError:
        raise TypeError(
            f"{name} holds {value!r}, a {type(value).__name__}, which has no hash or "
            f"order: give numbers or strings, e.g. [str(value) for value in {name}]."
        ) from None
    return column


def _kind_of_type(kind: type) -> str:
    kinds: tuple[tuple[Any, str], ...] = (
        # First, since numpy counts its durations among the integers.
        (np.timedelta64, "durations"),
        (np.datetime64, "dates"),
        ((bool, np.bool_, Integral, Real), "numbers"),
        (str, "strings"),
        (bytes, "bytes"),
    )
    if kind is datetime.date:  # equal to numpy's, as one with a time need not be
        return "dates"
    for types, word in kinds:
        if issubclass(kind, types):
            return word
    return kind.__name__


def _numbers(values: list) -> NDArray:
    """Numbers in the narrowest of the usual dtypes that holds them exactly."""
    types = set(map(type, values))
    if types <= {bool, np.bool_}:
        return np.array(values, dtype=bool)
    if all(isinstance(value, Integral | np.bool_) for value in values):
        integers = [int(value) for value in values]
        low, high = min(integers), max(integers)
        if low >= int(_INT64.min) and high <= int(_INT64.max):
            return np.array(integers, dtype=np.int64)
        if low >= 0 and high <= int(_UINT64.max):
            return np.array(integers, dtype=np.uint64)
        return _objects(integers)
    floats = [float(value) for value in values]
    if all(a == b for a, b in zip(floats, values, strict=True)):
        return np.array(floats, dtype=np.float64)
    return _objects(values)
