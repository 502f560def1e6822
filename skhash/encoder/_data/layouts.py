"""The shape of an item, and which axis of an image holds its channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Numbers of channels that tell which axis they are on, where no side of the image is
# that short.
_CHANNELS = (1, 3, 4)
_SHORT = 4


@dataclass(frozen=True)
class Layout:
    """How an item lies in memory.

    Attributes
    ----------
    shape : tuple of int
        (n_features,), (height, width), or an image with channels.
    channels_last : bool
        Whether an image is (height, width, channels), not (channels, height, width).
    """

    shape: tuple[int, ...]
    channels_last: bool

    @classmethod
    def of(cls, shape: Sequence[int], *, channels_last: bool) -> Layout:
        """The layout that a shape tells, or else that of `channels_last`."""
        shape = tuple(shape)
        if len(shape) != 3:
            return cls(shape, False)
        last = shape[2] in _CHANNELS and min(shape[:2]) > _SHORT
        first = shape[0] in _CHANNELS and min(shape[1:]) > _SHORT
        return cls(shape, last or (channels_last and not first))

    @property
    def n_values(self) -> int:
        """Number of values of an item."""
        return math.prod(self.shape)

    @property
    def network_shape(self) -> tuple[int, ...]:
        """What a network sees: (n_features,) or (channels, height, width)."""
        if len(self.shape) == 2:
            return (1, *self.shape)
        return _read(self.shape, self.channels_last)

    def order(
        self, shape: tuple[int, ...], *, channels_last: bool
    ) -> tuple[int, ...] | None:
        """Order of axes that brings items of `shape` to this layout; None if none does.

        `channels_last` is how the shape is read where it can be read both ways.
        """
        as_it_lies = tuple(range(len(shape)))
        image = self.network_shape
        if shape == (self.n_values,) or (len(shape) == 2 and image == (1, *shape)):
            return as_it_lies
        if len(shape) != 3 or len(image) != 3:
            return None
        for last in (channels_last, not channels_last):
            if _read(shape, last) == image:
                if last == self.channels_last or image[0] == 1:
                    return as_it_lies
                return (1, 2, 0) if self.channels_last else (2, 0, 1)
        return None


def _read(shape: tuple[int, ...], channels_last: bool) -> tuple[int, ...]:
    """An image's shape with its channels first."""
    return (shape[2], *shape[:2]) if len(shape) == 3 and channels_last else shape


def misfit(name: str, shape: tuple[int, ...], expected: Layout, what: str = "X") -> str:
    """What to say of items that are not of the shape seen in `fit` by `name`."""
    told = f"{what} has {math.prod(shape)} features"
    wanted = f"{expected.n_values} features as input"
    if len(shape) == 1 == len(expected.shape):
        return f"{told}, but {name} is expecting {wanted}."
    sides = Layout.of(shape, channels_last=expected.channels_last).network_shape[1:]
    advice = "resize the images"
    if len(expected.shape) == 1:
        advice = "flatten the items"
    elif sides == expected.network_shape[1:]:
        advice = f"give the images {expected.network_shape[0]} channel(s)"
    return (
        f"{told}, items of shape {shape}, but {name} is expecting {wanted}, items of "
        f"shape {expected.shape} as in fit: {advice}."
    )
