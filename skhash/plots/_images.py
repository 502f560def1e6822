"""Images as they come: flat or not, grey or coloured."""

import numpy as np

from skhash.plots._style import GREEN, VERMILION

# Lengths of dashes and gaps in the frame of a wrong image.
_DASHED = (0, (2.5, 1.5))


def as_images(images, name, image_shape=None):
    """Images as an array of shape (n, h, w) or (n, h, w, c)."""
    images = np.asarray(images)
    shape = images.shape
    if image_shape is not None:
        image_shape = tuple(image_shape)
        if images.ndim < 2 or np.prod(shape[1:]) != np.prod(image_shape):
            raise ValueError(
                f"{name} of shape {shape} cannot be seen as images of shape "
                f"{image_shape}: {np.prod(shape[1:])} values are not "
                f"{np.prod(image_shape)}."
            )
        images = images.reshape(len(images), *image_shape)
    elif images.ndim == 2:
        raise ValueError(
            f"{name} are flat, of shape {shape}. Say what a row means with "
            "image_shape, e.g. image_shape=(8, 8) for 64 grey values."
        )
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (
        images.ndim == 4 and images.shape[3] not in (3, 4)
    ):
        raise ValueError(
            f"{name} must be of shape (n, h, w) or (n, h, w, c) with 1, 3 or 4 "
            f"channels last, got {images.shape}."
        )
    return images


def draw_image(ax, image, box, limits):
    """Draw one image into a box (left, right, bottom, top) of the axes."""
    grey = limits if image.ndim == 2 else {}
    return ax.imshow(
        image, extent=box, interpolation="nearest", aspect="auto", zorder=2, **grey
    )


def draw_frame(ax, box, is_right):
    """Draw a solid frame, or a dashed one with a cross in its corner."""
    from matplotlib.patches import Rectangle

    left, right, bottom, top = box
    frame = Rectangle(
        (left - 0.04, top - 0.04),
        right - left + 0.08,
        bottom - top + 0.08,
        fill=False,
        edgecolor=GREEN if is_right else VERMILION,
        linestyle="-" if is_right else _DASHED,
        linewidth=1.8,
        zorder=3,
    )
    if not is_right:
        cross = {"color": VERMILION, "markeredgecolor": "white"}
        ax.plot(right + 0.03, top - 0.03, marker="X", markersize=8, zorder=4, **cross)
    return ax.add_patch(frame)


def frame_keys():
    """Entries of a legend of the two frames."""
    from matplotlib.lines import Line2D

    solid = {"color": GREEN, "linestyle": "-", "label": "right"}
    dashed = {
        "color": VERMILION,
        "linestyle": _DASHED,
        "marker": "X",
        "label": "wrong",
    }
    return [Line2D([], [], linewidth=1.8, **style) for style in (solid, dashed)]
