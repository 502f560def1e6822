"""One image file as an array of 8-bit values, the way a viewer shows it."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# Formats that are read, whatever the file's name says. Some of Pillow's other formats
# hand the file to another program.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000")
# Pillow's modes of more than 8 bits, and those with an alpha channel.
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
# What turns an image upright, by the orientation in its EXIF data.
_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
# The turns that do not undo themselves, and those that undo them.
_TURNED_BACK = {6: 8, 8: 6}
# Tags of a TIFF file: bits of a value, and what zero stands for.
_TIFF_BITS, _TIFF_PHOTOMETRIC = 258, 262


class ImageOptions(NamedTuple):
    """How images are read; see load_image_folder."""

    size: tuple[int, int] | None
    mode: str
    value_range: tuple[float, float] | None
    background: tuple[int, int, int]
    exif_orientation: bool


class ReadImage(NamedTuple):
    """An image, and what else its file held."""

    pixels: np.ndarray
    was_transparent: bool
    has_more_frames: bool


def import_pillow() -> Any:
    """Pillow's module Image, which nothing else in skhash needs."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Reading images needs Pillow: pip install pillow.") from error
    return Image


def read_image(path: Path, options: ImageOptions) -> ReadImage:
    """Read one file; a ValueError names it and says what is wrong."""
    Image = import_pillow()
    Image.init()
    formats = [name for name in _FORMATS if name in Image.OPEN]
    try:
        with Image.open(path, formats=formats) as image:
            _check_strips(image)
            # The other pictures in a phone's JPEG are previews and the like.
            more = image.format != "MPO" and getattr(image, "is_animated", False)
            upright = _upright(image, options.exif_orientation)
            value_range = options.value_range or _own_range(image)
        return ReadImage(*to_eight_bits(upright, value_range, options), more)
    # A damaged file can make Pillow raise nearly anything, a MemoryError included.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path} cannot be read as an image: {reason}") from error


def to_eight_bits(
    image: Any, value_range: tuple[float, float] | None, options: ImageOptions
) -> tuple[np.ndarray, bool]:
    """The pixels of a Pillow image, and whether any of them is transparent."""
    Image = import_pillow()
    if image.mode in _DEEP_MODES:
        image, alpha = _scaled(image, value_range)
    else:
        image, alpha = _without_alpha(image)
    if alpha is not None:
        image = image.convert("RGB")
        paper = Image.new("RGBA", image.size, (*options.background, 255))
        image.putalpha(alpha)
        image = Image.alpha_composite(paper, image)
    if image.mode not in ("1", "L", "RGB"):
        # Pillow converts some modes to grey only by way of colours.
        image = image.convert("RGB")
    image = image.convert(options.mode)
    if options.size is not None:
        height, width = options.size
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image), alpha is not None


def _check_strips(image: Any) -> None:
    """Refuse a TIFF file that lacks parts of the image, which Pillow leaves black."""
    if image.format != "TIFF":
        return
    extents = [tile[1] for tile in image.tile]
    n_there = sum((right - x) * (lower - y) for x, y, right, lower in extents)
    n_pixels = math.prod(image.size)
    if n_there < n_pixels:
        raise ValueError(f"it has {n_there} of its {n_pixels} pixels.")


def _upright(image: Any, exif_orientation: bool) -> Any:
    stored = _orientation(image)
    image.load()
    # Pillow turns TIFF images while it loads them, and then forgets their orientation.
    left = _orientation(image)
    turn = left
    if not exif_orientation:
        turn = 1 if left == stored else _TURNED_BACK.get(stored, stored)
    if turn not in _TURNS:
        return image
    return image.transpose(import_pillow().Transpose[_TURNS[turn]])


def _orientation(image: Any) -> int:
    try:
        return image.getexif().get(_ORIENTATION, 1)
    # If the EXIF data is damaged, viewers show the image as it is stored.
    except Exception:
        return 1


def _own_range(image: Any) -> tuple[float, float] | None:
    """Values of black and white by the file's format; None if they have 8 bits."""
    if image.mode not in _DEEP_MODES:
        return None
    tags = getattr(image, "tag_v2", {})
    if tags.get(_TIFF_PHOTOMETRIC) == 0:
        raise ValueError(
            "its zero is white. Give value_range=(white, 0), e.g. (65535, 0)."
        )
    if image.mode == "F":
        return _checked_unit_range(np.asarray(image))
    # Pillow scales these formats to 16 bits, but keeps the 12 bits of a TIFF file.
    if image.mode.startswith("I;16") or image.format in ("PNG", "PPM"):
        bits = tags.get(_TIFF_BITS, (16,))
        return 0.0, 2.0 ** bits[0] - 1
    low, high = image.getextrema()
    raise ValueError(
        f"its whole numbers, from {low} to {high}, may have any range. Give "
        f"value_range=(black, white), e.g. ({low}, {high})."
    )


def _checked_unit_range(values: np.ndarray) -> tuple[float, float]:
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 1):  # NaN is neither
        raise ValueError(
            f"its floats, from {low:.6g} to {high:.6g}, are not all from 0 (black) to "
            "1 (white). Give value_range=(black, white), e.g. (0, 255)."
        )
    return 0.0, 1.0


def _scaled(image: Any, value_range: tuple[float, float] | None) -> tuple[Any, Any]:
    """An image of more than 8 bits scaled to 8, and its alpha channel if it has one."""
    Image = import_pillow()
    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not finite.")
    black, white = value_range or (0.0, 1.0)
    scaled = (values.astype(np.float64) - black) * (255 / (white - black))
    grey = Image.fromarray(np.rint(scaled.clip(0, 255)).astype(np.uint8))
    if "transparency" not in image.info:
        return grey, None
    alpha = np.where(values == image.info["transparency"], 0, 255).astype(np.uint8)
    return grey, None if alpha.all() else Image.fromarray(alpha)


def _without_alpha(image: Any) -> tuple[Any, Any]:
    """An image's colours, and its alpha channel unless that is opaque everywhere."""
    transparent = image.info.get("transparency")
    if isinstance(transparent, tuple) and max(transparent) > 255:
        # Pillow keeps 8 bits of each value, which other colours may share.
        raise ValueError("it names a transparent colour of 16 bits; save it with 8.")
    has_alpha = (
        image.mode in _ALPHA_MODES
        or transparent is not None
        or (image.mode == "P" and image.palette.mode.endswith("A"))
    )
    if not has_alpha:
        return image, None
    if image.mode == "La":
        image = image.convert("LA")
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    return image.convert("RGB"), None if alpha.getextrema() == (255, 255) else alpha
