"""Image files as one array."""

from __future__ import annotations

import math
from collections.abc import Iterable
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


def read_images(
    paths: Iterable[str | PathLike[str]],
    *,
    size: tuple[int, int] | None = None,
    mode: str = "RGB",
    value_range: tuple[float, float] | None = None,
    background: str | tuple[int, int, int] | None = None,
    exif_orientation: bool = True,
    on_error: str = "raise",
) -> Bunch:
    """Read image files, wherever they lie.

    For queries, and for photos that come later, give the `options` of the images that
    the encoder learned from: ``read_images(paths, **photos.options)``.

    Parameters
    ----------
    paths : iterable of str or path-like
        The files, in any format that :func:`load_image_folder` reads.
    size, mode, value_range, background, exif_orientation, on_error
        As in :func:`load_image_folder`.

    Returns
    -------
    bunch : Bunch
        data : ndarray of shape (n, height, width, 3) or (n, height, width), uint8
            Colour or grey images.
        filenames : list of str
            The paths of these images, as given.
        skipped : dict of str to str
            Paths that were skipped, and why.
        options : dict
            How they were read, `size` included, to read others alike.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    MemoryError
        If all images together are too large.
    TypeError
        If `paths` is a single path.
    ValueError
        If there are no paths, an image cannot be read, differs in size from the first,
        or has values whose meaning is unknown; or if an option is invalid.

    See Also
    --------
    load_image_folder : Images in one folder for each class.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skhash.datasets import read_images
    >>> files = sorted(Path("photos").rglob("*.jpg"))
    >>> photos = read_images(files, size=(64, 64), on_error="skip")  # doctest: +SKIP
    >>> query = read_images(["new.png"], **photos.options)  # doctest: +SKIP
    """
    if isinstance(paths, str | bytes | PathLike):
        raise TypeError(
            f"paths must be a list of files, got {paths!r}. Give [path] for one file, "
            "sorted(Path(folder).rglob('*.jpg')) for a folder."
        )
    given = {"size": size, "mode": mode, "value_range": value_range}
    given |= {"background": background, "exif_orientation": exif_orientation}
    options = check_options(**given, on_error=on_error)
    files = [Path(path) for path in paths]
    if not files:
        raise ValueError("paths is empty: there is no image to read.")
    data, skipped = read_all(files, options, background is None, on_error)
    return Bunch(
        data=data,
        filenames=[str(path) for i, path in enumerate(files) if i not in skipped],
        skipped={str(files[i]): reason for i, reason in skipped.items()},
        options={**given, "size": data.shape[1:3]},
    )


def check_options(
    size: Any,
    mode: Any,
    value_range: Any,
    background: Any,
    exif_orientation: bool,
    on_error: Any,
) -> ImageOptions:
    """How images are read; a ValueError if an option is invalid."""
    for name, value, (one, other) in (
        ("mode", mode, ("RGB", "L")),
        ("on_error", on_error, ("raise", "skip")),
    ):
        if value not in (one, other):
            raise ValueError(f"{name} must be {one!r} or {other!r}, got {value!r}.")
    if size is not None:
        _check_size(size)
    if value_range is not None:
        _check_value_range(value_range)
    colour = (255, 255, 255) if background is None else _colour(background)
    return ImageOptions(size, mode, value_range, colour, exif_orientation)


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


def read_all(
    paths: list[Path], options: ImageOptions, warn_of_alpha: bool, on_error: str
) -> tuple[np.ndarray, dict[int, str]]:
    """All images as one array, and why the files of some numbers were skipped."""
    data, n_read, first = None, 0, None
    skipped: dict[int, str] = {}
    transparent, several = [], []
    for i, path in enumerate(paths):
        try:
            image = read_image(path, options)
        except ValueError as error:
            if on_error == "raise":
                raise
            skipped[i] = str(error)
            continue
        if data is None:
            data, first = _room_for(len(paths), image), path
        _check_shape(image, path, data, first)
        data[n_read] = image.pixels
        n_read += 1
        if image.was_transparent:
            transparent.append(path)
        if image.has_more_frames:
            several.append(path)
    if data is None:
        raise ValueError(f"None of {len(paths)} images can be read. {skipped[0]}")
    if warn_of_alpha:
        warn_of(
            transparent,
            "have transparent pixels, and are shown on white. Give background='white' "
            "if that is meant, or another colour.",
        )
    warn_of(several, "hold more than one frame or page; the first is read.")
    warn_of(
        [paths[i] for i in skipped],
        "cannot be read, and are skipped; `skipped` says why.",
    )
    return data[:n_read], skipped


def _check_shape(image: ReadImage, path: Path, data: np.ndarray, first: Any) -> None:
    if image.pixels.shape != data.shape[1:]:
        height, width = image.pixels.shape[:2]
        raise ValueError(
            f"{path} has {height} x {width} pixels, {first} has {data.shape[1]} "
            f"x {data.shape[2]}. Give size=(height, width) to bring all images to "
            "one size."
        )


def _room_for(n_images: int, first: ReadImage) -> np.ndarray:
    shape = (n_images, *first.pixels.shape)
    try:
        return np.empty(shape, dtype=np.uint8)
    except MemoryError as error:
        raise MemoryError(
            f"{n_images} images of {shape[1]} x {shape[2]} pixels do not fit in "
            "memory. Give a smaller size=(height, width)."
        ) from error


def warn_of(paths: list[Path], what: str) -> None:
    """Warn of files, if there are any: of the first by name."""
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        warn(f"{paths[0]}{more}: these images {what}")
