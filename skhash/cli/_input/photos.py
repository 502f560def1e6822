"""Photos in a folder, or one photo: read one after the other, with progress."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from skhash.cli._input.items import Items, note
from skhash.cli._input.options import Reading
from skhash.datasets import list_images, read_images
from skhash.progress import followed

# Height and width of photos where neither the user nor a model gives them.
SIZE = (32, 32)
# How many broken photos are listed by name.
_NAMED = 5


def read_photos(
    path: Path, reading: Reading, shape: Sequence[int] | None = None
) -> Items:
    """All photos below a folder, or one photo.

    Parameters
    ----------
    path : Path
        The folder or the file.
    reading : Reading
        What the user says.
    shape : sequence of int, default=None
        What a model takes: (height, width), or with a third axis for colours.

    Returns
    -------
    items : Items
        X is of uint8; ids are paths below the folder, and labels the folders in it
        where all photos lie in such.
    """
    options = ("columns", "id", "key", "label")
    if option := next((each for each in options if getattr(reading, each)), ""):
        raise ValueError(f"{path} holds photos: --{option} is for tables and arrays.")
    files = list_images(path) if path.is_dir() else [path]
    names = [
        file.relative_to(path).as_posix() if path.is_dir() else str(file)
        for file in files
    ]
    X, broken = _pixels(files, reading, *_wanted(reading, shape))
    kept = np.ones(len(files), bool)
    kept[list(broken)] = False
    _tell(broken, files, reading)
    labels = _folders(names) if path.is_dir() and reading.by_folder else None
    return Items(
        str(path),
        X,
        np.array(names)[kept],
        None if labels is None else labels[kept],
        None if kept.all() else kept,
    )


def _wanted(
    reading: Reading, shape: Sequence[int] | None
) -> tuple[tuple[int, int], str]:
    """Size and mode in which photos are read; an error if a model wants another."""
    if shape is None:
        return reading.size or SIZE, "L" if reading.grey else "RGB"
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)):
        raise ValueError(
            f"The model was fitted on items of shape {tuple(shape)}, not on photos: "
            "encode what it was fitted on."
        )
    height, width = shape[:2]
    grey = len(shape) == 2 or shape[2] == 1
    if reading.size not in (None, (height, width)) or (reading.grey and not grey):
        raise ValueError(
            f"The model was fitted on photos of {height}x{width} pixels, "
            f"{'grey' if grey else 'in colour'}, and they are read so by themselves: "
            "leave --size and --grey out."
        )
    return (height, width), "L" if grey else "RGB"


def _pixels(
    files: list[Path], reading: Reading, size: tuple[int, int], mode: str
) -> tuple[np.ndarray, dict[int, str]]:
    """Pixels of the photos, and why some of them cannot be read."""
    shape = (len(files), *size, *((3,) if mode == "RGB" else ()))
    X, n, broken = np.empty(shape, np.uint8), 0, {}
    following = followed(
        files,
        "reading photos",
        len(files),
        size=lambda _: 1,
        unit="photos",
        verbose=not reading.quiet,
    )
    with _warnings_together(reading.quiet):
        for number, file in enumerate(following):
            try:
                X[n] = read_images([file], size=size, mode=mode).data[0]
            except ValueError as error:
                if reading.strict or len(files) == 1:
                    raise
                broken[number] = str(error)
            else:
                n += 1
    if n == 0:
        raise ValueError(f"None of {len(files)} photos can be read. {broken[0]}")
    return X[:n], broken


@contextlib.contextmanager
def _warnings_together(quiet: bool) -> Iterator[None]:
    """Say in one line what the body warns of alike for several photos."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    of: dict[str, list[str]] = {}
    for each in caught:
        file, _, what = str(each.message).partition(": these images ")
        of.setdefault(what, []).append(file)
    for what, files in of.items():
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        note(f"warning: {files[0]}{more}: these images {what}", quiet)


def _tell(broken: dict[int, str], files: list[Path], reading: Reading) -> None:
    for why in list(broken.values())[:_NAMED]:
        note(f"left out: {' '.join(why.split())}", reading.quiet)
    if len(broken) > _NAMED:
        note(f"left out: {len(broken) - _NAMED} more such photos", reading.quiet)


def _folders(names: list[str]) -> np.ndarray | None:
    """The first folder of each path; None where photos lie outside of folders."""
    parts = [PurePosixPath(name).parts for name in names]
    if any(len(part) < 2 for part in parts):
        return None
    return np.array([part[0] for part in parts])
