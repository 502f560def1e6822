"""Ids of codes: kept as they are given, and found exactly.

Two values name the same code if they are equal: 5.0 finds 5, and "5" is of another
kind. True and False are no ids, since a list of them is a mask.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MappingView, Set
from datetime import date
from numbers import Integral, Real

import numpy as np

from skhash.hamming.columns import check_column, concatenate, kind_of


def check_ids(ids, n):
    """One id for each of n codes, each equal to the one given; None for none."""
    if ids is None:
        return None
    if isinstance(ids, Iterator):
        ids = list(ids)
    column = check_column(ids, name="ids", n=n)
    if column.dtype == bool:
        raise ValueError(
            "ids are True and False, which make a mask: give each code a number or a "
            "name of its own, e.g. ids=range(len(X))."
        )
    refuse_mixture(ids)
    return unique(column)


def unique(ids):
    """The ids, no two of which are equal."""
    if ids.dtype.kind in ("O", "T"):
        twice = [value for value, count in Counter(ids.tolist()).items() if count > 1]
    else:
        values, counts = np.unique(ids, return_counts=True)
        twice = values_of(values[counts > 1])
    if twice:
        raise ValueError(f"Ids must be unique, {twice[0]!r} is not.")
    return ids


def with_more(old, new):
    """Ids with others of their kind after them."""
    kinds = {stored_kind(old), stored_kind(new)} - {"any"}
    if len(kinds) > 1:
        raise ValueError(
            f"The database has ids of {described(old)}, got ids of {described(new)}: "
            "give ids of the same kind."
        )
    some = [ids for ids in (old, new) if stored_kind(ids) != "any"]
    return unique(concatenate(some or [old]))


def find_rows(ids, n, asked):
    """Rows of n codes, in the order asked for, by a mask, by ids, or by themselves.

    By themselves where the codes have no ids.
    """
    rows, column = rows_or_ids(ids, n, asked)
    return found_rows(search(ids, column), column) if rows is None else rows


def rows_or_ids(ids, n, asked):
    """The rows that a mask or rows ask for, or None and the ids to look up, checked.

    Of the ids of the codes only their kind matters: any of them will do.
    """
    asked = as_sequence(asked)
    column = check_column(asked, name="ids")
    if column.dtype == bool:
        return rows_of_mask(column, n), None
    refuse_mixture(asked, look_up=True)
    if kind_of(column) == "any" or not len(column):
        return np.empty(0, np.int64), None
    if ids is None:
        return checked_positions(column, n), None
    if ids.dtype.kind == "M":
        column = as_dates(column)
    if kind_of(ids) not in (kind_of(column), "any"):
        raise ValueError(
            f"The database has ids of {described(ids)}, got {values_of(column)[0]!r} "
            f"of {described(column)}: give ids of the same kind."
        )
    return None, column


def found_rows(rows, asked):
    """The rows of ids that were asked for, unless one is -1, for unknown."""
    unknown = np.flatnonzero(rows < 0)
    if len(unknown):
        raise ValueError(f"No code has the id {values_of(asked)[unknown[0]]!r}.")
    return rows


def rows_of_mask(mask, n):
    """Rows that a mask over n codes lets through."""
    if len(mask) != n:
        raise ValueError(
            f"True and False make a mask, with one value per code, shape ({n},); got "
            f"shape {mask.shape}. Name single codes by their ids, or by their rows "
            "where they have no ids."
        )
    return np.flatnonzero(mask)


def checked_positions(asked, n):
    """Rows given as whole numbers of any dtype."""
    known = np.zeros(len(asked), bool)
    if asked.dtype.kind in "iuf":
        with np.errstate(invalid="ignore"):
            rows = asked.astype(np.int64)
        known = (rows == asked) & (rows >= 0) & (rows < n)
    if not known.all():
        wrong = values_of(asked)[int(np.flatnonzero(~known)[0])]
        raise ValueError(
            f"Positions are integers from 0 to {n - 1}, got {wrong!r}."
            if n
            else f"There is no code at position {wrong!r}: the database is empty."
        )
    return rows


def search(ids, asked):
    """The row of each id that is asked for, -1 where there is none."""
    both = concatenate([ids, asked])
    ids, asked = both[: len(ids)], both[len(ids) :]
    if both.dtype.kind in ("O", "T"):
        found = dict.fromkeys(asked.tolist(), -1)
        for row, value in enumerate(ids.tolist()):
            if value in found:
                found[value] = row
        return np.array([found[value] for value in asked.tolist()], np.int64)
    # Ids are many, and mostly few are asked for: these are what is sorted.
    values, place = np.unique(asked, return_inverse=True)
    at = np.minimum(np.searchsorted(values, ids), len(values) - 1)
    hits = np.flatnonzero(values[at] == ids)
    rows = np.full(len(values), -1)
    rows[at[hits]] = hits
    return rows[place.reshape(-1)]


def as_sequence(asked):
    """What names codes in `remove` and `filter`, in some order."""
    if isinstance(asked, Set | Mapping | MappingView | Iterator):
        return list(asked)
    if isinstance(asked, str | bytes) or not isinstance(asked, Iterable):
        return [asked]
    # Arrays and tensors of no dimension.
    return [asked.item()] if getattr(asked, "ndim", 1) == 0 else asked


def as_dates(column):
    """Dates of Python and pandas as numpy's; others, and those of a zone, as given."""
    values = column.tolist() if column.dtype.kind == "O" else []
    if not values or not isinstance(values[0], date):
        return column
    if any(getattr(value, "tzinfo", None) is not None for value in values):
        return column
    of_pandas = hasattr(values[0], "to_datetime64")
    dates = [v.to_datetime64() if of_pandas else np.datetime64(v) for v in values]
    return check_column(dates, name="ids")


def refuse_mixture(values, look_up=False):
    """Refuse numbers of several kinds in one list, which no array keeps apart.

    To look up, integers and floats may stand side by side, since they are compared.
    """
    # Other dtypes hold one kind.
    if str(getattr(values, "dtype", "object")).lower() not in ("object", "category"):
        return
    flat = values.ravel().tolist() if isinstance(values, np.ndarray) else list(values)
    kinds = {}
    for each in dict.fromkeys(map(type, flat)):
        kinds.setdefault(number_kind(each), each)
    kinds.pop(None, None)
    if len(kinds) > 1 and not (look_up and "truths" not in kinds):
        examples = [
            f"{next(value for value in flat if type(value) is each)!r} "
            f"({each.__name__})"
            for each in kinds.values()
        ]
        raise ValueError(
            f"The ids are of several kinds, such as {' and '.join(examples)}: give "
            "ids of one kind."
        )


def number_kind(of_type):
    """Which kind of number a type is; None for what is no number."""
    if issubclass(of_type, bool | np.bool_):
        return "truths"
    if issubclass(of_type, np.timedelta64):  # an integer, to numpy
        return None
    if issubclass(of_type, Integral):
        return "integers"
    return "floats" if issubclass(of_type, Real) else None


def stored_kind(ids):
    """The kind of ids that one database holds: integers stay apart from floats."""
    kind = kind_of(ids)
    if kind != "numbers":
        return kind
    return number_kind(type(ids[0]) if ids.dtype.kind == "O" else ids.dtype.type)


def described(column):
    """How to tell of a column's values."""
    if column.dtype.kind == "O" and len(column):
        return f"type {type(column[0]).__name__}"
    return f"dtype {column.dtype}"


def values_of(column):
    """The values as they were given; dates stay numpy's, whatever their unit."""
    return list(column) if column.dtype.kind in "Mm" else column.tolist()
