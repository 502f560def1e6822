"""Vectors and images in .npy and .npz files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skhash.cli._input.items import Items, check_array
from skhash.cli._input.options import Reading
from skhash.datasets import load_npz


def read_npy(path: Path, reading: Reading) -> Items:
    """The array of a file, which is mapped and read where it is needed."""
    for option in ("id", "label", "key", "columns"):
        if getattr(reading, option):
            raise ValueError(
                f"{path} is one array without names: --{option} cannot be found in it. "
                "Labels come apart, --labels FILE; ids need .npz, .parquet or .csv."
            )
    return Items(str(path), check_array(open_npy(path), str(path)))


def open_npy(path: Path) -> np.ndarray:
    """A memory map of a file that holds one array."""
    with path.open("rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise ValueError(f"{path} is no .npy file: it does not begin like one.")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        of_objects = "object" in str(error).lower()
        why = "it holds Python objects" if of_objects else "it is cut short"
        raise ValueError(f"{path} cannot be read: {why}.") from error


def read_npz(path: Path, reading: Reading) -> Items:
    """The vectors of a file of several arrays, and its ids and labels."""
    if reading.columns:
        raise ValueError(f"{path} has arrays, not columns: give --key NAME.")
    arrays = dict(load_npz(path))
    X = check_array(arrays[_key(path, arrays, reading)], str(path))
    columns = {}
    for option in ("id", "label"):
        name = getattr(reading, option)
        columns[option] = _column(path, arrays, option, name, len(X))
    return Items(str(path), X, columns["id"], columns["label"])


def _key(path: Path, arrays: dict[str, np.ndarray], reading: Reading) -> str:
    """The name of the array that holds the vectors."""
    if reading.key is not None:
        return _known(path, arrays, "key", reading.key)
    named = (reading.id, reading.label)
    found = [k for k, a in arrays.items() if a.ndim in (2, 3, 4) and k not in named]
    if len(found) == 1:
        return found[0]
    raise ValueError(
        f"{path} holds {_listed(arrays)}: say which array holds the vectors, "
        "--key NAME."
    )


def _column(
    path: Path, arrays: dict[str, np.ndarray], option: str, name: str | None, n: int
) -> np.ndarray | None:
    """An array with one value an item; None where none was asked for."""
    if name is None:
        return None
    values = arrays[_known(path, arrays, option, name)]
    # Labels may be sets, 0/1 for each class.
    if values.shape != (n,) and (option == "id" or values.shape[:-1] != (n,)):
        raise ValueError(
            f"{path}: --{option} {name} has shape {values.shape}, but there are {n} "
            f"items: one value each is shape ({n},)."
        )
    return values


def _known(path: Path, arrays: dict[str, np.ndarray], option: str, name: str) -> str:
    if name not in arrays:
        raise ValueError(
            f"{path} has no array {name!r} for --{option}; it holds {_listed(arrays)}."
        )
    return name


def _listed(arrays: dict[str, np.ndarray]) -> str:
    return ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
