"""The items at a path, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skhash.cli._codes import counted
from skhash.cli._input.items import Items, note
from skhash.cli._input.options import Reading

_PHOTOS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_PHOTOS |= {".pbm", ".pgm", ".pnm", ".ppm"}


def read_items(
    path: str, reading: Reading, shape: Sequence[int] | None = None
) -> Items:
    """Read vectors or photos, and say what was understood.

    Parameters
    ----------
    path : str
        A .npy, .npz, .parquet or .csv file, a folder of photos, or a photo.
    reading : Reading
        How.
    shape : sequence of int, default=None
        The shape of an item that a model takes.
    """
    items = _read(Path(path), reading, shape)
    if reading.labels:
        from skhash.cli._input.labels import with_labels

        items = with_labels(items, Path(reading.labels))
    _tell(items, reading.quiet)
    if shape is not None and items.X.shape[1:] != tuple(shape):
        raise ValueError(
            f"{path} holds items of {_sides(items.X.shape[1:])} values, but the model "
            f"takes {_sides(shape)}: give what it was fitted on."
        )
    return items


def _read(path: Path, reading: Reading, shape: Sequence[int] | None) -> Items:
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in _PHOTOS:
        from skhash.cli._input.photos import read_photos

        return read_photos(path, reading, shape)
    if reading.size or reading.grey:
        raise ValueError(f"{path} holds no photos: leave --size and --grey out.")
    if suffix == ".npy":
        from skhash.cli._input.arrays import read_npy

        return read_npy(path, reading)
    if suffix == ".npz":
        from skhash.cli._input.arrays import read_npz

        return read_npz(path, reading)
    if suffix in (".parquet", ".pq"):
        from skhash.cli._input.parquet import read_parquet

        return read_parquet(path, reading)
    if suffix in (".csv", ".tsv"):
        from skhash.cli._input.tables import read_csv

        return read_csv(path, reading)
    if not path.exists():
        raise ValueError(f"There is no file or folder {path}.")
    raise ValueError(
        f"{path} is none of .npy, .npz, .parquet, .csv, a photo, or a folder of photos."
    )


def _tell(items: Items, quiet: bool) -> None:
    n, *sides = items.X.shape
    what = "vector" if len(sides) == 1 else "image"
    what += "s of" if n > 1 else " of"
    labels = ""
    if items.labels is not None:
        n_classes = len(set(map(str, items.labels.tolist())))
        labels = f", {counted(n_classes, 'different label')}"
    named = ""
    if items.columns:
        first, last = items.columns[0], items.columns[-1]
        named = f", columns {first} ... {last}" if first != last else f", column {last}"
    note(
        f"{items.name}: {n} {what} {_sides(sides)} values ({items.X.dtype}){named}"
        f"{labels}",
        quiet,
    )


def _sides(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
