"""Images in folders, one folder a class."""

from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


def load_image_folder(
    folder: str | PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    mode: str = "RGB",
) -> Bunch:
    """Load images that lie in one folder for each class.

    Parameters
    ----------
    folder : str or path-like
        Holds a folder for each class, which holds images, possibly in folders again.
        Names that begin with a dot are passed over.
    size : tuple of int, default=None
        (height, width) to which each image is resized (bilinear, the aspect is not
        kept). None means that all images must have the same size.
    mode : {"RGB", "L"}, default="RGB"
        Colour or grey.

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
    ValueError
        If an image cannot be read or has another size than the first, or `size` or
        `mode` is none of these.

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
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    classes = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )
    paths = [(label, path) for label in classes for path in _images(folder / label)]
    if not paths:
        raise FileNotFoundError(
            f"{folder} holds no folders of images ({', '.join(_SUFFIXES)})."
        )
    data: np.ndarray | None = None
    for i, (_, path) in enumerate(paths):
        image = _read(path, size, mode)
        if data is None:
            data = np.empty((len(paths), *image.shape), dtype=np.uint8)
        if image.shape != data.shape[1:]:
            raise ValueError(
                f"{path} has {image.shape[0]} x {image.shape[1]} pixels, "
                f"{paths[0][1]} has {data.shape[1]} x {data.shape[2]}. Give size="
                "(height, width) to bring all images to one size."
            )
        data[i] = image
    index = {label: i for i, label in enumerate(classes)}
    return Bunch(
        data=data,
        target=np.array([index[label] for label, _ in paths]),
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


def _images(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    )


def _read(path: Path, size: tuple[int, int] | None, mode: str) -> np.ndarray:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise ImportError("Reading images needs Pillow: pip install pillow.") from error
    bilinear: Any = Image.Resampling.BILINEAR
    try:
        with Image.open(path) as image:
            converted = image.convert(mode)
            if size is not None:
                converted = converted.resize((size[1], size[0]), bilinear)
            return np.asarray(converted)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from error
