"""Images as they come: flat or not, grey or coloured."""

import numpy as np


def as_images(images, name, image_shape=None):
    """Images as an array of shape (n, h, w) or (n, h, w, c)."""
    images = np.asarray(images)
    shape = images.shape
    if image_shape is not None:
        image_shape = tuple(image_shape)
        if images.ndim < 2 or np.prod(shape[1:]) != np.prod(image_shape):
            raise ValueError(
                f"{name} of shape {shape} can not be seen as images of shape "
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
