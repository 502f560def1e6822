"""Images in folders, one for each class."""

import math
import os
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skhash.datasets._images import (
    ImageOptions,
    ReadImage,
    import_pillow,
    read_image,
)
from skhash.warn import warn

_SUFFIXES = (
    *(".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
# Folders in which operating systems keep previews, copies and deleted files, as they do
# in those whose name begins with a dot.
_SYSTEM = {
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "system volume information",
    "lost+found",
}


def load_image_folder(
    folder: str | PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    mode: str = "RGB",
    value_range: tuple[float, float] | None = None,
    background: str | tuple[int, int, int] | None = None,
    exif_orientation: bool = True,
) -> Bunch:
    """Load images that lie in one folder for each class.

    An image is what a viewer shows of its file: the first frame of an animation, or
    the first page of a file with several, with a warning that names the file. Warnings
    also name folders without images, images outside the folders of classes, and pipes
    and devices with the name of an image, all of which are skipped.

    Parameters
    ----------
    folder : str or path-like
        Holds a folder for each class, which holds images, possibly in folders again
        (links to folders are followed for classes only). The images' names end in .bmp,
        .gif, .jpeg, .jpg, .pbm, .pgm, .png, .pnm, .ppm, .tif, .tiff or .webp. Names
        that begin with a dot, and the folders in which systems keep copies
        (``__MACOSX``, ``@eaDir``, ``$RECYCLE.BIN``), are skipped at every level.
    size : tuple of int, default=None
        (height, width) to which each image is resized (bilinear; the aspect ratio is
        not kept). None means that all images must have the same size.
    mode : {"RGB", "L"}, default="RGB"
        Colour or grey.
    value_range : tuple of float, default=None
        (black, white): the values that become 0 and 255 where grey images have more
        than 8 bits; those beyond are clipped. None takes all values of 16 bits (or 12,
        in a TIFF file that says so), and 0 to 1 for floats; other floats, and whole
        numbers of 32 bits, are refused. Colours of 16 bits keep the upper 8.
    background : str or tuple of int, default=None
        The colour behind transparent pixels, as a name or (red, green, blue). None is
        white, with a warning if there are any such pixels.
    exif_orientation : bool, default=True
        Whether to turn images upright by the orientation that the camera noted. False
        keeps rows and columns as they are stored.

    Returns
    -------
    bunch : Bunch
        data : ndarray of shape (n, height, width, 3) or (n, height, width), uint8
            Colour or grey images.
        target : ndarray of shape (n,), int64
            Numbers of the classes.
        target_names : list of str
            Names of the classes' folders, sorted.
        filenames : list of str
            Paths of the images below `folder`.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no image in it.
    ImportError
        If Pillow is not installed.
    MemoryError
        If all images together are too large.
    ValueError
        If an image cannot be read, differs in size from the first, or has values whose
        meaning is unknown; or if an option is invalid.

    Examples
    --------
    >>> from skhash.datasets import load_image_folder
    >>> birds = load_image_folder("data/birds", size=(64, 64))  # doctest: +SKIP
    >>> birds.target_names  # doctest: +SKIP
    ['crow', 'gull', 'wren']
    """
    if mode not in ("RGB", "L"):
        raise ValueError(f"mode must be 'RGB' or 'L', got {mode!r}.")
    if size is not None:
        _check_size(size)
    if value_range is not None:
        _check_value_range(value_range)
    colour = (255, 255, 255) if background is None else _colour(background)
    options = ImageOptions(size, mode, value_range, colour, exif_orientation)
    folder = Path(folder)
    classes, paths = _find_images(folder)
    data = _read_all([path for _, path in paths], options, background is None)
    index = {label: i for i, label in enumerate(classes)}
    return Bunch(
        data=data,
        target=np.array([index[label] for label, _ in paths], dtype=np.int64),
        target_names=classes,
        filenames=[path.relative_to(folder).as_posix() for _, path in paths],
    )


def _check_size(size: Any) -> None:
    whole = isinstance(size, tuple | list) and all(
        isinstance(pixels, Integral) and int(pixels) > 0 for pixels in size
    )
    if not whole or len(size) != 2:
        raise ValueError(
            f"size must be (height, width), two ints of at least 1, got {size!r}."
        )


def _check_value_range(value_range: Any) -> None:
    is_pair = (
        isinstance(value_range, tuple | list)
        and len(value_range) == 2
        and all(isinstance(value, Real) for value in value_range)
    )
    span = float(value_range[1]) - float(value_range[0]) if is_pair else 0.0
    if span == 0 or not math.isfinite(span):
        raise ValueError(
            "value_range must be (black, white), two different finite numbers, got "
            f"{value_range!r}."
        )


def _colour(background: Any) -> tuple[int, int, int]:
    import_pillow()
    from PIL import ImageColor

    try:
        parts = background
        if isinstance(background, str):
            parts = ImageColor.getrgb(background)
        red, green, blue = (int(part) for part in parts if 0 <= int(part) == part < 256)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "background must be the name of a colour, or (red, green, blue), each from "
            f"0 to 255, got {background!r}."
        ) from error
    return red, green, blue


def _find_images(folder: Path) -> tuple[list[str], list[tuple[str, Path]]]:
    """Names of the classes, and each image's class and path."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    entries = [entry for entry in folder.iterdir() if not _is_hidden(entry.name)]
    classes = sorted(entry.name for entry in entries if entry.is_dir())
    found = {label: _images(folder / label) for label in classes}
    paths = [(label, path) for label in classes for path in found[label]]
    if not paths:
        raise FileNotFoundError(
            f"{folder} holds no folders of images ({', '.join(_SUFFIXES)})."
        )
    outside = [entry for entry in entries if entry.is_file() and _is_image(entry.name)]
    _warn_of(sorted(outside), "lie outside the folders of classes, and are skipped.")
    empty = [label for label in classes if not found[label]]
    if empty:
        warn(
            f"{folder} has folders without images: {', '.join(empty)}. They stay in "
            "target_names, as classes without rows."
        )
    return classes, paths


def _images(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        found += [
            Path(parent, name)
            for name in files
            if _is_image(name) and not _is_hidden(name)
        ]
    # Broken links are kept, for the reader to complain about.
    special = [path for path in found if path.exists() and not path.is_file()]
    _warn_of(sorted(special), "are not regular files, and are skipped.")
    return sorted(set(found) - set(special))


def _raise(error: OSError) -> None:
    raise error


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM


def _is_image(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)


def _read_all(
    paths: list[Path], options: ImageOptions, warn_of_alpha: bool
) -> np.ndarray:
    data = None
    transparent, several = [], []
    for i, path in enumerate(paths):
        image = read_image(path, options)
        if data is None:
            data = _room_for(len(paths), image)
        if image.pixels.shape != data.shape[1:]:
            height, width = image.pixels.shape[:2]
            raise ValueError(
                f"{path} has {height} x {width} pixels, {paths[0]} has {data.shape[1]} "
                f"x {data.shape[2]}. Give size=(height, width) to bring all images to "
                "one size."
            )
        data[i] = image.pixels
        if image.was_transparent:
            transparent.append(path)
        if image.has_more_frames:
            several.append(path)
    if warn_of_alpha:
        _warn_of(
            transparent,
            "have transparent pixels, and are shown on white. Give background='white' "
            "if that is meant, or another colour.",
        )
    _warn_of(several, "hold more than one frame or page; the first is read.")
    return data


def _room_for(n_images: int, first: ReadImage) -> np.ndarray:
    shape = (n_images, *first.pixels.shape)
    try:
        return np.empty(shape, dtype=np.uint8)
    except MemoryError as error:
        raise MemoryError(
            f"{n_images} images of {shape[1]} x {shape[2]} pixels do not fit in "
            "memory. Give a smaller size=(height, width)."
        ) from error


def _warn_of(paths: list[Path], what: str) -> None:
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        warn(f"{paths[0]}{more}: these images {what}")
